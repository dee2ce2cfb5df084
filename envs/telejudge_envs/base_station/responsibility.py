"""Whose a fault is: the agent's, with or without a spare part, or another team's.

In: the state as it is, and an atom that is there or only supposed. Out: a part or a team.

    part_needed(site, "P3.2")  -> "rru" when the feed is shorted, None when closing it will do
    team_needed(db, "P1")      -> "power" when no generator is fitted, None when one is

Tasks, rules of the policy and oracle all ask here, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from telejudge_envs.base_station.atoms import split
from telejudge_envs.base_station.operations import Team
from telejudge_envs.base_station.state import RanDB, Site


class _Stubborn(NamedTuple):
    """A fault that may be of a kind which the gentle repair does not cure, but this part does."""

    is_so: Callable[[Site, int], bool]
    part: str


_STUBBORN: dict[str, _Stubborn] = {
    "P3": _Stubborn(lambda s, i: s.rrus[i - 1].feed in s.power.shorted, "rru"),
    "T2": _Stubborn(lambda s, i: s.port.sfp_worn, "sfp"),
    "F2": _Stubborn(lambda s, i: bool(s.rrus[i - 1].optics_worn), "cpri_sfp"),
    "A2": _Stubborn(lambda s, i: s.rets[i - 1].jammed, "ret"),
}

_PARTS = {
    "P2": "rectifier",
    "E1": "fan",
    "B2": "baseband",
    "F1": "fibre",
    "F3": "rru",
    "S1": "gnss_antenna",
}
"""What is replaced whatever the kind of the fault."""

OUT_OF_REACH: dict[str, Callable[[RanDB, Site, int], bool]] = {
    "P1": lambda db, s, i: not s.power.generator_fitted,
    "E2": lambda db, s, i: not s.climate.aircon_resettable,
    "T1": lambda db, s, i: db.links[s.id].owner == "leased",
    "B3": lambda db, s, i: not db.licence_pool,
    "R4": lambda db, s, i: True,
    "R5": lambda db, s, i: not s.cells[i - 1].mlb_headroom,
}
"""When the agent lacks the authority or the means. Nobody in this world can remove an interferer,
so R4 is never his."""


def is_stubborn(site: Site, atom: str) -> bool:
    """Whether the fault is, or would be, of the kind that needs a part: worn, shorted, jammed."""
    fault, i = split(atom)
    kind = _STUBBORN.get(fault.code)
    return kind is not None and kind.is_so(site, i)


def part_type(code: str, *, stubborn: bool) -> str | None:
    """The type of spare part that the repair of such a fault takes; None when it takes none."""
    if code in _STUBBORN:
        return _STUBBORN[code].part if stubborn else None
    return _PARTS.get(code)


def part_needed(site: Site, atom: str) -> str | None:
    """The type of spare part that the repair takes here; None when it takes none."""
    return part_type(split(atom)[0].code, stubborn=is_stubborn(site, atom))


def team_needed(db: RanDB, atom: str) -> Team | None:
    """The team that must take a fault of the focus site; None when the agent can see to it."""
    fault, i = split(atom)
    site = db.sites[db.focus]
    out_of_reach = OUT_OF_REACH.get(fault.code)
    if out_of_reach is not None and out_of_reach(db, site, i):
        return fault.team
    kind = part_needed(site, atom)
    in_stock = kind is None or any(s.type == kind and not s.used for s in db.spares)
    return None if in_stock else "vendor"
