"""Counters: each tells its effects and nothing else, adds up, and is read alike every time."""

from __future__ import annotations

import itertools
import random

import pytest
from bs_harness import TOPOLOGIES, broken, compositions
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.atoms import atoms, exclusive
from telejudge_envs.base_station.formulas import drb_accessibility, prb_noise_dbm, ratio
from telejudge_envs.base_station.kpi_table import (
    CELL_KPIS,
    COUNTERS,
    HO_SUCCESS,
    KPI_NAMES,
    SITE_KPIS,
    kpi_effects,
    out_of_limits,
)
from telejudge_envs.base_station.kpi_values import NIGHT_LOAD, dc_volts, normal_load
from telejudge_envs.base_station.kpis import (
    cell_counters,
    kpi_effects_of,
    kpis,
    uplink_noise_dbm,
)
from telejudge_envs.base_station.layout import Topology
from telejudge_envs.base_station.observe import forget, observe
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import ToolError

SIGNS = {
    "R5": "RRU.PrbTotDl",
    "T2": "DRB.UEThpDl",
    "F2": "DRB.UEThpDl",
    "R1": "MM.HoExeInterSucc",
    "R2": "HO.IntraSys.TooLate",
    "A3": "L1M.ATADist",
    "A1": "L1M.SS-RSRP",
    "A4": "X.ULNoise",
    "R4": "X.ULNoise",
    "B4": "RACH.PreambleACell",
    "R6": "X.CellUnavailableTime",
    "F3": "X.CellUnavailableTime",
}
"""The counter that a fault must push over its limit in its sector."""

PAIRS = (
    ("RRC.ConnEstabSucc", "RRC.ConnEstabAtt"),
    ("UECNTX.ConnEstabSucc", "UECNTX.ConnEstabAtt"),
    ("DRB.EstabSucc", "DRB.EstabAtt"),
    ("MM.HoExeInterSucc", "MM.HoExeInterReq"),
)


def cell(db: RanDB, sector: int) -> str:
    return db.sites[db.focus].cells[sector - 1].id


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 5000),
    topology=st.sampled_from(TOPOLOGIES),
    hour=st.integers(0, 23),
    later=st.integers(0, 600),
)
def test_jitter_of_a_healthy_network_never_crosses_a_limit(
    seed: int, topology: Topology, hour: int, later: int
) -> None:
    db = broken(seed=seed, topology=topology, hour=hour)
    db.clock_min += later
    for site in db.sites:
        report = kpis(db, site)
        assert out_of_limits(report["counters"]) == ()
        assert all(out_of_limits(counters) == () for counters in report["cells"].values())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("fault", "counter"), SIGNS.items())
def test_each_fault_pushes_its_counter_over_the_limit(fault: str, counter: str, seed: int) -> None:
    atom = fault if fault == "T2" else f"{fault}.2"
    db = broken(atom, seed=seed, topology=TOPOLOGIES[seed])
    assert counter in out_of_limits(cell_counters(db, cell(db, 2)))
    if "." in atom:
        assert out_of_limits(cell_counters(db, cell(db, 1))) == ()


def test_a_sleeping_cell_is_available_and_has_no_traffic() -> None:
    """US8095075: no alarm, no random access, neighbours normal."""
    db = broken("B4.1")
    counters = cell_counters(db, cell(db, 1))
    assert (counters["RACH.PreambleACell"], counters["X.CellUnavailableTime"]) == (0, 0)
    assert (cell_counters(db, cell(db, 2))["RACH.PreambleACell"] or 0) > 50


@settings(max_examples=120, deadline=None)
@given(compositions(), st.integers(0, 400), st.sampled_from(TOPOLOGIES))
def test_counts_add_up_and_a_dark_cell_counts_nothing(
    chosen: tuple[str, ...], seed: int, topology: Topology
) -> None:
    """Section 7: Succ <= Att; a cell that is down has no RRC, no RACH and 900 s of outage."""
    db = broken(*chosen, seed=seed, topology=topology)
    bits = observe(db)[db.focus]
    for one in db.sites[db.focus].cells:
        counters = cell_counters(db, one.id)
        for done, asked in PAIRS:
            assert 0 <= (counters[done] or 0) <= (counters[asked] or 0)
        if not bits[f"cell_up.{one.sector}"]:
            assert counters["RRC.ConnEstabAtt"] == counters["RACH.PreambleACell"] == 0
            assert counters["X.CellUnavailableTime"] == 900
        elif bits["reach"]:
            assert counters["X.CellUnavailableTime"] == 0
        access = drb_accessibility(*[(counters[a] or 0, counters[b] or 0) for a, b in PAIRS[:3]])
        assert 0.95 < access <= 1.0


def cases() -> list[tuple[str, ...]]:
    pairs = [p for p in itertools.combinations(atoms(), 2) if not exclusive(*p)]
    near = [p for p in pairs if all(a.endswith(".1") or "." not in a for a in p)]
    return [(), *((a,) for a in atoms()), *random.Random(3).sample(near, 150)]


@pytest.mark.parametrize("name", [*KPI_NAMES, "all of a cell", "all of a site", "other site"])
def test_a_counter_tells_its_effects_and_nothing_else(name: str) -> None:
    found: dict[tuple[int, ...], set[str]] = {}
    for chosen in cases():
        db = broken(*chosen, seed=11, topology="star", holdover_lost=True)
        about = {"other site": list(db.sites)[-1], "all of a site": db.focus}.get(name, cell(db, 1))
        about = db.focus if name in SITE_KPIS else about
        names = [name] if name in KPI_NAMES else []
        bits = observe(db)[db.focus]
        told = tuple(bits[effect] for effect in kpi_effects_of(db, about, names))
        found.setdefault(told, set()).add(str(kpis(db, about, names, hours=2)))
    assert len(found) > 1
    assert all(len(texts) == 1 for texts in found.values()), "more is shown than told"
    assert len({next(iter(t)) for t in found.values()}) == len(found), "less is shown than told"


def test_effects_of_a_sector_and_of_the_site() -> None:
    assert kpi_effects(2, ("RRU.PrbTotDl",)) == ("reach", "kpi.traffic.2", "kpi.full.2")
    assert kpi_effects(0, ("PEE.Voltage",)) == ("reach", "alarm.BATTERY_DISCHARGING")
    known = set(observe(broken())[broken().focus])
    assert {e for i in (1, 2, 3) for e in kpi_effects(i, KPI_NAMES)} <= known


def test_a_silent_node_has_no_counters() -> None:
    db = broken("B1")
    expected = {"site": db.focus, "status": "NE_UNREACHABLE"}
    assert kpis(db, cell(db, 1)) == kpis(db, db.focus, ["PEE.Voltage"]) == expected


def test_an_identical_reading_is_identical_and_a_later_one_is_not() -> None:
    db = broken()
    first = kpis(db, cell(db, 1))
    forget(db)
    assert kpis(db, cell(db, 1)) == first
    db.clock_min += 1
    assert kpis(db, cell(db, 1)) != first
    assert str(kpis(broken(), cell(db, 1))) == str(first)


def test_usual_values_are_those_of_a_healthy_cell_whatever_is_wrong_now() -> None:
    sick, well = broken("R5.1", "R1.1", "A4.1"), broken()
    usual = kpis(sick, cell(sick, 1), hours=24)["usual"]
    assert usual == kpis(well, cell(well, 1), hours=24)["usual"]
    assert out_of_limits(usual) == ()
    assert "usual" not in kpis(well, cell(well, 1), hours=1)


def test_nights_are_quiet() -> None:
    day, night = broken(hour=12), broken(hour=3)
    ratio_of_prbs = (cell_counters(night, cell(night, 1))["RRU.PrbTotDl"] or 0) / (
        cell_counters(day, cell(day, 1))["RRU.PrbTotDl"] or 1
    )
    assert ratio_of_prbs == pytest.approx(NIGHT_LOAD, abs=0.15)
    assert 0.2 <= normal_load(day, cell(day, 1)) <= 0.65


@pytest.mark.parametrize("rat", ["NR", "LTE"])
def test_intermodulation_follows_the_load_and_interference_does_not(rat: str) -> None:
    """Third order: 3 dB for each dB of power; from outside: as loud when the cell is idle."""
    sector = 1 if rat == "NR" else 3
    limit = COUNTERS["X.ULNoise"].limit
    noise: dict[str, tuple[float, float]] = {}
    for fault in ("A4", "R4", "R1"):
        db = broken(f"{fault}.{sector}", topology="mixed")
        idle = uplink_noise_dbm(db, cell(db, sector), 5)
        full = uplink_noise_dbm(db, cell(db, sector), 90)
        assert idle is not None
        assert full is not None
        noise[fault] = (idle, full)
    floor = prb_noise_dbm(rat)
    assert noise["A4"][0] < floor + 3
    assert noise["A4"][1] > limit
    assert min(noise["R4"]) > limit
    assert max(noise["R1"]) < floor + 3


def test_a_dark_cell_has_no_noise_to_measure() -> None:
    db = broken("F3.1")
    assert uplink_noise_dbm(db, cell(db, 1), 90) is None


def test_handover_success_is_judged_by_the_ratio() -> None:
    assert out_of_limits({"MM.HoExeInterReq": 100, "MM.HoExeInterSucc": 89}) == (
        "MM.HoExeInterSucc",
    )
    assert out_of_limits({"MM.HoExeInterReq": 100, "MM.HoExeInterSucc": 100 * HO_SUCCESS}) == ()
    assert out_of_limits({"MM.HoExeInterReq": 0, "MM.HoExeInterSucc": 0}) == ()
    assert ratio(0, 0) == 1.0


def test_the_battery_falls_to_the_point_of_disconnection() -> None:
    db = broken("P1")
    site = db.sites[db.focus]
    volts = []
    for hour in range(0, 15, 2):
        db.clock_min = db.started_min + 60 * hour
        volts.append(dc_volts(db, site, True))
    assert volts[:4] == sorted(volts[:4], reverse=True)
    assert volts[0] - volts[3] > 2
    assert 49 < volts[0] < 51
    assert volts[-1] == pytest.approx(site.power.lvd_v, abs=0.3)
    assert dc_volts(db, site, False) > 53


def test_unknown_counters_and_objects_are_refused_with_what_there_is() -> None:
    db = broken()
    with pytest.raises(ToolError, match=r"X\.Nothing.*RRC\.ConnEstabAtt"):
        kpis(db, cell(db, 1), ["X.Nothing"])
    with pytest.raises(ToolError, match=r"PEE\.Voltage"):
        kpis(db, cell(db, 1), ["PEE.Voltage"])
    with pytest.raises(ToolError, match="cell or a site"):
        kpis(db, f"{db.focus}-R1")


def test_a_counter_is_of_a_cell_or_of_the_site() -> None:
    assert set(CELL_KPIS).isdisjoint(SITE_KPIS)
