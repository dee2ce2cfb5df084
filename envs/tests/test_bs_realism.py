"""The world's numbers against textbooks and standards."""

from __future__ import annotations

import math

import pytest
from bs_harness import broken
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station import formulas
from telejudge_envs.base_station.alarm_table import VSWR_MAJOR
from telejudge_envs.base_station.alarms import active
from telejudge_envs.base_station.atoms import inject
from telejudge_envs.base_station.cabinet import Clock
from telejudge_envs.base_station.faults import CPRI_SENSITIVITY_DBM, SENSITIVITY_DBM, VSWR_MINOR
from telejudge_envs.base_station.kpi_table import COUNTERS, PERIOD_S
from telejudge_envs.base_station.kpis import cell_counters, kpis
from telejudge_envs.base_station.observe import forget, observe


@pytest.mark.parametrize(
    ("vswr", "return_loss", "share"),
    [(1.5, 13.98, 0.04), (2.0, 9.54, 0.111), (3.0, 6.02, 0.25)],
)
def test_vswr(vswr: float, return_loss: float, share: float) -> None:
    """Transmission line textbook: Γ=(V-1)/(V+1), RL=-20 lg Γ."""
    assert formulas.reflection(vswr) == pytest.approx((vswr - 1) / (vswr + 1))
    assert formulas.return_loss_db(vswr) == pytest.approx(return_loss, abs=0.005)
    assert formulas.reflected_share(vswr) == pytest.approx(share, abs=0.0005)


def test_vswr_alarm_levels() -> None:
    """Huawei ALM-26529: minor above 2.0, major above 3.0. Healthy lines stay well below."""
    assert (VSWR_MINOR, VSWR_MAJOR) == (2.0, 3.0)
    db = broken()
    assert all(1.0 < line.vswr < 1.5 for line in db.sites[db.focus].lines)
    inject(db, "A1.2")
    (alarm,) = active(db)
    shown = formulas.return_loss_db(db.sites[db.focus].lines[1].vswr)
    assert f"return loss {shown:.1f} dB" in alarm.specificProblem


@pytest.mark.parametrize(
    ("bandwidth", "figure", "dbm"),
    [(180e3, 4, -117.4), (360e3, 5, -113.4), (98.28e6, 5, -89.1)],
)
def test_thermal_noise(bandwidth: float, figure: float, dbm: float) -> None:
    """-174 + 10 lg B + NF (Følstad & Helvik, DRCN 2011, and any textbook)."""
    assert formulas.thermal_noise_dbm(bandwidth, figure) == pytest.approx(dbm, abs=0.05)


def test_noise_rise() -> None:
    """10 lg(1 + 10^(Δ/10)) (Følstad & Helvik): 3 dB at the floor, nearly Δ far above it."""
    assert formulas.noise_rise_db(0) == pytest.approx(3.01, abs=0.01)
    assert formulas.noise_rise_db(20) == pytest.approx(20.04, abs=0.01)
    assert formulas.noise_rise_db(-20) == pytest.approx(0.04, abs=0.01)


@pytest.mark.parametrize(("sector", "rat"), [(1, "NR"), (3, "LTE")])
def test_uplink_noise_of_the_world(sector: int, rat: str) -> None:
    """Operator practice for LTE (CSDN 78722867): -105 dBm per resource block is severe. A quiet
    cell reads its thermal floor, an interfered one floor plus rise."""
    db = broken(topology="mixed")
    cell = db.sites[db.focus].cells[sector - 1]
    assert cell.rat == rat
    floor = formulas.prb_noise_dbm(rat)
    quiet = cell_counters(db, cell.id)["X.ULNoise"]
    inject(db, f"R4.{sector}")
    forget(db)
    loud = cell_counters(db, cell.id)["X.ULNoise"]
    assert quiet is not None
    assert loud is not None
    assert floor <= quiet <= floor + 1.6
    assert loud > COUNTERS["X.ULNoise"].limit == -105 > quiet


def test_receive_imbalance() -> None:
    """Ruckus alarm 805 and Ericsson's default: 6 dB between branches. The two ends of a healthy
    CPRI link differ by less."""
    assert formulas.RX_IMBALANCE_DB == 6.0
    for seed in range(30):
        db = broken(seed=seed)
        for rru in db.sites[db.focus].rrus:
            assert abs(rru.rx_bbu_dbm - rru.rx_rru_dbm) < formulas.RX_IMBALANCE_DB


def test_sctp_timers() -> None:
    """RFC 4960 §15: RTO from 1 s doubles to 60 s; 5 retries of a path, 10 of an association."""
    assert formulas.sctp_failure_s(5) == 63
    assert formulas.sctp_failure_s(10) == 363
    db = broken()
    inject(db, "T5")
    assert any("63 s" in alarm.specificProblem for alarm in active(db))


def test_sctp_with_short_timers_fails_within_seconds() -> None:
    """Ericsson's defaults: RTO 100 to 400 ms, 8 retries."""
    assert formulas.sctp_failure_s(8, rto_s=0.1, rto_max_s=0.4) == pytest.approx(3.1)


@pytest.mark.parametrize(("fault", "sctp"), [("T5", True), ("R3", False)])
def test_ng_setup_comes_after_the_transport_is_up(fault: str, sctp: bool) -> None:
    """TS 38.413 §8.7.1 and open5gs issue 634: NG Setup is the first message once the TNL is up,
    and the AMF turns down an unknown tracking area or PLMN. So R3 has SCTP up, T5 does not."""
    db = broken()
    inject(db, fault)
    bits = observe(db)[db.focus]
    assert bits["alarm.NG_FAULT"] == 1
    assert bits["alarm.SCTP_FAULT"] == int(sctp)
    assert bits["cell_up.1"] == 0


def test_clock_limits() -> None:
    """TS 38.133 §7.4 (3 µs between cells), half of it for each."""
    assert formulas.PHASE_LIMIT_US == 1.5


@pytest.mark.parametrize(("error", "hours"), [(1e-11, 41.7), (1e-10, 4.2)])
def test_clock_holdover(error: float, hours: float) -> None:
    """Phase is the integral of frequency: 1.5 µs / δf."""
    assert formulas.holdover_hours(error) == pytest.approx(hours, abs=0.05)


def test_the_clock_of_the_world_holds_over_like_a_good_oscillator() -> None:
    """The same 1.5 µs / δf with 1e-11: about 2,500 minutes, after which the cells stop."""
    clock = Clock()
    assert clock.holdover_min == pytest.approx(60 * formulas.holdover_hours(1e-11), abs=1)
    db = broken(topology="gnss_only")
    inject(db, "S1")
    assert observe(db)[db.focus]["cell_up.1"] == 1
    db.clock_min += clock.holdover_min
    bits = observe(db)[db.focus]
    assert bits["alarm.LOSS_OF_SYNCHRONIZATION"] == 1
    assert bits["cell_up.1"] == 0


def test_battery_formula() -> None:
    """t = C·V·DoD·η/P (textbook): 200 Ah, 48 V, 0.8, 0.95, 3 kW."""
    assert formulas.battery_hours(200, 3000) == pytest.approx(2.43, abs=0.005)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_batteries_of_the_world(seed: int) -> None:
    """GlobalSpec: at least 4 h of backup at cell sites, plant from 40 to 56 V. Adtran 61180043L2:
    alarm at 42 V, disconnection at 39 V; ours disconnects a little earlier, which spares cells."""
    db = broken(seed=seed)
    power = db.sites[db.focus].power
    hours = formulas.battery_hours(power.battery_ah, power.load_w, soc=power.battery_soc)
    assert hours >= formulas.BACKUP_HOURS
    low, high = formulas.PLANT_VOLTS
    assert low <= power.lvd_v <= high
    for fault in ("", "P1"):
        if fault:
            inject(db, fault)
            forget(db)
        volts = kpis(db, db.focus, ["PEE.Voltage"])["counters"]["PEE.Voltage"]
        assert low <= volts <= high


def test_a_site_without_mains_goes_dark_when_the_battery_is_empty() -> None:
    """The same formula decides when the node falls silent."""
    db = broken()
    inject(db, "P1")
    power = db.sites[db.focus].power
    hours = formulas.battery_hours(power.battery_ah, power.load_w, soc=power.battery_soc)
    silent = []
    for minutes in (60 * hours - 1, 60 * hours + 1):
        db.clock_min = db.started_min + math.ceil(minutes)
        silent.append(any(a.probableCause == "COMMERCIAL_POWER_FAILURE" for a in active(db)))
    assert silent == [True, False]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_optics(seed: int) -> None:
    """IEEE 802.3 clause 52, 10GBASE-LR: receivers need about -14.4 dBm. Healthy links have margin,
    the injected -17 and -16.5 dBm do not."""
    assert SENSITIVITY_DBM == CPRI_SENSITIVITY_DBM == -14.4
    db = broken(seed=seed)
    site = db.sites[db.focus]
    assert site.port.sfp_rx_dbm > SENSITIVITY_DBM + 3
    assert all(min(r.rx_bbu_dbm, r.rx_rru_dbm) > CPRI_SENSITIVITY_DBM + 3 for r in site.rrus)
    inject(db, "T2")
    inject(db, "F2.1")
    assert site.port.sfp_rx_dbm < SENSITIVITY_DBM
    assert site.rrus[0].rx_bbu_dbm < CPRI_SENSITIVITY_DBM


def test_far_edge_of_the_beam() -> None:
    """Geometry h/tan(tilt - beam/2): 30 m, 6° and a beam of 6° reach 572 m; at 2° the upper edge
    looks over the horizon."""
    assert formulas.far_edge_m(30, 6, 6) == pytest.approx(572, abs=0.5)
    assert formulas.far_edge_m(30, 2, 6) == math.inf


def test_a_tilt_far_below_plan_lets_the_cell_overshoot() -> None:
    """The same geometry: at the injected 0° the beam reaches the horizon, and ATADist shows it."""
    db = broken()
    cell = db.sites[db.focus].cells[0].id
    before = cell_counters(db, cell)["L1M.ATADist"]
    inject(db, "A3.1")
    forget(db)
    after = cell_counters(db, cell)["L1M.ATADist"]
    assert formulas.far_edge_m(30, db.sites[db.focus].rets[0].tilt, 6) == math.inf
    assert all(db.plan[f"{db.focus}-T{i}.tilt"] > 3 for i in (1, 2, 3))
    assert before is not None
    assert after is not None
    assert after > 2 * before


def test_drb_accessibility() -> None:
    """TS 28.554 §6.2.4: the product of RRC, NG signalling and DRB set-up success."""
    assert formulas.drb_accessibility((99, 100), (98, 100), (50, 50)) == pytest.approx(0.9702)
    assert formulas.drb_accessibility((0, 0), (0, 0), (0, 0)) == 1.0


def test_availability() -> None:
    """TS 32.450 §6.4.1: (900 n - Σ unavailable)/900 n."""
    assert formulas.availability([0, 0, 900, 450]) == pytest.approx(0.625)
    db = broken()
    inject(db, "B2")
    cell = db.sites[db.focus].cells[0].id
    gone = cell_counters(db, cell)["X.CellUnavailableTime"]
    assert gone == PERIOD_S
    assert formulas.availability([gone or 0]) == 0.0
