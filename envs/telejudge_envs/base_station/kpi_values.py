"""The value of each counter at one moment, from the effects and from numbers no fault changes.

    value(Sample(db, site, "K042-C1", "NR", 0.4, bits, when=610), "RRU.PrbTotDl")     -> 41.3

In: a Sample. Out: a number of few digits, 0 for counts of a cell without traffic and None for its
distributions. Jitter is a hash of seed, object, counter and minute and never crosses a limit.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from telejudge_envs.base_station.formulas import battery_hours, noise_rise_db, prb_noise_dbm
from telejudge_envs.base_station.jitter import spread, whole
from telejudge_envs.base_station.kpi_table import COUNTERS, PERIOD_S, Value
from telejudge_envs.base_station.state import RanDB, Site

NIGHT_LOAD = 0.4
"""Share of the day's traffic that is there outside of a site's busy hours."""

INTERFERENCE_DBM = -100.5
"""What a strong interferer, or intermodulation at full power, puts into one PRB."""


@dataclass(frozen=True)
class Sample:
    """One object at one moment: the bits are all that the state's faults may change."""

    db: RanDB
    site: Site
    about: str
    rat: str
    load: float
    bits: Mapping[str, int]
    when: int

    @functools.cached_property
    def sector(self) -> str:
        return self.about.rpartition("-C")[2]

    @functools.cached_property
    def attempts(self) -> int:
        return round(self.load * self.between(900, 1000, "attempts"))

    @functools.cached_property
    def connected(self) -> int:
        return self.attempts - self.some(1 + self.attempts // 80, "RRC failures")

    @functools.cached_property
    def contexts(self) -> int:
        return self.connected - self.some(1 + self.connected // 120, "NG failures")

    @functools.cached_property
    def bearers(self) -> int:
        return round(self.contexts * 1.2)

    @functools.cached_property
    def bearers_up(self) -> int:
        return self.bearers - self.some(1 + self.bearers // 120, "DRB failures")

    @functools.cached_property
    def handovers(self) -> int:
        return 30 + round(self.load * self.between(180, 220, "handovers"))

    def between(self, low: float, high: float, counter: str) -> float:
        return spread(low, high, self.db.seed, self.about, counter, self.when)

    def some(self, count: int, counter: str) -> int:
        return whole(count, self.db.seed, self.about, counter, self.when)


def normal_load(db: RanDB, cell_id: str) -> float:
    """The share of a cell's capacity that is usually taken by day. No fault changes it, unlike
    `Cell.load`, so anything that is shown of a cell's users must be made of it."""
    return spread(0.2, 0.65, db.seed, cell_id, "load")


def hour_load(db: RanDB, site: Site, cell_id: str) -> float:
    """The usual load at this time of day."""
    opens, closes = site.busy_hours
    busy = opens <= db.clock_min // 60 % 24 < closes
    return normal_load(db, cell_id) * (1.0 if busy else NIGHT_LOAD)


def value(sample: Sample, name: str) -> Value:
    """The counter's value. Raises KeyError for a name that kpi_table.py does not have."""
    if COUNTERS[name].site:
        return _SITE[name](sample)
    bits, sector = sample.bits, sample.sector
    if name == "X.CellUnavailableTime":
        return 0 if bits[f"kpi.up.{sector}"] else PERIOD_S
    if not bits[f"kpi.traffic.{sector}"]:
        return None if name in _DISTRIBUTIONS else 0
    fault = _FAULT[name]
    off = bool(fault and bits[f"{fault}.{sector}"])
    return _CELL[name](sample, off)


def _handovers_done(s: Sample, off: bool) -> int:
    low, high = (0.55, 0.75) if off else (0.96, 0.995)
    return math.floor(s.handovers * s.between(low, high, "handover success"))


def _throughput(s: Sample, off: bool) -> int:
    low, high = (2500, 6500) if off else (14_000, 26_000) if s.rat == "LTE" else (45_000, 95_000)
    return round(s.between(low, high, "throughput") / 100) * 100


def _share_of_prbs(s: Sample, off: bool) -> float:
    if off:
        return round(s.between(93, 99, "PRB"), 1)
    return round(100 * s.load + s.between(-2, 2, "PRB"), 1)


def noise_dbm(s: Sample, interference_dbm: float, key: str) -> float:
    floor = prb_noise_dbm(s.rat)
    rise = 0.0 if math.isinf(interference_dbm) else noise_rise_db(interference_dbm - floor)
    return round(floor + rise + s.between(0, 1.5, key), 1)


_CELL: dict[str, Callable[[Sample, bool], Value]] = {
    "RRC.ConnEstabAtt": lambda s, off: s.attempts,
    "RRC.ConnEstabSucc": lambda s, off: s.connected,
    "UECNTX.ConnEstabAtt": lambda s, off: s.connected,
    "UECNTX.ConnEstabSucc": lambda s, off: s.contexts,
    "DRB.EstabAtt": lambda s, off: s.bearers,
    "DRB.EstabSucc": lambda s, off: s.bearers_up,
    "DRB.RelActNbr": lambda s, off: s.some(4, "releases"),
    "DRB.SessionTime": lambda s, off: s.bearers_up * 20 + s.some(20, "session time"),
    "RRU.PrbTotDl": _share_of_prbs,
    "DRB.UEThpDl": _throughput,
    "MM.HoExeInterReq": lambda s, off: s.handovers,
    "MM.HoExeInterSucc": _handovers_done,
    "HO.IntraSys.TooLate": lambda s, off: (18 if off else 0) + s.some(20 if off else 4, "late"),
    "RACH.PreambleACell": lambda s, off: round(s.attempts * s.between(1.5, 1.9, "preambles")),
    "L1M.ATADist": lambda s, off: round(s.between(*((22, 35) if off else (3, 9)), "far"), 1),
    "L1M.SS-RSRP": lambda s, off: round(s.between(*((20, 30) if off else (3, 8)), "weak"), 1),
    "X.ULNoise": lambda s, off: noise_dbm(s, INTERFERENCE_DBM if off else -math.inf, "noise"),
}

_FAULT = {
    name: next((e for e in counter.shows if e != "kpi.traffic"), "")
    for name, counter in COUNTERS.items()
}
"""The effect that puts a counter of a cell with traffic off its usual values."""

_DISTRIBUTIONS = frozenset({"L1M.ATADist", "L1M.SS-RSRP", "X.ULNoise", "DRB.UEThpDl"})
"""Counters that have no value when there is nobody to measure; the others count 0."""


def _temperature(s: Sample) -> float:
    low, high = (66, 72) if s.bits["alarm.HIGH_TEMPERATURE"] else (38, 48)
    return round(s.between(low, high, "temperature"), 1)


def dc_volts(db: RanDB, site: Site, discharging: bool) -> float:
    """The DC bus: about 54 V on float, on battery falling from 50 V to the point of disconnection
    over the battery's hours (reckoned from the ticket)."""
    jitter = spread(-0.2, 0.2, db.seed, site.id, "volts", db.clock_min)
    if not discharging:
        return round(54.0 + jitter, 1)
    power = site.power
    hours = battery_hours(power.battery_ah, power.load_w, soc=power.battery_soc)
    gone = min((db.clock_min - db.started_min) / 60 / hours, 1.0)
    return round(50.0 - (50.0 - power.lvd_v) * gone + jitter, 1)


_SITE: dict[str, Callable[[Sample], Value]] = {
    "PEE.AvgTemperature": _temperature,
    "PEE.Voltage": lambda s: dc_volts(s.db, s.site, bool(s.bits["alarm.BATTERY_DISCHARGING"])),
}
