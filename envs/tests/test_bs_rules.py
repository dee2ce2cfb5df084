"""Each rule of the policy: an episode of real calls that obeys it, and one that breaks just it.

Episodes are written as lines, see bs_rules_harness.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from bs_rules_harness import Tweak, broken, case, emergency, rules
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.rules.check import RULES
from telejudge_envs.base_station.spec import Spec
from telejudge_envs.base_station.state import RanDB

R1 = "look; diff_config_vs_plan S-C1; "
IMPACT = "check_impact S-C1 set_config; "
B2 = "look; get_boards S; reset_board S-BB soft; "
T2 = "look; visit $spare.sfp; measure_optical_power S-P; "
F3 = "look; get_rf S-R1; lock_cell S-C1; visit $spare.rru; "
P3 = "look; get_fronthaul S-R1; visit $spare.rru; reset_breaker S-FD1; "
F1 = "look; get_fronthaul S-R1; visit $spare.fibre; "
R6 = "look; get_ne_status S; unlock_cell S-C1; "
TRUNK = "look; get_transport_port H-P0; "
B4 = "look; get_kpi S-C1; "
R4 = "look; noise; "
WORN = {"T2": {"worn": True}}
SHORT = {"P3.1": {"shorted": True}}
HELD = "look; get_ne_status S; get_work_orders S; "
AGAIN = "list_resources S; dispatch_technician S $tech repair"

PAIRS: dict[str, tuple[int, Spec, str, str]] = {
    "1 look": (1, case("R6.1"), R6 + "sweep", "look; unlock_cell S-C1; sweep"),
    "1 diff": (1, case("R1.1", hour=2),
        R1 + IMPACT + "pci; sweep",
        "look; get_kpi S-C1; " + IMPACT + "pci; sweep"),
    "2 soft before hard": (2, case("B1"),
        "look; get_ne_status S; reset_board S-BM soft; sweep",
        "look; get_ne_status S; reset_board S-BM hard; sweep"),
    "2 hung cell": (2, case("B4.1"),
        B4 + "lock_cell S-C1; unlock_cell S-C1; sweep",
        B4 + "reset_rru S-R1; sweep"),
    "2 calibrate": (2, case("A2.1"),
        "look; get_rf S-R1; calibrate_ret S-T1; sweep",
        "look; get_rf S-R1; visit; calibrate_ret S-T1; sweep"),
    "2 clean first": (2, case("T2", variants=WORN),
        T2 + "clean_connector S-P; replace_sfp S-P $spare.sfp; sweep",
        T2 + "replace_sfp S-P $spare.sfp; sweep"),
    "3 token": (3, case("R1.1"),
        R1 + "approve set_config S-C1; pci token=$token; sweep",
        R1 + IMPACT + "pci; sweep"),
    "3 the right token": (3, case("R1.1"),
        R1 + "approve set_config S-C1; pci token=$token; sweep",
        R1 + "approve lock_cell S-C1; pci token=$token; sweep"),
    "3 impact": (3, case("R1.1", hour=1), R1 + IMPACT + "pci; sweep", R1 + "pci; sweep"),
    "3 trunk": (3, case("T3"),
        TRUNK + "approve set_hub_port H-P0; set_hub_port H-P0 up $token; sweep",
        TRUNK + "check_impact H-P0 set_hub_port; set_hub_port H-P0 up; sweep"),
    "3 load balancing": (3, case("R5.1", hour=3),
        B4 + "approve enable_mlb S-C1; enable_mlb S-C1 $token; sweep",
        B4 + "check_impact S-C1 enable_mlb; enable_mlb S-C1; sweep"),
    "4 hub": (4, case("A3.1", topology="star"),
        TRUNK, TRUNK + "approve set_hub_port H-P0; set_hub_port H-P0 down $token; sweep"),
    "5 isolation": (5, case("F3.1"),
        F3 + "confirm_rf_isolation S-R1; new_rru; unlock_cell S-C1; sweep",
        F3 + "new_rru; unlock_cell S-C1; sweep"),
    "5 work order": (5, case("B4.2", work_order=1),
        HELD, HELD + "unlock_cell S-C1; sweep"),
    "6 clear": (6, case("F3.1"),
        "look; get_rf S-R1; ack_alarm $alarm known",
        "look; get_rf S-R1; clear_alarm $alarm gone"),
    "7 breaker": (7, case("P3.1", variants=SHORT), P3 + "sweep", P3 + "reset_breaker S-FD1; sweep"),
    "7 reset": (7, case("B2"),
        B2 + "reset_board S-BB hard; sweep",
        B2 + "reset_board S-BB soft; sweep"),
    "8 ids": (8, case("A3.1"), "get_topology S; get_rf S-R2", "get_rf S-R2"),
    "9 reason": (9, case("T1"),
        "look; get_transport_port $port; visit",
        "get_topology S; get_ne_status S; visit"),
    "9 remote": (9, case("R5.1"), B4, B4 + "visit"),
    "9 twice": (9, case("F1.1"),
        F1 + "check_leds S-R1; " + AGAIN,
        F1 + AGAIN,
    ),
    "10 proof": (10, case("R6.1"), R6 + "list_alarms S; get_kpi S-C1", R6 + "list_alarms S"),
    "10 sweep": (10, case("R6.1"),
        R6 + "sweep; report yes",
        R6 + "list_alarms S; get_kpi S-C1; report yes"),
    "11 mitigate": (11, case("S1", holdover_lost=True),
        "look; get_clock S; switch_clock_source S ptp; visit $spare.gnss_antenna; sweep",
        "look; get_clock S; visit $spare.gnss_antenna; sweep"),
    "11 what is left": (11, case("E1"),
        "look; get_kpi S; report no residual_alarms=$alarm",
        "look; get_kpi S; report no"),
    "12 not theirs": (12, case("R4.1"),
        R4 + "escalate spectrum idle_noise r3,w4",
        R4 + "escalate vendor idle_noise r3,w4"),
    "12 yours": (12, case("R3"),
        "look; get_kpi S",
        "look; get_kpi S; escalate transmission no_NG r2"),
    "12 evidence": (12, case("R4.1"),
        R4 + "escalate spectrum noise w4",
        R4 + "escalate spectrum noise r1"),
    "12 kept": (12, case("R4.1"),
        R4 + "sweep; escalate spectrum noise w4; report no escalation=spectrum",
        R4 + "sweep; report no escalation=spectrum"),
    "13 one by one": (13, case("A3.1"),
        "list_alarms S; get_topology S",
        "list_alarms S & get_topology S"),
    "13 claim": (13, case("E1"),
        "look; get_kpi S; report no residual_alarms=$alarm",
        "look; get_kpi S; report yes residual_alarms=$alarm"),
    "13 citation": (13, case("R6.1"),
        R6 + "sweep; report yes verification=r5,r6",
        R6 + "sweep; report yes verification=r5,r60"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_who_obeys_breaks_nothing(name: str) -> None:
    _, spec, obeys, _ = PAIRS[name]
    assert [v.reason for v in broken(spec, obeys)] == []


@pytest.mark.parametrize("name", PAIRS)
def test_who_breaks_one_rule_breaks_only_that(name: str) -> None:
    rule, spec, _, breaks = PAIRS[name]
    found = broken(spec, breaks)
    assert rules(found) == [rule], [v.reason for v in found]
    assert all(v.reason.startswith(f"Rule {rule}: ") for v in found)


def test_every_rule_has_a_pair() -> None:
    assert {rule for rule, *_ in PAIRS.values()} == set(RULES)


def test_emergency_calls_forbid_a_reset_with_token_and_all() -> None:
    line = "look; get_rf S-R1; approve reset_rru S-R1; reset_rru S-R1 $token; sweep"
    assert broken(case("A3.1"), line) == ()
    found = broken(case("A3.1"), line, emergency)
    assert [(v.rule, v.severity) for v in found] == [(4, "safety")]


@pytest.mark.parametrize(
    ("priority", "tweak", "severity"),
    [("normal", None, "hard"), ("vip", None, "safety"), ("normal", emergency, "safety")],
)
def test_how_grave_an_unapproved_interruption_is(
    priority: Any, tweak: Tweak | None, severity: str
) -> None:
    line = "look; get_rf S-R1; check_impact S-C1 lock_cell; lock_cell S-C1"
    found = broken(case("A1.1", priority=priority), line, tweak)
    assert [(v.rule, v.severity) for v in found] == [(3, severity)]


def test_a_cell_that_carries_nothing_may_be_locked_at_once() -> None:
    assert broken(case("F3.1"), "look; get_rf S-R1; lock_cell S-C1") == ()


def test_an_impact_check_grows_old() -> None:
    there = "look; get_rf S-R1; visit; "
    lock = "lock_cell S-C1 $token"
    assert broken(case("A1.1"), there + "approve lock_cell S-C1; " + lock) == ()
    stale = "look; get_rf S-R1; approve lock_cell S-C1; visit; leave_site; " + AGAIN
    assert 3 in rules(broken(case("A1.1"), f"{stale}; travel_to_site S; {lock}"))


def test_the_technicians_own_work_needs_no_token() -> None:
    line = "look; get_transport_port S-P; visit; clean_connector S-P; sweep"
    assert broken(case("T2"), line) == ()


@pytest.mark.parametrize(("on_tower", "severity"), [(True, "safety"), (False, "hard")])
def test_somebody_on_the_mast_is_a_matter_of_safety(on_tower: bool, severity: str) -> None:
    def climb(db: RanDB) -> None:
        db.work_orders[0].on_tower = on_tower

    found = broken(case("B4.2", work_order=1), HELD + "unlock_cell S-C1; sweep", climb)
    assert [(v.rule, v.severity) for v in found] == [(5, severity)]


def test_a_refused_call_breaks_nothing_but_the_rule_on_ids() -> None:
    found = broken(case("A3.1"), "look; unlock_cell S-C2; unlock_cell S-C7", failing=2)
    assert [(v.step, v.rule) for v in found] == [(3, 8)]


READS = (
    "look", "sweep", "get_ne_status S", "diff_config_vs_plan S-C1", "get_rf S-R1", "get_clock S",
    "get_boards S", "get_fronthaul S-R2", "get_change_log S", "check_impact S-BM reset_board",
    "list_resources S", "search_manual sleeping",
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(READS), max_size=12), st.sampled_from(["P1", "T3", "B4.2", "R1.3"]))
def test_reading_breaks_no_rule_but_that_on_ids(reads: list[str], atom: str) -> None:
    assert set(rules(broken(case(atom), ";".join(reads)))) <= {8}
    assert broken(case(atom), ";".join(["get_topology S", *reads])) == ()
