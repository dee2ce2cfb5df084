"""What the NOC's tools share: finding objects, what a call tells about which site, times of day.

In: a RanDB and the arguments of a call. Out: objects, or ToolError for ids that do not exist.

    find(db, "K042-C1", "cell").thing                     # the Cell
    told(db, "K042-C1", ("reach",), ("see.R1",))          -> ("reach", "see.R1.1")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from telejudge_envs.base_station.jitter import spread
from telejudge_envs.base_station.observe import observe, site_of
from telejudge_envs.base_station.operations import ChangeRecord
from telejudge_envs.base_station.parts import Located, locate
from telejudge_envs.base_station.state import RanDB, Site
from telejudge_envs.base_station.toolkit import Arguments, Shows, ToolError

UNREACHABLE = "NE_UNREACHABLE"
TRUNK_DOWN = "alarm.LINK_FAILURE"

Action = Literal[
    "lock_cell",
    "unlock_cell",
    "reset_board",
    "reset_rru",
    "set_config",
    "rollback_config",
    "set_hub_port",
    "switch_clock_source",
    "set_ret_tilt",
    "calibrate_ret",
    "enable_mlb",
    "install_licence",
    "replace_module",
    "repair_antenna_line",
    "clean_connector",
    "replace_sfp",
    "replace_fibre",
    "splice_fibre",
    "reset_breaker",
]
"""What can be asked approval for, or checked for its impact."""

HARMLESS = frozenset({"unlock_cell", "switch_clock_source", "calibrate_ret", "install_licence"})
"""Actions that interrupt no user of a cell."""


def find(db: RanDB, object_id: str, *kinds: str) -> Located:
    """The object, of one of the kinds if any are given. Raises ToolError."""
    located = locate(db, object_id)
    if located is None:
        raise ToolError(f"there is no object '{object_id}'; take ids from get_topology")
    if kinds and located.kind not in kinds:
        wanted = " or ".join(kinds)
        raise ToolError(f"'{object_id}' is a {located.kind}; this tool takes a {wanted}")
    return located


def find_site(db: RanDB, site_id: str) -> Site:
    return find(db, site_id, "site").thing


def owner(located: Located) -> Site:
    """The site of an object that is known to belong to one."""
    assert located.site is not None
    return located.site


def seen(db: RanDB, site: Site) -> Mapping[str, int]:
    """The effects of a site as they are now."""
    return observe(db)[site.id]


def near(db: RanDB, width: float, object_id: str, counter: str) -> float:
    """What a measurement strays by: within ±width, the same whenever it is read in this minute."""
    return spread(-width, width, db.seed, object_id, counter, db.clock_min)


def unreachable(site: Site) -> dict[str, Any]:
    """What every reading through a node gives while the node does not answer."""
    return {"site": site.id, "status": UNREACHABLE}


def demand_reach(db: RanDB, site: Site) -> None:
    """Raises ToolError while the node does not answer."""
    if not seen(db, site)["reach"]:
        raise ToolError(f"NE_UNREACHABLE: {site.id} does not answer, nothing was changed")


def demand_link(db: RanDB, site: Site, sector: int) -> None:
    """Raises ToolError while the radio unit of the sector does not answer."""
    demand_reach(db, site)
    if not seen(db, site)[f"see.LINK.{sector}"]:
        raise ToolError(f"RRU_UNREACHABLE: {site.id}-R{sector} has no link, nothing was changed")


def told(
    db: RanDB, object_id: str, always: tuple[str, ...], by_sector: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Names of the effects of the focus site that a reading through the object's node tells.

    Any other site has no faults of its own; it is only cut off when the hub's trunk is shut.
    """
    located = locate(db, object_id)
    if located is None or located.site is None:
        return ()
    if located.site.id != db.focus:
        return (TRUNK_DOWN,)
    return always + in_sectors(located, by_sector)


def in_sectors(located: Located, names: tuple[str, ...]) -> tuple[str, ...]:
    """`see.R1` -> `see.R1.2` for an object of sector 2, for all sectors with an object of none."""
    assert located.site is not None
    sectors = [located.sector] if located.sector else [c.sector for c in located.site.cells]
    return tuple(f"{name}.{i}" for name in names for i in sectors)


def through_node(argument: str, *always: str, by_sector: tuple[str, ...] = ()) -> Shows:
    """`shows` of a tool that reads the object named by `argument` through its node."""

    def shows(db: RanDB, arguments: Arguments) -> tuple[str, ...]:
        return told(db, str(arguments.get(argument)), ("reach", *always), by_sector)

    return shows


def in_scope(db: RanDB, scope_id: str, object_id: str) -> bool:
    """Whether an object lies in a scope: itself, its site, or the hub (everything)."""
    return scope_id in (object_id, site_of(object_id), db.hub.id)


def stamp(minutes: int) -> str:
    """Minutes since the ticket's midnight: `10:05`, the day after `+1 00:20`, before `-1 23:50`."""
    days, rest = divmod(minutes, 24 * 60)
    time = f"{rest // 60:02d}:{rest % 60:02d}"
    return time if days == 0 else f"{days:+d} {time}"


def check_token(db: RanDB, token: str | None) -> None:
    """Nothing in the world requires a token, but an invented one is refused."""
    if token is not None and token not in {t.id for t in db.tokens}:
        raise ToolError(f"there is no approval '{token}'; get one from request_approval")


def record_change(db: RanDB, object_id: str, attribute: str, before: Any, after: Any) -> str:
    """Note a change that the NOC made; its author is authorised, so it counts as approved."""
    taken = {change.id for change in db.changes}
    number = 100 + (db.seed * 7 + len(db.changes) * 31) % 900
    while f"CH{number}" in taken:
        number = 100 + (number - 99) % 900
    change = ChangeRecord(
        id=f"CH{number}",
        object_id=object_id,
        attribute=attribute,
        before=before,
        after=after,
        at_min=db.clock_min,
        by="noc",
    )
    db.changes.append(change)
    return change.id


def done(db: RanDB, effect: str, *verify: str, **more: Any) -> dict[str, Any]:
    """The answer of a write that was carried out; what was derived before is void."""
    db.version += 1
    return {"effect": effect, **more, "needs_verification": list(verify)}
