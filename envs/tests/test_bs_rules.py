"""Each rule of the policy: an episode of real calls that obeys it, and one that breaks just it.

In calls `S` stands for the site under test, `H` for its hub; `$x` for what the episode gave so far
(see `_said`). A list of calls is one message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.alarms import active
from telejudge_envs.base_station.episode import BaseStationEpisode
from telejudge_envs.base_station.retrace import retrace, rule_steps, task_info
from telejudge_envs.base_station.rules.check import RULES, violations
from telejudge_envs.base_station.rules.record import Violation
from telejudge_envs.base_station.spec import Spec, build
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.tasks import as_task
from telejudge_envs.nouns.message import Message, ToolCall

Call = tuple[str, dict[str, Any]]
Tweak = Callable[[RanDB], None]


def case(*atoms: str, **more: Any) -> Spec:
    more.setdefault("hour", 10)
    return Spec(id="bs-train-00007", split="train", seed=7, level=1, atoms=atoms, **more)


def opened(spec: Spec, tweak: Tweak | None) -> BaseStationEpisode:
    db = build(spec)
    if tweak is not None:
        tweak(db)
    return BaseStationEpisode(as_task(spec, "solo"), spec, db, 0, None)


def broken(spec: Spec, calls: Iterable[Call | list[Call]], tweak: Tweak | None = None,
           *, failing: int = 0) -> tuple[Violation, ...]:  # fmt: skip
    """Play the calls, then put the rules to a replay; `failing`: calls that the world refuses."""
    live = opened(spec, tweak)
    messages: list[Message] = []
    failed = 0
    for turn in calls:
        made = []
        for tool, arguments in turn if isinstance(turn, list) else [turn]:
            call = ToolCall(
                id=f"c{len(messages)}.{len(made)}", name=tool, arguments=_said(live.db, arguments)
            )
            failed += live.call(call).error
            made.append(call)
        messages.append(Message(role="assistant", tool_calls=tuple(made)))
    assert failed == failing
    steps = rule_steps(retrace(opened(spec, tweak), messages))
    return violations(steps, task_info(as_task(spec, "solo").view, messages))


def _said(db: RanDB, value: Any) -> Any:
    """The calls' own short names, resolved as an agent would by what it has read."""
    if isinstance(value, dict):
        return {k: _said(db, v) for k, v in value.items()}
    if isinstance(value, list):
        return [_said(db, v) for v in value]
    if not isinstance(value, str):
        return value
    if value.startswith("$spare."):
        return next(s.id for s in db.spares if s.type == value[7:] and not s.used)
    if value.startswith("$plan."):
        return str(db.plan[_said(db, value[6:])])
    known = {
        "S": db.focus,
        "H": db.hub.id,
        "$token": db.tokens[-1].id if db.tokens else "",
        "$tech": db.technicians[0].id,
        "$alarm": next((a.alarmId for a in active(db) if a.siteId == db.focus), ""),
        "$port": db.links[db.focus].a,
    }
    head, dash, tail = value.partition("-")
    return known[value] if value in known else known.get(head, head) + dash + tail


def rules(found: Iterable[Violation]) -> list[int]:
    return sorted({v.rule for v in found})


def do(tool: str, **arguments: Any) -> Call:
    return tool, arguments


LOOK = [do("get_topology", object_id="S"), do("list_alarms", scope_id="S")]
SWEEP = [do("list_alarms", scope_id="S"), do("get_kpi", object_id="S")]


def approved(action: str, object_id: str) -> list[Call]:
    return [
        do("check_impact", object_id=object_id, action=action),
        do("request_approval", action=action, object_id=object_id, reason="repair"),
    ]


def visit(*parts: str) -> list[Call]:
    return [
        do("list_resources", site_id="S"),
        do("dispatch_technician", site_id="S", technician_id="$tech", task="repair",
           parts=[f"$spare.{p}" for p in parts]),
        do("travel_to_site", site_id="S"),
    ]  # fmt: skip


def report(**changed: Any) -> Call:
    given = {
        "root_causes": [],
        "actions": [],
        "restored": False,
        "residual_alarms": [],
        "escalation": [],
        "verification": [],
    }
    return do("submit_resolution_report", **{**given, **changed})


STATUS = do("get_ne_status", site_id="S")
UNLOCK = do("unlock_cell", cell_id="S-C1")
RIGHT_PCI = {"object_id": "S-C1", "attribute": "nrPci", "value": "$plan.S-C1.nrPci"}
DIFF = do("diff_config_vs_plan", object_id="S-C1")
NEW_RRU = do("replace_module", type="rru", slot="S-R1", spare_id="$spare.rru")
RF = do("get_rf", rru_id="S-R1")
LOCK = do("lock_cell", cell_id="S-C1")
ISOLATE = do("confirm_rf_isolation", rru_id="S-R1")
CLOSE = do("reset_breaker", feed="S-FD1")
NOISE = [do("get_kpi", object_id="S-C1"), do("run_load_step", cell_id="S-C1", pct=80)]


def emergency(db: RanDB) -> None:
    db.sites[db.focus].cells[0].ue_emergency = 1


PAIRS: dict[str, tuple[int, Spec, list[Any], list[Any]]] = {
    "1 look": (
        1,
        case("R6.1"),
        [*LOOK, STATUS, UNLOCK, *SWEEP],
        [*LOOK, UNLOCK, *SWEEP],
    ),
    "1 diff": (
        1,
        case("R1.1", hour=2),
        [*LOOK, DIFF, do("check_impact", object_id="S-C1", action="set_config"),
         do("set_config", **RIGHT_PCI), *SWEEP],
        [*LOOK, do("get_kpi", object_id="S-C1"),
         do("check_impact", object_id="S-C1", action="set_config"),
         do("set_config", **RIGHT_PCI), *SWEEP],
    ),
    "2 soft before hard": (
        2,
        case("B1"),
        [*LOOK, STATUS, do("reset_board", board_id="S-BM", mode="soft"), *SWEEP],
        [*LOOK, STATUS, do("reset_board", board_id="S-BM", mode="hard"), *SWEEP],
    ),
    "2 hung cell": (
        2,
        case("B4.1"),
        [*LOOK, do("get_kpi", object_id="S-C1"), LOCK, UNLOCK, *SWEEP],
        [*LOOK, do("get_kpi", object_id="S-C1"), do("reset_rru", rru_id="S-R1"), *SWEEP],
    ),
    "2 calibrate": (
        2,
        case("A2.1"),
        [*LOOK, RF, do("calibrate_ret", ret_id="S-T1"), *SWEEP],
        [*LOOK, RF, *visit(), do("calibrate_ret", ret_id="S-T1"), *SWEEP],
    ),
    "2 clean first": (
        2,
        case("T2", variants={"T2": {"worn": True}}),
        [*LOOK, *visit("sfp"), do("measure_optical_power", port_id="S-P"),
         do("clean_connector", port_id="S-P"),
         do("replace_sfp", port_id="S-P", spare_id="$spare.sfp"), *SWEEP],
        [*LOOK, *visit("sfp"), do("measure_optical_power", port_id="S-P"),
         do("replace_sfp", port_id="S-P", spare_id="$spare.sfp"), *SWEEP],
    ),
    "3 token": (
        3,
        case("R1.1"),
        [*LOOK, DIFF, *approved("set_config", "S-C1"),
         do("set_config", **RIGHT_PCI, token="$token"), *SWEEP],
        [*LOOK, DIFF, do("check_impact", object_id="S-C1", action="set_config"),
         do("set_config", **RIGHT_PCI), *SWEEP],
    ),
    "3 the right token": (
        3,
        case("R1.1"),
        [*LOOK, DIFF, *approved("set_config", "S-C1"),
         do("set_config", **RIGHT_PCI, token="$token"), *SWEEP],
        [*LOOK, DIFF, *approved("lock_cell", "S-C1"),
         do("set_config", **RIGHT_PCI, token="$token"), *SWEEP],
    ),
    "3 window, impact": (
        3,
        case("R1.1", hour=1),
        [*LOOK, DIFF, do("check_impact", object_id="S-C1", action="set_config"),
         do("set_config", **RIGHT_PCI), *SWEEP],
        [*LOOK, DIFF, do("set_config", **RIGHT_PCI), *SWEEP],
    ),
    "3 trunk": (
        3,
        case("T3"),
        [*LOOK, do("get_transport_port", port_id="H-P0"), *approved("set_hub_port", "H-P0"),
         do("set_hub_port", port_id="H-P0", state="up", token="$token"), *SWEEP],
        [*LOOK, do("get_transport_port", port_id="H-P0"),
         do("check_impact", object_id="H-P0", action="set_hub_port"),
         do("set_hub_port", port_id="H-P0", state="up"), *SWEEP],
    ),
    "4 hub": (
        4,
        case("A3.1", topology="star"),
        [*LOOK, do("get_transport_port", port_id="H-P0")],
        [*LOOK, do("get_transport_port", port_id="H-P0"), *approved("set_hub_port", "H-P0"),
         do("set_hub_port", port_id="H-P0", state="down", token="$token"), *SWEEP],
    ),
    "5 isolation": (
        5,
        case("F3.1"),
        [*LOOK, RF, LOCK, *visit("rru"), ISOLATE, NEW_RRU, UNLOCK, *SWEEP],
        [*LOOK, RF, LOCK, *visit("rru"), NEW_RRU, UNLOCK, *SWEEP],
    ),
    "5 work order": (
        5,
        case("B4.2", work_order=1),
        [*LOOK, STATUS, do("get_work_orders", scope_id="S")],
        [*LOOK, STATUS, do("get_work_orders", scope_id="S"), UNLOCK, *SWEEP],
    ),
    "6 clear": (
        6,
        case("F3.1"),
        [*LOOK, RF, do("ack_alarm", alarm_id="$alarm", note="known")],
        [*LOOK, RF, do("clear_alarm", alarm_id="$alarm", justification="gone")],
    ),
    "7 breaker": (
        7,
        case("P3.1", variants={"P3.1": {"shorted": True}}),
        [*LOOK, do("get_fronthaul", rru_id="S-R1"), *visit("rru"), CLOSE, *SWEEP],
        [*LOOK, do("get_fronthaul", rru_id="S-R1"), *visit("rru"), CLOSE, CLOSE, *SWEEP],
    ),
    "7 reset": (
        7,
        case("B2"),
        [*LOOK, do("get_boards", site_id="S"),
         do("reset_board", board_id="S-BB", mode="soft"),
         do("reset_board", board_id="S-BB", mode="hard"), *SWEEP],
        [*LOOK, do("get_boards", site_id="S"),
         do("reset_board", board_id="S-BB", mode="soft"),
         do("reset_board", board_id="S-BB", mode="soft"), *SWEEP],
    ),
    "8 ids": (
        8,
        case("A3.1"),
        [do("get_topology", object_id="S"), do("get_rf", rru_id="S-R2")],
        [do("get_rf", rru_id="S-R2")],
    ),
    "9 reason": (
        9,
        case("T1"),
        [*LOOK, do("get_transport_port", port_id="$port"), *visit()],
        [do("get_topology", object_id="S"), STATUS, *visit()],
    ),
    "9 remote": (
        9,
        case("R5.1"),
        [*LOOK, do("get_kpi", object_id="S-C1")],
        [*LOOK, do("get_kpi", object_id="S-C1"), *visit()],
    ),
    "9 twice": (
        9,
        case("F1.1"),
        [*LOOK, do("get_fronthaul", rru_id="S-R1"), *visit("fibre"),
         do("inspect", asset_id="S-R1"), do("check_leds", unit_id="S-R1"), *visit("fibre")[:2]],
        [*LOOK, do("get_fronthaul", rru_id="S-R1"), *visit("fibre"), *visit("fibre")[:2]],
    ),
    "10 proof": (
        10,
        case("R6.1"),
        [*LOOK, STATUS, UNLOCK, do("list_alarms", scope_id="S"), do("get_kpi", object_id="S-C1")],
        [*LOOK, STATUS, UNLOCK, do("list_alarms", scope_id="S")],
    ),
    "10 sweep": (
        10,
        case("R6.1"),
        [*LOOK, STATUS, UNLOCK, *SWEEP, report(restored=True)],
        [*LOOK, STATUS, UNLOCK, do("list_alarms", scope_id="S"), do("get_kpi", object_id="S-C1"),
         report(restored=True)],
    ),
    "11 mitigate": (
        11,
        case("S1", holdover_lost=True),
        [*LOOK, do("get_clock", site_id="S"),
         do("switch_clock_source", site_id="S", source="ptp"), *visit("gnss_antenna"), *SWEEP],
        [*LOOK, do("get_clock", site_id="S"), *visit("gnss_antenna"), *SWEEP],
    ),
    "11 what is left": (
        11,
        case("E1"),
        [*LOOK, do("get_kpi", object_id="S"), report(residual_alarms=["$alarm"])],
        [*LOOK, do("get_kpi", object_id="S"), report()],
    ),
    "12 not theirs": (
        12,
        case("R4.1"),
        [*LOOK, *NOISE,
         do("escalate", team="spectrum", summary="noise at idle", evidence=["r3", "w4"])],
        [*LOOK, *NOISE,
         do("escalate", team="vendor", summary="noise at idle", evidence=["r3", "w4"])],
    ),
    "12 yours": (
        12,
        case("R3"),
        [*LOOK, do("get_kpi", object_id="S")],
        [*LOOK, do("get_kpi", object_id="S"),
         do("escalate", team="transmission", summary="NG is down", evidence=["r2"])],
    ),
    "12 without evidence": (
        12,
        case("R4.1"),
        [*LOOK, *NOISE, do("escalate", team="spectrum", summary="noise", evidence=["w4"])],
        [*LOOK, *NOISE, do("escalate", team="spectrum", summary="noise", evidence=["r1"])],
    ),
    "12 kept": (
        12,
        case("R4.1"),
        [*LOOK, *NOISE, *SWEEP,
         do("escalate", team="spectrum", summary="noise", evidence=["w4"]),
         report(escalation=["spectrum"])],
        [*LOOK, *NOISE, *SWEEP, report(escalation=["spectrum"])],
    ),
    "13 one by one": (
        13,
        case("A3.1"),
        [do("list_alarms", scope_id="S"), do("get_topology", object_id="S")],
        [[do("list_alarms", scope_id="S"), do("get_topology", object_id="S")]],
    ),
    "13 claim": (
        13,
        case("E1"),
        [*LOOK, do("get_kpi", object_id="S"), report(residual_alarms=["$alarm"])],
        [*LOOK, do("get_kpi", object_id="S"),
         report(restored=True, residual_alarms=["$alarm"])],
    ),
    "13 citation": (
        13,
        case("R6.1"),
        [*LOOK, STATUS, UNLOCK, *SWEEP, report(restored=True, verification=["r5", "r6"])],
        [*LOOK, STATUS, UNLOCK, *SWEEP, report(restored=True, verification=["r5", "r60"])],
    ),
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
    calls = [
        *LOOK, RF, *approved("reset_rru", "S-R1"),
        do("reset_rru", rru_id="S-R1", token="$token"), *SWEEP,
    ]  # fmt: skip
    assert rules(broken(case("A3.1"), calls)) == []
    found = broken(case("A3.1"), calls, emergency)
    assert [(v.rule, v.severity) for v in found] == [(4, "safety")]


@pytest.mark.parametrize(
    ("priority", "tweak", "severity"),
    [("normal", None, "hard"), ("vip", None, "safety"), ("normal", emergency, "safety")],
)
def test_how_grave_an_unapproved_interruption_is(
    priority: Any, tweak: Tweak | None, severity: str
) -> None:
    calls = [*LOOK, RF, do("check_impact", object_id="S-C1", action="lock_cell"), LOCK]
    found = broken(case("A1.1", priority=priority), calls, tweak)
    assert [(v.rule, v.severity) for v in found] == [(3, severity)]


def test_a_cell_that_carries_nothing_may_be_locked_at_once() -> None:
    assert broken(case("F3.1"), [*LOOK, RF, LOCK]) == ()


def test_an_impact_check_grows_old() -> None:
    check = do("check_impact", object_id="S-C1", action="lock_cell")
    travel = [RF, *visit()]
    fresh = [*LOOK, *travel, check, *approved("lock_cell", "S-C1")]
    lock = do("lock_cell", cell_id="S-C1", token="$token")
    assert rules(broken(case("A1.1"), [*fresh, lock])) == []
    stale = [*LOOK, *approved("lock_cell", "S-C1"), *travel, do("leave_site"), *visit("rru")]
    assert 3 in rules(broken(case("A1.1"), [*stale, lock]))


def test_the_technicians_own_work_needs_no_token() -> None:
    calls = [
        *LOOK, do("get_transport_port", port_id="S-P"), *visit(),
        do("clean_connector", port_id="S-P"), *SWEEP,
    ]  # fmt: skip
    assert broken(case("T2"), calls) == ()


def test_a_work_order_with_somebody_on_the_mast_is_a_matter_of_safety() -> None:
    calls = [*LOOK, STATUS, UNLOCK, *SWEEP]

    def climb(on_tower: bool) -> Tweak:
        return lambda db: setattr(db.work_orders[0], "on_tower", on_tower)

    spec = case("B4.2", work_order=1)
    assert [v.severity for v in broken(spec, calls, climb(True))] == ["safety"]
    assert [v.severity for v in broken(spec, calls, climb(False))] == ["hard"]


def test_a_refused_call_breaks_nothing_but_an_invented_id() -> None:
    calls = [*LOOK, do("unlock_cell", cell_id="S-C2"), do("unlock_cell", cell_id="S-C7")]
    found = broken(case("A3.1"), calls, failing=2)
    assert [(v.step, v.rule) for v in found] == [(3, 8)]


READS = [
    *LOOK, STATUS, DIFF, RF, *NOISE[:1], *SWEEP,
    do("get_clock", site_id="S"), do("get_boards", site_id="S"),
    do("get_fronthaul", rru_id="S-R2"), do("get_change_log", scope_id="S"),
    do("check_impact", object_id="S-BM", action="reset_board"),
    do("list_resources", site_id="S"), do("search_manual", query="sleeping cell"),
]  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(READS), max_size=12), st.sampled_from(["P1", "T3", "B4.2", "R1.3"]))
def test_reading_breaks_no_rule_but_that_on_ids(calls: list[Call], atom: str) -> None:
    found = broken(case(atom), calls)
    assert set(rules(found)) <= {8}
    assert broken(case(atom), [LOOK[0], *calls]) == ()
