"""Which effects each of the technician's readings tells (the `shows` of field_*_reads.py).

In: the state and the call's arguments. Out: names of effects of physics.py, for the focus site; ()
when he is elsewhere, where no fault is. A fibre end that is not the weak one says nothing of it.
"""

from __future__ import annotations

from telejudge_envs.base_station.field_site import at_focus, here, optic, own_part, weak_end
from telejudge_envs.base_station.parts import locate
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Arguments, Shows, ToolError

_WITH_POWER = {"main": ("dc", "raw.B1"), "baseband": ("dc", "raw.B2"), "fan": ("dc", "raw.E1")}


def on_focus(names: Shows) -> Shows:
    """Only what is read at the focus site speaks of the faults; a call that fails tells nothing."""

    def shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
        if not at_focus(db):
            return ()
        try:
            return names(db, a)
        except (ToolError, LookupError, ValueError):
            return ()

    return shows


def lamps(db: RanDB, a: Arguments) -> tuple[str, ...]:
    found = locate(db, a["unit_id"])
    if found is None:
        return ()
    if found.kind == "rru":
        i = found.sector
        return (f"raw.POWERED.{i}", f"raw.LINK.{i}", f"raw.F3.{i}")
    if found.kind == "rectifier":
        return ("raw.P1", "raw.P2") if a["unit_id"].endswith("RE1") else ("raw.P1",)
    if found.kind == "fan" and not a["unit_id"].endswith("FAN1"):
        return ("dc",)
    return _WITH_POWER.get(found.kind, ())


def light(db: RanDB, a: Arguments) -> tuple[str, ...]:
    point = optic(db, a["port_id"])
    i = point.sector
    if point.kind == "uplink":
        return ("raw.T1", "raw.T2")
    lit = f"raw.LINK.{i}" if point.end == "bbu" else f"raw.RX_RRU.{i}"
    weak = f"raw.WEAK_{point.end.upper()}.{i}"
    return (lit, weak) if weak_end(here(db), i) == point.end else (lit,)


def fibre_break(db: RanDB, a: Arguments) -> tuple[str, ...]:
    point = optic(db, a["port_id"], either_end=True)
    return ("raw.T1",) if point.kind == "uplink" else (f"raw.F1.{point.sector}",)


def asset(db: RanDB, a: Arguments) -> tuple[str, ...]:
    object_id, _, end = a["asset_id"].partition("/")
    found = locate(db, object_id)
    if found is None:
        return ()
    i = found.sector
    if found.kind == "cpri":
        return (f"raw.F2.{i}",) if end == weak_end(here(db), i) else ()
    if found.kind in _WITH_POWER or found.kind in ("rru", "rectifier"):
        return lamps(db, {"unit_id": object_id})
    return {
        "mains": ("raw.P1",),
        "aircon": ("raw.E2",),
        "port": ("raw.T2",),
        "line": (f"raw.A4.{i}",),
        "feed": (f"raw.P3.{i}",),
    }.get(found.kind, ())


def voltage(db: RanDB, a: Arguments) -> tuple[str, ...]:
    return ("raw.P1",) if a["point"] == "ac_in" else ("dc", "raw.ON_BATTERY")


def breakers(db: RanDB, a: Arguments) -> tuple[str, ...]:
    return tuple(f"raw.P3.{cell.sector}" for cell in db.sites[db.focus].cells)


def line(db: RanDB, a: Arguments) -> tuple[str, ...]:
    return (f"raw.A1.{own_part(db, a['port_id'], 'line').sector}",)
