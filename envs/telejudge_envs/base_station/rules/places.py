"""Which part of the network a call is about, and which cells it would take off the air.

In: a RuleStep. Out: places, that is (site or hub, sector), sector 0 for what belongs to none.

    places(lock_step)         -> {("K042", 1)}
    meets({("K042", 0)}, {("K042", 1)})      -> True: a reading of the site covers its sector
    interrupted(lock_step)    -> ("K042-C1",)
"""

from __future__ import annotations

import re
from typing import NamedTuple

from telejudge_envs.base_station.rules.record import RuleStep, Situation

_ID = re.compile(r"([A-Z]+\d+)(?:-([A-Z]+?)(\d*))?(?:/\w+)?")
_SECTORED = frozenset({"C", "R", "O", "A", "T", "FD"})

TARGETS = (
    "cell_id",
    "rru_id",
    "board_id",
    "ret_id",
    "port_id",
    "object_id",
    "site_id",
    "scope_id",
    "src_id",
    "unit_id",
    "asset_id",
    "slot",
    "feed",
    "cpri_id",
    "link_id",
)
"""Arguments that name what a call is about."""

ON_SITE = {"start_generator": "AC0", "reset_aircon": "AC"}
"""Field tools whose object follows from where the technician is."""

SITE_WIDE = frozenset({"nRTAC", "remoteAddress", "vlan"})
CELL_WIDE = frozenset({"nrPci"})
"""Attributes whose change restarts the N2 association or the cell."""


class Place(NamedTuple):
    owner: str
    sector: int


def target(step: RuleStep) -> str:
    """The id of the object that a call is about; empty when it names none."""
    if step.tool == "rollback_config":
        change = str(step.arguments.get("change_id", ""))
        return step.before.changes.get(change, ("", ""))[1]
    for name in TARGETS:
        if isinstance(value := step.arguments.get(name), str):
            return value
    site = _whereabouts(step.before)
    suffix = ON_SITE.get(step.tool)
    return f"{site}-{suffix}" if site and suffix else site


def places(step: RuleStep) -> frozenset[Place]:
    """Where the object of a call is; a hub and its ports are also where their sites are."""
    return places_of(target(step), step.before)


def places_of(object_id: str, now: Situation) -> frozenset[Place]:
    found = _ID.fullmatch(object_id)
    if found is None:
        return frozenset()
    owner, letters, number = found.groups()
    if owner != now.hub:
        sector = int(number) if letters in _SECTORED and number else 0
        return frozenset({Place(owner, sector)})
    behind = {s for port, (_, sites) in now.ports.items() if letters is None or port == object_id
              for s in sites}  # fmt: skip
    return frozenset({Place(owner, 0), *(Place(site, 0) for site in behind)})


def meets(one: frozenset[Place], other: frozenset[Place]) -> bool:
    """Whether what is known of one tells of the other."""
    return any(
        a.owner == b.owner and (a.sector == b.sector or 0 in (a.sector, b.sector))
        for a in one
        for b in other
    )


def interrupted(step: RuleStep) -> tuple[str, ...]:
    """Ids of the cells that a call takes off the air for a while, whether they carry or not."""
    arguments, now = step.arguments, step.before
    attribute = arguments.get("attribute")
    if step.tool == "rollback_config":
        attribute = now.changes.get(str(arguments.get("change_id")), ("", ""))[0]
    if step.tool == "set_hub_port":
        return _cells(now, places(step)) if arguments.get("state") == "down" else ()
    if step.tool in ("lock_cell", "reset_board", "reset_rru"):
        return _cells(now, places(step))
    if step.tool in ("set_config", "rollback_config") and attribute in SITE_WIDE | CELL_WIDE:
        return _cells(now, places(step))
    if step.tool == "set_ret_tilt" and arguments.get("tilt") != now.plan.get(_tilt(step)):
        return _cells(now, places(step))
    return ()


def carrying(step: RuleStep) -> tuple[str, ...]:
    """Those of the interrupted cells that serve users."""
    return tuple(cell for cell in interrupted(step) if step.before.cells[cell].carrying)


def _tilt(step: RuleStep) -> str:
    return f"{step.arguments.get('ret_id')}.tilt"


def _cells(now: Situation, where: frozenset[Place]) -> tuple[str, ...]:
    return tuple(
        cell for cell, c in now.cells.items() if meets(where, frozenset({Place(c.site, c.sector)}))
    )


def _whereabouts(now: Situation) -> str:
    """The site where the technician is who was dispatched; empty when there is none."""
    sent = [place for place, assigned in now.technicians.values() if assigned is not None]
    return (sent[-1] or "") if sent else ""
