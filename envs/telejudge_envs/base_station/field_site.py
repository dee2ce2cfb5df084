"""Who works on site, where he is, and which object an id that he was told means.

    who = acting(db)              # the technician who was dispatched, or a ToolError that says so
    site = here(db)               # the site he stands on
    optic(db, "K042-O1/bbu")      -> Optic(kind="cpri", sector=1, end="bbu", id="K042-O1/bbu")

Everything raises ToolError with what to do about it. Nothing here changes the state.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from telejudge_envs.base_station.faults import CPRI_SENSITIVITY_DBM
from telejudge_envs.base_station.observe import observe
from telejudge_envs.base_station.operations import Spare, Technician
from telejudge_envs.base_station.parts import Located, locate
from telejudge_envs.base_station.state import RanDB, Site
from telejudge_envs.base_station.toolkit import ToolError

DEFAULT_END = "bbu"
"""The end of a CPRI fibre that a reading can speak for when no end is weak (see injections.py)."""

Done = dict[str, Any]
"""What a write returns: its effect in words, and the readings that verify it."""


class Optic(NamedTuple):
    """An end of a fibre: `kind` is `uplink` (end and sector mean nothing) or `cpri`."""

    kind: str
    sector: int
    end: str
    id: str


def acting(db: RanDB) -> Technician:
    """The technician at work: the one who was dispatched."""
    sent = [t for t in db.technicians if t.assigned is not None]
    if not sent:
        raise ToolError(
            "no technician is dispatched; nobody can work on site; "
            "dispatch one with dispatch_technician(site_id, technician_id, task, parts)"
        )
    return sent[-1]


def here(db: RanDB) -> Site:
    """The site where he is."""
    who = acting(db)
    if who.location is None:
        raise ToolError(
            f"{who.id} is not on site; he is on the road; "
            f"call travel_to_site(site_id='{who.assigned}') first"
        )
    return db.sites[who.location]


def at_focus(db: RanDB) -> bool:
    """Whether what he sees and does concerns the site that the faults are in."""
    sent = [t for t in db.technicians if t.assigned is not None]
    return bool(sent) and sent[-1].location == db.focus


def seen(db: RanDB, effect: str) -> bool:
    """An effect of physics.py at the site where he is."""
    return bool(observe(db)[here(db).id][effect])


def own_part(db: RanDB, object_id: str, *kinds: str) -> Located:
    """The object of that id on this site, of one of the kinds."""
    site = here(db)
    found = locate(db, object_id)
    if found is None or found.site is None or found.site.id != site.id:
        raise ToolError(
            f"there is no '{object_id}' at {site.id}; ids here look like {site.id}-R1 or "
            f"{site.id}-BB; read_asset_label tells what is in a slot"
        )
    if found.kind not in kinds:
        raise ToolError(
            f"{object_id} is a {found.kind}; this tool is for: {', '.join(kinds)}; "
            "give the id of such a unit"
        )
    return found


def optic(db: RanDB, port_id: str, *, either_end: bool = False) -> Optic:
    """The fibre end of an id: `K042-P`, `K042-O1/bbu`, `K042-O1/rru`.

    `either_end` also accepts what names a whole fibre: `K042-L` and `K042-O1`.
    """
    owner, _, end = port_id.partition("/")
    found = own_part(db, owner, "port", "cpri", *(["link"] if either_end else []))
    if found.kind == "cpri" and (end in ("bbu", "rru") or (either_end and not end)):
        return Optic("cpri", found.sector, end or DEFAULT_END, port_id)
    if found.kind != "cpri" and not end:
        return Optic("uplink", 0, "", port_id)
    site = here(db).id
    raise ToolError(
        f"'{port_id}' is no end of a fibre; the ends are {site}-P for the uplink, and "
        f"{site}-O1/bbu and {site}-O1/rru for the fibre of the first radio unit"
    )


def weak_end(site: Site, sector: int) -> str:
    """Which end of a CPRI fibre has the bad optics, if one has."""
    rru = site.rrus[sector - 1]
    return "rru" if rru.rx_rru_dbm < rru.rx_bbu_dbm and is_weak(rru.rx_rru_dbm) else DEFAULT_END


def is_weak(dbm: float) -> bool:
    return dbm < CPRI_SENSITIVITY_DBM


def in_van(db: RanDB) -> list[Spare]:
    """The spare parts that the technician was sent with."""
    by_id = {spare.id: spare for spare in db.spares}
    return [by_id[part] for part in acting(db).parts if part in by_id]


def take(db: RanDB, spare_id: str, kind: str) -> Spare:
    """The spare part he is to build in; it must be with him, unused and of the right type."""
    who = acting(db)
    spare = next((s for s in db.spares if s.id == spare_id), None)
    if spare is None:
        raise ToolError(f"there is no spare '{spare_id}'; list_spares tells what {who.id} has")
    if spare.used:
        raise ToolError(f"{spare_id} is already built in; take another one from list_spares")
    if spare_id not in who.parts:
        raise ToolError(
            f"{who.id} does not have {spare_id} with him; he has {_named(who.parts)}; "
            "dispatch him with this part"
        )
    if spare.type != kind:
        raise ToolError(f"{spare_id} is a {spare.type}, not a {kind}; take a {kind}")
    return spare


def certified(db: RanDB, *needed: str) -> None:
    """Work on the mast and on radio parts is for those with the certificates."""
    who = acting(db)
    missing = [cert for cert in needed if cert not in who.certs]
    if missing:
        able = [t.id for t in db.technicians if all(c in t.certs for c in needed)]
        raise ToolError(
            f"{who.id} has no certificate for {' and '.join(missing)} work; "
            f"dispatch one who has: {_named(able)}"
        )


def done(effect: str, *verify: str) -> Done:
    return {"effect": effect, "needs_verification": list(verify)}


def _named(ids: list[str]) -> str:
    return ", ".join(ids) or "nothing"
