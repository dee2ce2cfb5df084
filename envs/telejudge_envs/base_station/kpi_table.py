"""The counters: names, units, which effects each tells, and which values are bad.

    COUNTERS["RRU.PrbTotDl"].shows        -> ("kpi.traffic", "kpi.full")
    out_of_limits({"RRU.PrbTotDl": 96.1}) -> ("RRU.PrbTotDl",)

Names are those of TS 28.552. Two are our own and begin with `X.`, since that catalogue counts
neither uplink noise nor the unavailable time of an NR cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from telejudge_envs.base_station.formulas import ratio

PERIOD_S = 900
"""All counters are per period of a quarter of an hour, TS 28.552's usual granularity."""

Value = float | int | None


@dataclass(frozen=True)
class Counter:
    """`shows`: effects of the cell, without the sector, or of the site; besides them every counter
    tells `reach`. `bad`: a value on that side of `limit` needs a cause."""

    unit: str
    shows: tuple[str, ...] = ("kpi.traffic",)
    bad: Literal["", "above", "below"] = ""
    limit: float = 0.0
    site: bool = False


COUNTERS: dict[str, Counter] = {
    "RRC.ConnEstabAtt": Counter("", bad="below", limit=1),
    "RRC.ConnEstabSucc": Counter("", bad="below", limit=1),
    "UECNTX.ConnEstabAtt": Counter(""),
    "UECNTX.ConnEstabSucc": Counter(""),
    "DRB.EstabAtt": Counter(""),
    "DRB.EstabSucc": Counter(""),
    "DRB.RelActNbr": Counter("abnormal releases"),
    "DRB.SessionTime": Counter("s"),
    "RRU.PrbTotDl": Counter("%", ("kpi.traffic", "kpi.full"), "above", 90),
    "DRB.UEThpDl": Counter("kbit/s", ("kpi.traffic", "kpi.slow"), "below", 10_000),
    "MM.HoExeInterReq": Counter(""),
    "MM.HoExeInterSucc": Counter("", ("kpi.traffic", "kpi.ho_fail")),
    "HO.IntraSys.TooLate": Counter("", ("kpi.traffic", "kpi.too_late"), "above", 8),
    "RACH.PreambleACell": Counter("", bad="below", limit=1),
    "L1M.ATADist": Counter(
        "% of UEs beyond the planned far edge", ("kpi.traffic", "kpi.far"), "above", 15
    ),
    "L1M.SS-RSRP": Counter("% of reports below -110 dBm", ("kpi.traffic", "kpi.weak"), "above", 15),
    "X.ULNoise": Counter("dBm per PRB, busiest", ("kpi.traffic", "kpi.noise"), "above", -105),
    "X.CellUnavailableTime": Counter("s of 900", ("kpi.up",), "above", 0),
    "PEE.AvgTemperature": Counter("C", ("alarm.HIGH_TEMPERATURE",), "above", 60, site=True),
    "PEE.Voltage": Counter("V", ("alarm.BATTERY_DISCHARGING",), "below", 52, site=True),
}

HO_SUCCESS = 0.90
"""Handover executions that succeed, MM.HoExeInterSucc/MM.HoExeInterReq: below this is bad."""

CELL_KPIS = tuple(name for name, counter in COUNTERS.items() if not counter.site)
SITE_KPIS = tuple(name for name, counter in COUNTERS.items() if counter.site)
KPI_NAMES = CELL_KPIS + SITE_KPIS


def kpi_effects(sector: int, names: Sequence[str] = ()) -> tuple[str, ...]:
    """The effects that these counters of a sector tell (of the site for PEE counters).

    No names: all that there are. The report is "node unreachable" for all or for none, so `reach`
    is always told.
    """
    told = ["reach"]
    for name in names or CELL_KPIS:
        counter = COUNTERS[name]
        told += [e if counter.site else f"{e}.{sector}" for e in counter.shows]
    return tuple(dict.fromkeys(told))


def out_of_limits(counters: Mapping[str, Value]) -> tuple[str, ...]:
    """The counters with a bad value, in the order given; handover success counts under its Succ."""
    return tuple(name for name, value in counters.items() if _bad(name, value, counters))


def _bad(name: str, value: Value, counters: Mapping[str, Value]) -> bool:
    counter = COUNTERS.get(name)
    if counter is None or value is None:
        return False
    if name == "MM.HoExeInterSucc":
        return ratio(value, counters.get("MM.HoExeInterReq") or 0) < HO_SUCCESS
    if counter.bad == "above":
        return value > counter.limit
    return counter.bad == "below" and value < counter.limit
