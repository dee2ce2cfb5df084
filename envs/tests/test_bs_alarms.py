"""The alarm list: each alarm follows from its effect, storms, ids, times and what a list tells."""

from __future__ import annotations

import itertools
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.alarm_table import (
    CLOCK_REFERENCE_MAJOR_MIN,
    SEVERITIES,
    SPECS,
    spec_of,
)
from telejudge_envs.base_station.alarms import (
    Alarm,
    active,
    alarm_effects,
    alarm_of,
    alarms_of,
    at_least,
    cleared,
)
from telejudge_envs.base_station.atoms import atoms, exclusive, inject
from telejudge_envs.base_station.layout import SITES, Layout, Topology, healthy
from telejudge_envs.base_station.noise import add_noise
from telejudge_envs.base_station.observe import forget, observe
from telejudge_envs.base_station.parts import locate
from telejudge_envs.base_station.physics import effects
from telejudge_envs.base_station.state import RanDB

TOPOLOGIES: tuple[Topology, ...] = ("single", "star", "ring", "mixed", "gnss_only", "leased")


@st.composite
def compositions(draw: st.DrawFn) -> tuple[Layout, tuple[str, ...]]:
    """A layout and up to four atoms that can be there at once."""
    layout = Layout(
        topology=draw(st.sampled_from(TOPOLOGIES)),
        split="train",
        seed=draw(st.integers(0, 500)),
        hour=draw(st.integers(0, 23)),
        holdover_lost=draw(st.booleans()),
    )
    chosen: list[str] = []
    for atom in draw(st.lists(st.sampled_from(atoms()), max_size=4, unique=True)):
        if not any(exclusive(atom, other) for other in chosen):
            chosen.append(atom)
    return layout, tuple(chosen)


def broken(layout: Layout, chosen: tuple[str, ...], *, minutes: int = 0) -> RanDB:
    db = healthy(layout)
    for atom in chosen:
        inject(db, atom)
    db.clock_min += minutes
    return db


def names_of(db: RanDB, site_id: str) -> set[str]:
    return {a.specificProblem.partition(":")[0] for a in alarms_of(db, site_id)}


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_healthy_network_has_no_alarms(topology: Topology) -> None:
    assert active(healthy(Layout(topology=topology, split="train", seed=5))) == []


def test_every_alarm_effect_of_the_physics_has_an_alarm_and_the_other_way_round() -> None:
    db = healthy(Layout(topology="single", split="train", seed=1))
    known = {name for name in observe(db)[db.focus] if name.startswith("alarm.")}
    assert set(alarm_effects(db, db.focus)) == known
    assert {f"alarm.{s.problem}" for s in SPECS if not s.sector} == {
        name for name in known if name.count(".") == 1
    }


@settings(max_examples=80, deadline=None)
@given(compositions(), st.integers(0, 700))
def test_alarms_are_exactly_the_raised_effects(
    case: tuple[Layout, tuple[str, ...]], minutes: int
) -> None:
    db = broken(*case, minutes=minutes)
    expected = {e for e in alarm_effects(db, db.focus) if observe(db)[db.focus][e]}
    shown = {
        f"alarm.{name}.{a.objectInstance[-1]}" if spec_of(name).sector else f"alarm.{name}"
        for a in alarms_of(db, db.focus)
        for name in [a.specificProblem.partition(":")[0]]
    }
    assert shown == expected


@settings(max_examples=80, deadline=None)
@given(compositions(), st.data())
def test_a_removed_fault_leaves_no_alarm_of_its_own(
    case: tuple[Layout, tuple[str, ...]], data: st.DataObject
) -> None:
    """Section 7: removing a fault clears its alarms. What it masked may come up, nothing stays."""
    layout, chosen = case
    if not chosen:
        return
    gone = data.draw(st.sampled_from(chosen))
    rest = tuple(atom for atom in chosen if atom != gone)
    alone = names_of(broken(layout, (gone,)), broken(layout, ()).focus)
    after = broken(layout, rest)
    by_others = {name for other in rest for name in names_of(broken(layout, (other,)), after.focus)}
    visible = names_of(after, after.focus)
    assert not (alone & visible) - by_others
    if not rest:
        assert active(after) == []


@pytest.mark.parametrize("topology", ["single", "ring", "star"])
def test_a_storm_grows_with_the_sites_behind_the_trunk(topology: Topology) -> None:
    db = broken(Layout(topology=topology, split="train", seed=3), ("T3",))
    alarms = active(db)
    count = SITES[topology]
    assert len(alarms) == 1 + count * (1 + 3)
    silent = {a.siteId for a in alarms if a.specificProblem.startswith("NE_UNREACHABLE")}
    assert silent == set(db.sites)


@settings(max_examples=80, deadline=None)
@given(compositions())
def test_the_hub_alarm_precedes_those_of_the_sites_behind_it(
    case: tuple[Layout, tuple[str, ...]],
) -> None:
    db = broken(*case)
    hub = [a.alarmRaisedTime for a in active(db) if a.siteId == db.hub.id]
    behind = [
        a.alarmRaisedTime
        for a in active(db)
        if a.specificProblem.partition(":")[0] in ("NE_UNREACHABLE", "CELL_UNAVAILABLE")
    ]
    assert not hub or not behind or max(hub) < min(behind)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("atom", "first", "then"),
    [
        ("P3.2", "RRU_DYING_GASP", "RRU_LINK_LOST"),
        ("B1", "SOFTWARE_PROGRAM_ABNORMALLY_TERMINATED", "NE_UNREACHABLE"),
        ("P1", "COMMERCIAL_POWER_FAILURE", "BATTERY_DISCHARGING"),
        ("T5", "SCTP_FAULT", "NG_FAULT"),
        ("E1", "COOLING_FAN_FAILURE", "HIGH_TEMPERATURE"),
    ],
)
def test_a_cause_is_recorded_before_what_follows(
    seed: int, atom: str, first: str, then: str
) -> None:
    db = broken(Layout(topology="single", split="train", seed=seed), (atom,))
    at = {a.specificProblem.partition(":")[0]: a.alarmRaisedTime for a in active(db)}
    assert at[first] < at[then]


@settings(max_examples=40, deadline=None)
@given(compositions(), st.integers(0, 3))
def test_same_seed_same_bytes(case: tuple[Layout, tuple[str, ...]], level: int) -> None:
    listed = []
    for _ in range(2):
        db = broken(*case)
        add_noise(db, random.Random(9), level)
        listed.append("".join(a.model_dump_json() for a in active(db)))
    assert listed[0] == listed[1]


@settings(max_examples=60, deadline=None)
@given(compositions(), st.integers(0, 3))
def test_ids_are_unique_and_objects_exist(case: tuple[Layout, tuple[str, ...]], level: int) -> None:
    db = broken(*case)
    add_noise(db, random.Random(3), level)
    alarms = active(db)
    assert len({a.alarmId for a in alarms}) == len(alarms)
    assert all(locate(db, a.objectInstance) is not None for a in alarms)
    assert all(a.alarmRaisedTime <= db.clock_min for a in alarms)


def test_the_list_starts_with_the_most_severe() -> None:
    db = broken(Layout(topology="star", split="train", seed=4), ("P2", "A2.1", "F3.3"))
    add_noise(db, random.Random(1), 3)
    ranks = [SEVERITIES.index(a.perceivedSeverity) for a in active(db)]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) >= 3


def test_antenna_severity_follows_vswr() -> None:
    """Minor above 2.0, major above 3.0 (Huawei ALM-26529)."""
    db = broken(Layout(topology="single", split="train", seed=4), ("A1.1",))
    (high,) = [a for a in active(db) if a.probableCause == "ANTENNA_PROBLEM"]
    db.sites[db.focus].lines[0].vswr = 2.4
    forget(db)
    (low,) = [a for a in active(db) if a.probableCause == "ANTENNA_PROBLEM"]
    assert (high.perceivedSeverity, low.perceivedSeverity) == ("MAJOR", "MINOR")
    assert "return loss 5.3 dB" in high.specificProblem


def test_a_lost_clock_reference_becomes_major_with_time() -> None:
    levels = []
    for minutes in (0, CLOCK_REFERENCE_MAJOR_MIN):
        db = broken(Layout(topology="single", split="train", seed=4), ("S2",), minutes=minutes)
        levels += [a.perceivedSeverity for a in active(db) if a.objectInstance.endswith("PTP")]
    assert levels == ["MINOR", "MAJOR"]


def results_by_told(scope: str, floor: str) -> dict[tuple[int, ...], set[str]]:
    """What a list shows, by the bits that it is said to tell, over many compositions."""
    layout = Layout(topology="star", split="train", seed=11, holdover_lost=True)
    dice = random.Random(zlib.crc32(f"{scope}{floor}".encode()))
    pairs = [p for p in itertools.combinations(atoms(), 2) if not exclusive(*p)]
    cases = [(), *((a,) for a in atoms()), *dice.sample(pairs, 250)]
    found: dict[tuple[int, ...], set[str]] = {}
    for chosen in cases:
        db = healthy(layout)
        add_noise(db, random.Random(2), 3)
        for atom in chosen:
            inject(db, atom)
        scope_id = {"focus": db.focus, "hub": db.hub.id, "cell": f"{db.focus}-C2"}.get(
            scope, list(db.sites)[-1]
        )
        bits = observe(db)[db.focus]
        told = tuple(bits[name] for name in alarm_effects(db, scope_id, floor))  # type: ignore[arg-type]
        listed = [
            a.model_dump_json()
            for a in alarms_of(db, scope_id)
            if at_least(a.perceivedSeverity, floor)
        ]
        found.setdefault(told, set()).add("".join(listed))
    return found


@pytest.mark.parametrize("scope", ["focus", "hub", "cell", "other"])
@pytest.mark.parametrize("floor", ["WARNING", "MAJOR"])
def test_a_list_tells_its_effects_and_nothing_else(scope: str, floor: str) -> None:
    found = results_by_told(scope, floor)
    assert len(found) > 1
    assert all(len(texts) == 1 for texts in found.values()), "more is shown than told"
    assert len({next(iter(t)) for t in found.values()}) == len(found), "less is shown than told"


def test_clearing_by_hand_hides_the_alarm_and_what_it_tells_but_not_the_fault() -> None:
    db = broken(Layout(topology="single", split="train", seed=4), ("E1",))
    fan = next(a for a in active(db) if a.probableCause == "COOLING_FAN_FAILURE")
    db.cleared[fan.alarmId] = "gone"
    assert alarm_of(db, fan.alarmId) is None
    assert "alarm.COOLING_FAN_FAILURE" not in alarm_effects(db, db.focus)
    assert [a.alarmId for a in cleared(db)] == [fan.alarmId]
    assert observe(db)[db.focus]["alarm.COOLING_FAN_FAILURE"] == 1


def test_acknowledged_alarms_stay_and_say_so() -> None:
    db = broken(Layout(topology="single", split="train", seed=4), ("E1",))
    first = active(db)[0]
    db.acked[first.alarmId] = "mine"
    assert alarm_of(db, first.alarmId) == first.model_copy(update={"ackState": "ACKNOWLEDGED"})


def test_alarms_of_a_silent_node_vanish_but_manual_ones_stay() -> None:
    db = healthy(Layout(topology="single", split="train", seed=8))
    add_noise(db, random.Random(4), 3)
    inject(db, "E1")
    before = active(db)
    inject(db, "T3")
    forget(db)
    stayed = [a for a in active(db) if a in before]
    assert any(a.probableCause == "COOLING_FAN_FAILURE" for a in before)
    assert [a.clearingType for a in stayed] == ["MANUAL"]


def test_a_flapping_alarm_comes_and_goes_with_the_clock_only() -> None:
    db = healthy(Layout(topology="single", split="train", seed=8))
    add_noise(db, random.Random(4), 2)
    (flapping,) = [a for a in db.standing if a.flapping]
    states: list[list[Alarm]] = []
    for _ in range(40):
        db.clock_min += 1
        states.append([a for a in active(db) if a.alarmId == flapping.id])
        assert states[-1] == [a for a in active(db) if a.alarmId == flapping.id]
    assert [] in states
    assert any(states)


def test_the_kept_effects_follow_every_counted_change() -> None:
    db = healthy(Layout(topology="single", split="train", seed=8))
    assert observe(db) is observe(db)
    inject(db, "B4.2")
    db.version += 1
    assert observe(db)[db.focus]["traffic.2"] == 0
    copy = db.model_copy(deep=True)
    assert copy == db
    copy.sites[copy.focus].cells[1].hung = False
    assert observe(copy)[copy.focus]["traffic.2"] == 1
    assert set(observe(db)[db.focus]) == set(effects_of_nothing())


def effects_of_nothing() -> dict[str, int]:
    class Never(dict[str, int]):
        def __missing__(self, key: str) -> int:
            return 0

    return effects(Never(), 1)
