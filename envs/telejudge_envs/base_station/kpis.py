"""Performance counters of a cell or a site for the last quarter of an hour.

    kpis(db, "K042-C1", ["RRU.PrbTotDl"])
        -> {"object": "K042-C1", "period_s": 900, "counters": {"RRU.PrbTotDl": 41.3}}

In: the state. Out: plain JSON values, each a function of the effects named in kpi_table.py, of
numbers that no fault changes and of a hash of what is read and when. A node out of reach gives
`{"site": …, "status": "NE_UNREACHABLE"}`. A cell without traffic has counts of 0 and no
distributions (None).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from telejudge_envs.base_station.kept import recall
from telejudge_envs.base_station.kpi_table import (
    CELL_KPIS,
    KPI_NAMES,
    PERIOD_S,
    SITE_KPIS,
    Value,
    kpi_effects,
)
from telejudge_envs.base_station.kpi_values import (
    INTERFERENCE_DBM,
    Sample,
    hour_load,
    noise_dbm,
    value,
)
from telejudge_envs.base_station.observe import observe
from telejudge_envs.base_station.parts import locate
from telejudge_envs.base_station.radio import Cell
from telejudge_envs.base_station.state import RanDB, Site
from telejudge_envs.base_station.toolkit import ToolError

WEEK_MIN = 7 * 24 * 60


def kpis(db: RanDB, object_id: str, names: Sequence[str] = (), hours: int = 1) -> dict[str, Any]:
    """Counters of a cell, or of a site with those of its cells under `cells`.

    Args:
        names: Counters; none means all that the object has.
        hours: From 2 on, `usual` says what a healthy cell counts at this time of day.

    Raises ToolError for an object without counters and for a counter that it does not have.
    """
    found = locate(db, object_id)
    if found is None or found.kind not in ("cell", "site") or found.site is None:
        raise ToolError(f"no counters; object {object_id!r}; give the id of a cell or a site")
    have = CELL_KPIS if found.kind == "cell" else KPI_NAMES
    for name in names:
        if name not in have:
            raise ToolError(f"no counter {name!r}; {object_id}; it has: {', '.join(have)}")
    site = found.site
    if not observe(db)[site.id]["reach"]:
        return {"site": site.id, "status": "NE_UNREACHABLE"}
    wanted = tuple(names) or have
    if found.kind == "cell":
        return _cell_report(db, site, found.thing, wanted, hours)
    of_cells = [name for name in wanted if name in CELL_KPIS]
    report: dict[str, Any] = {"object": site.id, "period_s": PERIOD_S}
    report["counters"] = _values(_site_sample(db, site), [n for n in wanted if n in SITE_KPIS])
    if of_cells:
        report["cells"] = {c.id: _values(_cell_sample(db, site, c), of_cells) for c in site.cells}
    return report


def kpi_effects_of(db: RanDB, object_id: str, names: Sequence[str] = ()) -> tuple[str, ...]:
    """The effects of the focus site that `kpis(db, object_id, names)` tells.

    All that another site tells is whether the trunk that both share is up.
    """
    found = locate(db, object_id)
    if found is None or found.site is None or found.kind not in ("cell", "site"):
        return ()
    if found.site.id != db.focus:
        return ("alarm.LINK_FAILURE",)
    if found.kind == "cell":
        return kpi_effects(found.sector, tuple(n for n in names if n in CELL_KPIS) or CELL_KPIS)
    told = [e for c in found.site.cells for e in kpi_effects(c.sector, tuple(names) or KPI_NAMES)]
    return tuple(dict.fromkeys(told))


def cell_counters(db: RanDB, cell_id: str) -> dict[str, Value]:
    """All counters of a cell, also where the node cannot be reached (then as of a dark cell)."""
    found = locate(db, cell_id)
    if found is None or found.kind != "cell" or found.site is None:
        raise ToolError(f"no such cell; {cell_id!r}; give the id of a cell")
    return _values(_cell_sample(db, found.site, found.thing), CELL_KPIS)


def uplink_noise_dbm(db: RanDB, cell_id: str, downlink_pct: float) -> float | None:
    """Noise in one uplink PRB while the cell sends with this share of its power.

    Interference from outside is there at any load; third-order intermodulation grows by 3 dB with
    every dB of power, so it shows from about 80% on and is below the floor when the cell is idle.
    None for a cell without traffic. Tells kpi.traffic and kpi.idle_noise; from 80% on kpi.noise.
    """
    found = locate(db, cell_id)
    if found is None or found.kind != "cell" or found.site is None:
        raise ToolError(f"no such cell; {cell_id!r}; give the id of a cell")
    sample = _cell_sample(db, found.site, found.thing)
    i = found.sector
    if not sample.bits[f"kpi.traffic.{i}"]:
        return None
    if sample.bits[f"kpi.idle_noise.{i}"]:
        interference = INTERFERENCE_DBM
    elif sample.bits[f"kpi.noise.{i}"]:
        interference = INTERFERENCE_DBM + 30 * math.log10(max(downlink_pct, 1.0) / 100)
    else:
        interference = -math.inf
    return noise_dbm(sample, interference, f"noise at {downlink_pct:g}")


def _cell_report(
    db: RanDB, site: Site, cell: Cell, wanted: Sequence[str], hours: int
) -> dict[str, Any]:
    sample = _cell_sample(db, site, cell)
    report = {"object": cell.id, "period_s": PERIOD_S, "counters": _values(sample, wanted)}
    if hours >= 2:
        report["usual"] = _values(_healthy(sample, cell.sector), wanted)
    return report


def _cell_sample(db: RanDB, site: Site, cell: Cell) -> Sample:
    def make() -> Sample:
        load = hour_load(db, site, cell.id)
        return Sample(db, site, cell.id, cell.rat, load, observe(db)[site.id], db.clock_min)

    return recall(db, ("sample", cell.id), make)


def _site_sample(db: RanDB, site: Site) -> Sample:
    return Sample(db, site, site.id, "", 0.0, observe(db)[site.id], db.clock_min)


def _healthy(sample: Sample, sector: int) -> Sample:
    """The same cell with traffic and without any fault, a week ago."""
    well = {f"kpi.up.{sector}": 1, f"kpi.traffic.{sector}": 1}
    bits = {name: well.get(name, 0) for name in sample.bits}
    return dataclasses.replace(sample, bits=bits, when=sample.when - WEEK_MIN)


def _values(sample: Sample, names: Sequence[str]) -> dict[str, Value]:
    return {name: value(sample, name) for name in names}
