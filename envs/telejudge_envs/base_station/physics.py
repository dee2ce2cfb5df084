"""What follows from which faults: one set of Boolean formulas for the world and for the oracle.

In: `facts`, a bit for every atom and for a few settings. Out: `effects`, a bit for everything that
can be seen. A "bit" is any int of the same width: 0 or 1 for the real world (`full` = 1), or a set
of hypotheses, one bit each, for the oracle (`full` = all ones); the formulas only use & | ^.

    effects(facts_of(db, db.focus), full=1)["reach"]        -> 1 when the node can be reached

Order: power, climate, transport, boards, clock, fronthaul, RF, NG, cell, KPI. Names of effects:
`alarm.X` an alarm is active, `see.X` a reading through the node shows the fault, `kpi.X.i` a
counter of sector i is off, `raw.X` what somebody on site sees; `reach`, `path`, `dc`, `cell_up.i`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from telejudge_envs.base_station.atoms import atoms, object_of, split
from telejudge_envs.base_station.faults import Present
from telejudge_envs.base_station.state import RanDB

Bits = Mapping[str, int]

BATTERY_EMPTY = "battery_empty"
HOLDOVER_LOST = "holdover_lost"
ON_PTP = "on_ptp"
RING = "ring"
LOCKED = "locked"

SEEN_BY_NODE = ("P1", "P2", "E1", "E2", "T2", "T4", "T5", "R3", "S1", "S2", "B2", "B3")
"""Site faults that a reading through the node's own management shows while it can be reached."""

LOGGED = ("T4", "T5", "R3", "A3", "R1", "R2")
"""Faults that somebody made by a change of configuration: the change log tells them, `was.X`."""

SEEN_IN_CELL = ("R1", "R2", "R5", "B4")
SEEN_IN_RRU = ("F2", "A2", "A3")

RAW = ("P1", "P2", "E2", "T1", "T2", "S1")
RAW_LAMPS = ("E1", "B1", "B2")
RAW_IN_SECTOR = ("P3", "F1", "F2", "A1", "A4")
"""What somebody on site sees, whatever the management says: always, while the unit has power, and
by sector. Light at the two ends of a CPRI fibre needs a lit laser at the other end."""

ATTRIBUTE = {
    "T4": "vlan",
    "T5": "remoteAddress",
    "R3": "nRTAC",
    "A3": "tilt",
    "R1": "nrPci",
    "R2": "relation",
}
"""The attribute that the change behind a logged fault touched."""


def effects(f: Bits, full: int, sectors: int = 3) -> dict[str, int]:
    """Every observable bit that follows from the facts of one site."""
    e: dict[str, int] = {}
    on_battery = f["P1"] | f["P2"]
    dc = e["dc"] = full ^ (on_battery & f[BATTERY_EMPTY])
    path = e["path"] = full ^ ((f["T1"] & (full ^ f[RING])) | f["T3"] | f["T4"])
    reach = e["reach"] = dc & path & (full ^ f["B1"])
    clock = (f[ON_PTP] & (full ^ f["S2"])) | (
        (full ^ f[ON_PTP]) & (full ^ (f["S1"] & f[HOLDOVER_LOST]))
    )
    node = dc & (full ^ f["B1"]) & (full ^ f["B2"]) & (full ^ f["B3"]) & clock
    ng = path & (full ^ f["T5"]) & (full ^ f["R3"])
    hot = f["E1"] | f["E2"]

    for atom in SEEN_BY_NODE:
        e[f"see.{atom}"] = f[atom] & reach
    for was in logged(sectors):
        e[f"log.{was}"] = f[f"was.{was}"]
    e["see.on_ptp"] = f[ON_PTP] & reach
    e["see.PATH"] = path & reach
    for atom in RAW:
        e[f"raw.{atom}"] = f[atom]
    for atom in RAW_LAMPS:
        e[f"raw.{atom}"] = f[atom] & dc
    e["raw.ON_BATTERY"] = on_battery
    e["alarm.NE_UNREACHABLE"] = full ^ reach
    e["alarm.COMMERCIAL_POWER_FAILURE"] = f["P1"] & reach
    e["alarm.RECTIFIER_FAILURE"] = f["P2"] & reach
    e["alarm.BATTERY_DISCHARGING"] = on_battery & reach
    e["alarm.COOLING_FAN_FAILURE"] = f["E1"] & reach
    e["alarm.AIR_CONDITIONING_FAILURE"] = f["E2"] & reach
    e["alarm.HIGH_TEMPERATURE"] = hot & reach
    e["alarm.LOSS_OF_SIGNAL"] = f["T1"]
    e["alarm.LINK_FAILURE"] = f["T3"]
    e["alarm.EXCESSIVE_BIT_ERROR_RATE"] = f["T2"] & reach
    e["alarm.SCTP_FAULT"] = f["T5"] & reach
    e["alarm.NG_FAULT"] = (f["T5"] | f["R3"]) & reach
    e["alarm.CLOCK_SYNCHRONIZATION_PROBLEM"] = f["S1"] & reach
    e["alarm.CLOCK_REFERENCE_LOST"] = f["S2"] & f[ON_PTP] & reach
    e["alarm.LOSS_OF_SYNCHRONIZATION"] = (full ^ clock) & reach
    e["alarm.SOFTWARE_PROGRAM_ABNORMALLY_TERMINATED"] = f["B1"] & dc & path
    e["alarm.EQUIPMENT_MALFUNCTION"] = f["B2"] & reach
    e["alarm.LICENCE_EXPIRED"] = f["B3"] & reach

    for i in range(1, sectors + 1):
        _sector(f, e, full, i, reach=reach, node=node, ng=ng)
    return e


def _sector(
    f: Bits, e: dict[str, int], full: int, i: int, *, reach: int, node: int, ng: int
) -> None:
    feed = e["dc"] & (full ^ f[f"P3.{i}"])
    linked = feed & (full ^ f[f"F1.{i}"])
    radiating = linked & (full ^ f[f"F3.{i}"]) & (full ^ f[f"{LOCKED}.{i}"])
    able = node & ng & linked & (full ^ f[f"F3.{i}"])
    up = e[f"cell_up.{i}"] = able & (full ^ f[f"{LOCKED}.{i}"])
    traffic = e[f"traffic.{i}"] = up & (full ^ f[f"B4.{i}"])
    e[f"able.{i}"] = able
    e[f"see.LOCKED.{i}"] = f[f"{LOCKED}.{i}"]

    e[f"alarm.CELL_UNAVAILABLE.{i}"] = (full ^ able) & (full ^ f[f"{LOCKED}.{i}"])
    e[f"alarm.RRU_DYING_GASP.{i}"] = f[f"P3.{i}"] & e["dc"] & reach
    e[f"alarm.RRU_LINK_LOST.{i}"] = (full ^ linked) & reach
    e[f"alarm.CPRI_BIT_ERRORS.{i}"] = f[f"F2.{i}"] & linked & reach
    e[f"alarm.TRANSMITTER_FAILURE.{i}"] = f[f"F3.{i}"] & linked & reach
    e[f"alarm.ANTENNA_PROBLEM.{i}"] = f[f"A1.{i}"] & radiating & reach
    e[f"alarm.TRANSMITTER_ANTENNA_NOT_ADJUSTED.{i}"] = f[f"A2.{i}"] & linked & reach

    for fault in RAW_IN_SECTOR:
        e[f"raw.{fault}.{i}"] = f[f"{fault}.{i}"]
    e[f"raw.POWERED.{i}"] = feed
    e[f"raw.LINK.{i}"] = linked
    e[f"raw.RX_RRU.{i}"] = e["dc"] & (full ^ f[f"F1.{i}"])
    e[f"raw.WEAK_BBU.{i}"] = f[f"F2.{i}"] & linked
    e[f"raw.WEAK_RRU.{i}"] = f[f"F2.{i}"] & e[f"raw.RX_RRU.{i}"]
    e[f"raw.F3.{i}"] = f[f"F3.{i}"] & feed

    e[f"see.LINK.{i}"] = linked & reach
    e[f"see.F1.{i}"] = (full ^ linked) & reach
    for fault in SEEN_IN_CELL:
        e[f"see.{fault}.{i}"] = f[f"{fault}.{i}"] & reach
    for fault in SEEN_IN_RRU:
        e[f"see.{fault}.{i}"] = f[f"{fault}.{i}"] & linked & reach
    e[f"see.F3.{i}"] = f[f"F3.{i}"] & linked & reach
    e[f"see.RADIATING.{i}"] = radiating & reach
    e[f"see.A1.{i}"] = f[f"A1.{i}"] & radiating & reach

    counted = traffic & reach
    e[f"kpi.up.{i}"] = up & reach
    e[f"kpi.traffic.{i}"] = counted
    e[f"kpi.slow.{i}"] = counted & (f["T2"] | f[f"F2.{i}"] | f[f"R5.{i}"])
    e[f"kpi.weak.{i}"] = counted & f[f"A1.{i}"]
    e[f"kpi.far.{i}"] = counted & f[f"A3.{i}"]
    e[f"kpi.noise.{i}"] = counted & (f[f"R4.{i}"] | f[f"A4.{i}"])
    e[f"kpi.idle_noise.{i}"] = counted & f[f"R4.{i}"]
    e[f"kpi.ho_fail.{i}"] = counted & f[f"R1.{i}"]
    e[f"kpi.too_late.{i}"] = counted & f[f"R2.{i}"]
    e[f"kpi.full.{i}"] = counted & f[f"R5.{i}"]


def controls_of(db: RanDB, site_id: str) -> dict[str, int]:
    """The bits of the site's settings that are no faults."""
    site = db.sites[site_id]
    bits = {
        BATTERY_EMPTY: int(battery_empty(db, site_id)),
        HOLDOVER_LOST: int(holdover_over(db, site_id)),
        ON_PTP: int(site.clock.active == "ptp"),
        RING: int(site.ring),
    }
    for cell in site.cells:
        bits[f"{LOCKED}.{cell.sector}"] = int(cell.administrativeState == "LOCKED")
    return bits


def facts_of(db: RanDB, site_id: str) -> dict[str, int]:
    """The real bits of one site: atoms and controls."""
    site = db.sites[site_id]
    facts = controls_of(db, site_id)
    for atom, test, sector in _tests(len(site.cells)):
        facts[atom] = int(test(db, site, sector))
    made = {(c.object_id, c.attribute) for c in db.changes if not c.approved}
    for atom in logged(len(site.cells)):
        is_made = made and (object_of(db, site_id, atom), ATTRIBUTE[atom[:2]]) in made
        facts[f"was.{atom}"] = int(bool(is_made))
    return facts


def seen_at(db: RanDB, site_id: str) -> Mapping[str, int]:
    """The real effects of one site. Sites with equal facts share one result: do not change it."""
    facts = facts_of(db, site_id)
    return _seen(tuple(facts), tuple(facts.values()), len(db.sites[site_id].cells))


@functools.lru_cache(maxsize=4096)
def _seen(names: tuple[str, ...], bits: tuple[int, ...], sectors: int) -> dict[str, int]:
    return effects(dict(zip(names, bits, strict=True)), 1, sectors)


@functools.cache
def _tests(sectors: int) -> tuple[tuple[str, Present, int], ...]:
    """Every atom with the question whether it is there."""
    parts = ((atom, *split(atom)) for atom in atoms(sectors))
    return tuple((atom, fault.present, sector) for atom, fault, sector in parts)


@functools.cache
def logged(sectors: int) -> tuple[str, ...]:
    """The atoms that leave a record in the change log."""
    return tuple(atom for atom in atoms(sectors) if atom[:2] in LOGGED)


def battery_empty(db: RanDB, site_id: str) -> bool:
    """Whether a site on battery since the ticket came would be dark by now.

    The same for every hypothesis, since it only depends on the clock and on what is installed.
    """
    from telejudge_envs.base_station.formulas import battery_hours

    power = db.sites[site_id].power
    return db.clock_min - db.started_min >= 60 * battery_hours(
        power.battery_ah, power.load_w, soc=power.battery_soc
    )


def holdover_over(db: RanDB, site_id: str) -> bool:
    """Whether a clock without GNSS would have drifted out of its limits by now."""
    clock = db.sites[site_id].clock
    since = clock.holdover_since if clock.holdover_since is not None else db.started_min
    return clock.holdover_lost or db.clock_min - since >= clock.holdover_min
