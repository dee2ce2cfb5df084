"""What each of the technician's repairs leaves fixed (the `sets` of field_*_writes.py).

    module(db, {"type": "rru", "slot": "K042-R2", …})  -> {"F3.2": 0, "P3.2": 0}

In: the state before the call and its arguments. Out: facts of the focus site and their values after
it, whatever they were; {} when the technician is elsewhere or the repair cannot help.
"""

from __future__ import annotations

from collections.abc import Callable

from telejudge_envs.base_station.field_shows import on_focus
from telejudge_envs.base_station.field_site import at_focus, here, optic, own_part, weak_end
from telejudge_envs.base_station.parts import locate
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Arguments, Sets, ToolError

CHECK: dict[str, Callable[[str], tuple[str, ...]]] = {
    "rectifier": lambda slot: (f"check_leds({slot})", "measure_voltage(dc_bus)"),
    "fan": lambda slot: (f"check_leds({slot})",),
    "baseband": lambda slot: (f"check_leds({slot})",),
    "rru": lambda slot: (f"check_leds({slot})", "check_breakers"),
    "gnss_antenna": lambda slot: ("check_gnss_antenna", "get_clock"),
    "ret": lambda slot: ("get_rf",),
}
"""By which readings a replaced module is verified."""


def cures(facts: Sets) -> Sets:
    """Only work at the focus site cures a fault; a call that fails cures nothing."""

    def sets(db: RanDB, a: Arguments) -> dict[str, int]:
        if not at_focus(db):
            return {}
        try:
            return facts(db, a)
        except (ToolError, LookupError, ValueError):
            return {}

    return sets


def in_sector(code: str, argument: str, kind: str) -> Sets:
    """The fault in the sector of the thing that the argument names."""
    return cures(lambda db, a: fixed(f"{code}.{own_part(db, a[argument], kind).sector}"))


def site_fault(code: str) -> Sets:
    return cures(lambda db, a: fixed(code))


@cures
def uplink(db: RanDB, a: Arguments) -> dict[str, int]:
    own_part(db, a["link_id"], "link")
    return fixed("T1")


def fixed(*atoms: str) -> dict[str, int]:
    return dict.fromkeys(atoms, 0)


@cures
def breaker(db: RanDB, a: Arguments) -> dict[str, int]:
    sector = own_part(db, a["feed"], "feed").sector
    return {} if a["feed"] in here(db).power.shorted else fixed(f"P3.{sector}")


@on_focus
def tripped(db: RanDB, a: Arguments) -> tuple[str, ...]:
    """A breaker that trips again shows that it is open."""
    return (f"raw.P3.{a['feed'][-1]}",) if a["feed"] in here(db).power.shorted else ()


@cures
def aircon(db: RanDB, a: Arguments) -> dict[str, int]:
    return fixed("E2") if here(db).climate.aircon_resettable else {}


@on_focus
def aircon_failed(db: RanDB, a: Arguments) -> tuple[str, ...]:
    return () if here(db).climate.aircon_resettable else ("raw.E2",)


@cures
def module(db: RanDB, a: Arguments) -> dict[str, int]:
    found = locate(db, a["slot"])
    if found is None:
        return {}
    i = found.sector
    cured = {
        "rectifier": ("P2",) if a["slot"].endswith("RE1") else (),
        "fan": ("E1",) if a["slot"].endswith("FAN1") else (),
        "baseband": ("B2",),
        "rru": (f"F3.{i}", f"P3.{i}"),
        "gnss_antenna": ("S1",),
        "ret": (f"A2.{i}",),
    }[a["type"]]
    return fixed(*cured)


@cures
def connector(db: RanDB, a: Arguments) -> dict[str, int]:
    """Cleaning: the weak end, unless its module is worn; on an antenna line the bad contact."""
    found = locate(db, a["port_id"])
    if found is not None and found.kind == "line":
        return fixed(f"A4.{found.sector}")
    point, site = optic(db, a["port_id"]), here(db)
    if point.kind == "uplink":
        return {} if site.port.sfp_worn else fixed("T2")
    worn = site.rrus[point.sector - 1].optics_worn == point.end
    return {} if worn else transceiver(db, a)


@cures
def transceiver(db: RanDB, a: Arguments) -> dict[str, int]:
    point, site = optic(db, a["port_id"]), here(db)
    if point.kind == "uplink":
        return fixed("T2")
    return fixed(f"F2.{point.sector}") if point.end == weak_end(site, point.sector) else {}


@cures
def antenna_line(db: RanDB, a: Arguments) -> dict[str, int]:
    found = own_part(db, a["port_id"], "line")
    return fixed(f"A1.{found.sector}") if found.thing.segment == a["segment"] else {}
