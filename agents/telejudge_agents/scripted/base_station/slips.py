"""The ways in which engineers of this world are wrong, and the material for it.

RIVALS["F1"]      -> ("F3",): a radio unit is swapped for a broken fibre
"""

from __future__ import annotations

from typing import Literal

from telejudge_agents.scripted import temper
from telejudge_agents.scripted.base import Call
from telejudge_agents.scripted.base_station import clues
from telejudge_agents.scripted.base_station.case import Case

Slip = Literal[
    "reset_first",  # restart the node before anything is understood
    "overlook",  # pass over a symptom
    "close_on_quiet",  # look at alarms only, not at counters
    "skip_kpi",  # read no counters at all
    "skip_read",  # guess the fault from the alarm
    "misdiagnose",  # take a rival for the fault
    "keep_wrong_cause",  # and report it although it did not help
    "wrong_sector",
    "escalate_early",
    "never_escalate",
    "forget_impact",
    "forget_approval",
    "forget_mitigation",
    "forget_parts",
    "forget_lock",
    "forget_isolation",
    "forget_unlock",
    "skip_verify",  # report right after the first repairs
    "skip_sweep",
    "stop_early",  # do not look for what the first repairs had hidden
    "ignore_error",
    "wrong_class",
    "forget_evidence",
    "false_claim",
    "redundant_read",
    "idle_read",
    "failed_call",
]

Temper = temper.Temper[Slip]
"""The temper that an engineer of this world asks."""


RIVALS: dict[str, tuple[str, ...]] = {
    "P1": ("P2",),
    "P2": ("P1",),
    "P3": ("F1",),
    "E1": ("E2",),
    "E2": ("E1",),
    "T2": ("R5",),
    "T5": ("B1",),
    "R3": ("B1",),
    "S1": ("B1",),
    "B2": ("B1",),
    "B3": ("B1",),
    "B4": ("F3", "R6"),
    "F1": ("F3",),
    "F2": ("F1",),
    "F3": ("A1", "F1"),
    "A1": ("F3",),
    "A3": ("R5",),
    "A4": ("R4",),
    "R1": ("R2",),
    "R2": ("A3",),
    "R4": ("A4",),
    "R5": ("B4",),
    "R6": ("B4", "F3"),
}
"""What each fault is taken for by those who do not tell rivals apart."""

IDLE = (
    clues.power,
    clues.clock,
    clues.node,
    clues.uplink,
    clues.ask("get_boards", "site_id"),
    clues.ask("get_licences", "site_id"),
    clues.ask("get_change_log", "scope_id"),
    clues.ask("get_work_orders", "scope_id"),
)
"""Reads that are good for some fault, made without a reason."""


def failing(case: Case) -> tuple[Call, ...]:
    """Calls that the world refuses."""
    return (
        Call("get_rf", {"rru_id": f"{case.site}-R9"}),
        Call("get_transport_port", {"port_id": f"{case.site}-P2"}),
        Call("get_kpi", {"object_id": f"{case.site}-R1"}),
        Call("get_clock", {}),
    )


def rash_reset(case: Case) -> Call:
    return Call("reset_board", {"board_id": case.id("main"), "mode": "hard"})
