"""What cures a fault, the gentlest means first, and what a call costs.

In: the site at the start. Out: for every atom its remedies with their costs (rule 9 of the policy).

    cures = Cures.of(db)
    cures.cheapest("P3.2")        -> Action("reset_breaker", "K042-FD2", 102, "P3.2", onsite=True)
    impact_of("reset_board", {"mode": "hard"})    -> 8

Whether a fault is of the kind that cleaning does not cure (worn, jammed, shorted, of another team)
counts as known as soon as the fault itself is supposed; see the contract of `physics.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telejudge_envs.base_station.atoms import atoms, object_of, split
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.responsibility import is_stubborn, team_needed
from telejudge_envs.base_station.state import RanDB

CONFIG, LOCK, TOKEN, RESET, HARD_RESET, VISIT = 2, 3, 5, 6, 8, 100
REPAIR, REPLACE = VISIT + 2, VISIT + 4

IMPACT: dict[str, int] = {
    "lock_cell": LOCK,
    "unlock_cell": LOCK,
    "request_approval": TOKEN,
    "reset_board": RESET,
    "reset_rru": RESET,
    "set_hub_port": CONFIG + TOKEN,
    "enable_mlb": CONFIG + TOKEN,
    "dispatch_technician": VISIT,
    "reset_breaker": REPAIR,
    "start_generator": REPAIR,
    "reset_aircon": REPAIR,
    "clean_connector": REPAIR,
    "splice_fibre": REPAIR,
    "repair_antenna_line": REPAIR,
    "replace_sfp": REPLACE,
    "replace_fibre": REPLACE,
    "replace_module": REPLACE,
}
"""By tool; other writes cost CONFIG. Work on site includes the visit that it needs."""


def impact_of(tool: str, arguments: Mapping[str, Any]) -> int:
    """The cost of a write."""
    if tool == "reset_board" and arguments.get("mode") == "hard":
        return HARD_RESET
    return IMPACT.get(tool, CONFIG)


@dataclass(frozen=True)
class Action:
    """A remedy: call `tool` on `object_id`. `probability` of its fault, where one is known; `team`:
    who is to be called where the tool is `escalate`."""

    tool: str
    object_id: str
    cost: int
    atom: str
    onsite: bool = False
    team: str = ""
    probability: float = 1.0


SITE_REMEDIES: dict[str, tuple[str, str]] = {
    "P1": ("start_generator", "AC0"),
    "P2": ("replace_module", "RE1"),
    "E1": ("replace_module", "FAN1"),
    "E2": ("reset_aircon", "AC"),
    "T1": ("splice_fibre", "L"),
    "T2": ("clean_connector", "P"),
    "T4": ("rollback_config", "P"),
    "T5": ("set_config", "NG"),
    "R3": ("set_config", "NG"),
    "S1": ("replace_module", "GNSS"),
    "S2": ("switch_clock_source", "GNSS"),
    "B1": ("reset_board", "BM"),
    "B2": ("replace_module", "BB"),
    "B3": ("install_licence", "LIC"),
    "P3": ("reset_breaker", "FD"),
    "B4": ("lock_cell", "C"),
    "F1": ("replace_fibre", "O"),
    "F2": ("clean_connector", "O"),
    "F3": ("replace_module", "R"),
    "A1": ("repair_antenna_line", "A"),
    "A2": ("calibrate_ret", "T"),
    "A3": ("set_ret_tilt", "T"),
    "A4": ("clean_connector", "A"),
    "R1": ("set_config", "C"),
    "R2": ("add_neighbour", "C"),
    "R5": ("enable_mlb", "C"),
    "R6": ("unlock_cell", "C"),
}
"""The gentlest call that cures, and the part it is called on. T3 is at the hub, R4 nobody cures."""

WORN_REMEDIES: dict[str, tuple[str, str]] = {
    "P3": ("replace_module", "R"),
    "T2": ("replace_sfp", "P"),
    "F2": ("replace_sfp", "O"),
    "A2": ("replace_module", "T"),
}
"""The same when the fault is of the stubborn kind."""


class Cures:
    """Remedies of one site, by atom."""

    def __init__(self, actions: Mapping[str, Action], names: Mapping[str, tuple[str, str]]) -> None:
        self._actions, self.names = actions, names

    @classmethod
    def of(cls, db: RanDB) -> Cures:
        """Read which kinds of faults there are; the state may change afterwards."""
        known = atoms(len(db.sites[db.focus].cells))
        return cls(
            {atom: _action(db, atom) for atom in known},
            {atom: (split(atom)[0].slug, object_of(db, db.focus, atom)) for atom in known},
        )

    def cheapest(self, atom: str) -> Action:
        """The gentlest call that cures the atom; `escalate` when it is another team's."""
        return self._actions[atom]


def _action(db: RanDB, atom: str) -> Action:
    fault, i = split(atom)
    where = object_of(db, db.focus, atom)
    if team := team_needed(db, atom):
        return Action("escalate", where, CONFIG, atom, team=team)
    if fault.code == "T3":
        return Action("set_hub_port", where, IMPACT["set_hub_port"], atom)
    stubborn = is_stubborn(db.sites[db.focus], atom)
    tool, suffix = (WORN_REMEDIES if stubborn else SITE_REMEDIES)[fault.code]
    target = part(db.focus, suffix, i if fault.sector else None)
    if fault.code == "F2":
        rru = db.sites[db.focus].rrus[i - 1]
        target += "/bbu" if rru.rx_bbu_dbm <= rru.rx_rru_dbm else "/rru"
    cost = impact_of(tool, {})
    return Action(tool, target, cost, atom, onsite=cost > VISIT)
