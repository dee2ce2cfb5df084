"""What each of the technician's repairs leaves fixed (the `sets` of field_writes.py).

    module(db, {"type": "rru", "slot": "K042-R2", …})  -> {"F3.2": 0, "P3.2": 0}

In: the state before the call and its arguments. Out: facts of the focus site and their values after
it, whatever they were; {} when the technician is elsewhere or the repair cannot help.
"""

from __future__ import annotations

from collections.abc import Callable

from telejudge_envs.base_station.field_site import at_focus, here, optic, weak_end
from telejudge_envs.base_station.parts import locate
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Arguments

CHECK: dict[str, Callable[[str], tuple[str, ...]]] = {
    "rectifier": lambda slot: (f"check_leds({slot})", "measure_voltage(dc_bus)"),
    "fan": lambda slot: (f"check_leds({slot})",),
    "baseband": lambda slot: (f"check_leds({slot})",),
    "rru": lambda slot: (f"check_leds({slot})", "check_breakers"),
    "gnss_antenna": lambda slot: ("check_gnss_antenna", "get_clock"),
    "ret": lambda slot: ("get_rf",),
}
"""By which readings a replaced module is verified."""


def fixed(db: RanDB, *atoms: str) -> dict[str, int]:
    return dict.fromkeys(atoms, 0) if at_focus(db) else {}


def breaker(db: RanDB, a: Arguments) -> dict[str, int]:
    return {} if a["feed"] in here(db).power.shorted else fixed(db, f"P3.{a['feed'][-1]}")


def tripped(db: RanDB, a: Arguments) -> tuple[str, ...]:
    """A breaker that trips again shows that it is open."""
    short = at_focus(db) and a["feed"] in here(db).power.shorted
    return (f"raw.P3.{a['feed'][-1]}",) if short else ()


def aircon(db: RanDB, a: Arguments) -> dict[str, int]:
    return fixed(db, "E2") if here(db).climate.aircon_resettable else {}


def aircon_failed(db: RanDB, a: Arguments) -> tuple[str, ...]:
    return ("raw.E2",) if at_focus(db) and not here(db).climate.aircon_resettable else ()


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
    return fixed(db, *cured)


def connector(db: RanDB, a: Arguments) -> dict[str, int]:
    """Cleaning: the weak end, unless its module is worn; on an antenna line the bad contact."""
    found = locate(db, a["port_id"])
    if found is not None and found.kind == "line":
        return fixed(db, f"A4.{found.sector}")
    point, site = optic(db, a["port_id"]), here(db)
    if point.kind == "uplink":
        return {} if site.port.sfp_worn else fixed(db, "T2")
    worn = site.rrus[point.sector - 1].optics_worn == point.end
    return {} if worn else transceiver(db, a)


def transceiver(db: RanDB, a: Arguments) -> dict[str, int]:
    point, site = optic(db, a["port_id"]), here(db)
    if point.kind == "uplink":
        return fixed(db, "T2")
    return fixed(db, f"F2.{point.sector}") if point.end == weak_end(site, point.sector) else {}


def antenna_line(db: RanDB, a: Arguments) -> dict[str, int]:
    line = next(line for line in here(db).lines if line.id == a["port_id"])
    return fixed(db, f"A1.{a['port_id'][-1]}") if line.segment == a["segment"] else {}
