"""What a hasty engineer does instead of the repair: it does not help, or breaks a rule.

In: a Case. Out: calls.
"""

from __future__ import annotations

from telejudge_envs.base_station.remedies.case import Case, Plan
from telejudge_envs.base_station.remedies.fixes import replace

TRAPS: dict[str, Plan] = {
    "P1": replace("rectifier", "RE1"),
    "P2": lambda c: [("start_generator", {})],
    "P3": lambda c: [("replace_fibre", {"cpri_id": c.id("O", c.i)})],
    "E1": lambda c: [("reset_board", {"board_id": c.id("BB"), "mode": "hard"})],
    "E2": replace("fan", "FAN1"),
    "T1": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "hard"})],
    "T2": lambda c: [("enable_mlb", {"cell_id": c.id("C", 1)})],
    "T3": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "hard"})],
    "T4": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "T5": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "S1": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "S2": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "B1": lambda c: [("reset_board", {"board_id": c.id("BB"), "mode": "hard"})],
    "B2": lambda c: [("reset_board", {"board_id": c.id("BB"), "mode": "hard"})] * 2,
    "B3": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "B4": lambda c: [],
    "F1": replace("rru", "R"),
    "F2": lambda c: [("clean_connector", {"port_id": _other_end(c)})],
    "F3": lambda c: [("reset_rru", {"rru_id": c.rru})] * 2,
    "A1": replace("rru", "R"),
    "A2": replace("rru", "R"),
    "A3": lambda c: [("lock_cell", {"cell_id": c.cell}), ("unlock_cell", {"cell_id": c.cell})],
    "A4": lambda c: [("escalate", {"team": "spectrum", "summary": "noise", "evidence": ["r1"]})],
    "R1": lambda c: [("reset_rru", {"rru_id": c.rru})],
    "R2": lambda c: [
        ("set_ret_tilt", {"ret_id": c.id("T", c.i), "tilt": c.site.rets[c.i - 1].tilt + 2.0})
    ],
    "R3": lambda c: [("escalate", {"team": "transmission", "summary": "NG", "evidence": ["r1"]})],
    "R4": lambda c: [("clean_connector", {"port_id": c.id("A", c.i)})],
    "R5": lambda c: [("reset_rru", {"rru_id": c.rru})],
    "R6": lambda c: [("reset_rru", {"rru_id": c.rru})],
}


def _other_end(c: Case) -> str:
    cpri, _, end = c.optic.partition("/")
    return f"{cpri}/{'rru' if end == 'bbu' else 'bbu'}"
