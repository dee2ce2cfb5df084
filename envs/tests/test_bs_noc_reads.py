"""What the NOC reads: pure, no more and no less than the effects that each tool says it shows."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable
from typing import Any

import pytest
from bs_harness import TOPOLOGIES, Call, compositions, ways, with_faults
from bs_noc_harness import READS, TOOLS, read_calls
from bs_noc_harness import call as answer_of
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.atoms import atoms, exclusive
from telejudge_envs.base_station.layout import Layout, healthy
from telejudge_envs.base_station.noc import NocKit
from telejudge_envs.base_station.noise import add_noise
from telejudge_envs.base_station.observe import forget, observe
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Tool, ToolError


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two compositions that mostly differ in one fault: the hardest to tell apart."""
    one = draw(compositions())
    if draw(st.integers(0, 3)) == 0:
        return one, draw(compositions())
    extra = draw(st.sampled_from([a for a in atoms() if not any(exclusive(a, b) for b in one)]))
    return one, (*one, extra)


layouts = st.builds(
    Layout,
    topology=st.sampled_from(TOPOLOGIES),
    split=st.just("train"),
    seed=st.integers(0, 30),
    hour=st.sampled_from((1, 10, 20)),
    holdover_lost=st.booleans(),
)


def build(
    layout: Layout, faults: tuple[str, ...], variants: dict[str, Any], on_ptp: bool = False
) -> RanDB:
    db = healthy(layout)
    add_noise(db, random.Random(3), 3)
    clock = db.sites[db.focus].clock
    clock.active = "ptp" if on_ptp and clock.ptp_fitted else "gnss"
    return with_faults(db, *faults, variants=variants)


def read(db: RanDB, call: Call) -> Any:
    answer = answer_of(db, call)
    if call[0] == "get_change_log":  # ids and times are numbers of the fault
        answer = [{k: v for k, v in row.items() if k not in ("id", "at")} for row in answer]
        answer.sort(key=str)
    return answer


def shown(db: RanDB, call: Call) -> dict[str, int]:
    name, arguments = call
    effects = observe(db)[db.focus]
    return {effect: effects[effect] for effect in TOOLS[name].marked.shows(db, arguments)}


@settings(max_examples=120, deadline=None)
@given(layouts, neighbours(), ways, st.booleans(), st.tuples(st.booleans(), st.booleans()))
def test_results_differ_exactly_where_shown_effects_differ(
    layout: Layout,
    pair: tuple[tuple[str, ...], tuple[str, ...]],
    variants: dict[str, Any],
    on_ptp: bool,
    lost: tuple[bool, bool],
) -> None:
    """Equal shown effects, equal result: nothing else leaks. Other effects, another result: the
    oracle never believes that a reading said more than it did."""
    first, second = (build(layout, faults, variants, on_ptp) for faults in pair)
    for db, holdover_lost in zip((first, second), lost, strict=True):
        db.sites[db.focus].clock.holdover_lost = holdover_lost
        forget(db)
    for call in read_calls(first):
        same = shown(first, call) == shown(second, call)
        assert (read(first, call) == read(second, call)) == same, (call, pair)


def one_to_one(worlds: Iterable[RanDB]) -> None:
    """For every call: one result for each vector of shown effects, and the other way round."""
    results: dict[tuple[Any, str], str] = {}
    vectors: dict[tuple[Any, str], str] = {}
    for db in worlds:
        for call in read_calls(db):
            key, vector = str(call), str(shown(db, call))
            result = json.dumps(read(db, call))
            assert results.setdefault((key, vector), result) == result, call
            assert vectors.setdefault((key, result), vector) == vector, call


def worlds(faults: Iterable[tuple[str, ...]], holdover: tuple[bool, ...]) -> Iterable[RanDB]:
    for composition in faults:
        for lost in holdover:
            for on_ptp in (False, True):
                layout = Layout("star", "train", 11, holdover_lost=lost)
                yield build(layout, composition, {}, on_ptp)


def test_single_faults_give_one_result_for_each_vector_of_effects() -> None:
    one_to_one(worlds([(), *((atom,) for atom in atoms())], (False, True)))


@pytest.mark.slow
def test_pairs_of_faults_give_one_result_for_each_vector_of_effects() -> None:
    pairs = [p for p in itertools.combinations(atoms(), 2) if not exclusive(*p)]
    here = [p for p in pairs if not any(a.endswith((".2", ".3")) for a in p)]
    one_to_one(worlds(here, (True,)))


@pytest.mark.parametrize("atom", atoms())
def test_every_single_fault_shows_in_some_reading(atom: str) -> None:
    layout = Layout("single", "train", 5, holdover_lost=True)
    well, ill = build(layout, (), {}), build(layout, (atom,), {})
    telling = [c for c in read_calls(well) if shown(well, c) != shown(ill, c)]
    assert telling
    assert all(read(well, call) != read(ill, call) for call in telling)


@settings(max_examples=25, deadline=None)
@given(layouts, compositions())
def test_reads_change_nothing_and_repeat_themselves(
    layout: Layout, faults: tuple[str, ...]
) -> None:
    db = build(layout, faults, {})
    before = db.model_dump()
    answers = [read(db, call) for call in read_calls(db)]
    assert db.model_dump() == before
    assert answers == [read(db, call) for call in read_calls(db)]
    assert json.loads(json.dumps(answers)) == answers


def test_the_calls_above_use_every_read() -> None:
    assert {name for name, _ in read_calls(healthy(Layout("star", "train", 1)))} == set(READS)


@pytest.mark.parametrize("name", sorted(set(READS) - {"search_manual"}))
def test_an_unknown_id_is_refused_with_what_to_do(name: str) -> None:
    db = healthy(Layout("single", "train", 1))
    arguments = next(a for n, a in read_calls(db) if n == name)
    key = next(k for k in arguments if k.endswith("_id"))
    with pytest.raises(ToolError, match="there is no"):
        TOOLS[name].call(NocKit(db), {**arguments, key: "K999-C1"})
    assert TOOLS[name].marked.shows(db, {**arguments, key: "K999-C1"}) in ((), shows_trunk(name))


def shows_trunk(name: str) -> tuple[str, ...]:
    """The alarm list of a foreign site would tell the state of the shared trunk."""
    return ("alarm.LINK_FAILURE",) if name == "list_alarms" else ()


@pytest.mark.parametrize(
    ("name", "argument", "wrong"),
    [
        ("list_alarms", "min_severity", "severe"),
        ("list_alarms", "state", "gone"),
        ("list_alarms", "limit", 0),
        ("ping", "target", "internet"),
        ("check_impact", "action", "reboot_hub"),
        ("get_change_log", "hours", 1),
        ("get_kpi", "hours", 0),
    ],
)
def test_a_value_outside_the_choice_is_refused(name: str, argument: str, wrong: Any) -> None:
    db = healthy(Layout("single", "train", 1))
    arguments = next(a for n, a in read_calls(db) if n == name)
    assert READS[name].complaint(arguments) is None
    assert argument in (READS[name].complaint({**arguments, argument: wrong}) or "")


@pytest.mark.parametrize("tool", TOOLS.values(), ids=list(TOOLS))
def test_schemas_are_function_schemas_that_any_provider_takes(tool: Tool) -> None:
    schema = tool.spec.parameters
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert set(schema.get("required", ())) <= set(schema["properties"])
    assert all(p["description"] for p in schema["properties"].values())
    assert len(tool.spec.description) > 20
    text = json.dumps(schema)
    assert "$ref" not in text
    assert '"title"' not in text


def test_a_node_out_of_reach_still_lets_the_books_be_read() -> None:
    db = build(Layout("single", "train", 2), ("T4", "B3"), {})
    kit, site = NocKit(db), db.focus
    assert kit.get_boards(site)["status"] == "NE_UNREACHABLE"
    assert kit.get_config(f"{site}-C1", ["nrPci"])["status"] == "NE_UNREACHABLE"
    assert kit.get_ne_status(site)["cells"][0] == {"id": f"{site}-C1", "admin": "UNLOCKED"}
    assert len(kit.get_licences(site)["pool"]) == 2
    assert kit.get_transport_port(db.hub.ports[1].id)["oper"] == "up"
    assert kit.ping(db.hub.ports[1].id, "gateway")["loss_pct"] == 100
    assert [c["attribute"] for c in kit.get_change_log(f"{site}-P")] == ["vlan"]


def test_impact_counts_users_and_emergency_calls_of_working_cells_only() -> None:
    db = build(Layout("single", "train", 2, hour=1), ("B4.2",), {})
    for cell in db.sites[db.focus].cells:
        cell.ue_emergency = 1
    impact = NocKit(db).check_impact(f"{db.focus}-BB", "reset_board")
    assert impact["users"][f"{db.focus}-C2"] == 0
    assert impact["users"][f"{db.focus}-C1"] > 0
    assert impact["emergency_calls"] == 2
    assert impact["window_open"]
    assert impact["service_affecting"]
    unlock = NocKit(db).check_impact(f"{db.focus}-C1", "unlock_cell")
    assert not unlock["service_affecting"]
    sleeping = NocKit(db).check_impact(f"{db.focus}-C2", "lock_cell")
    assert not sleeping["service_affecting"]
    assert sleeping["emergency_calls"] == 0


def test_a_list_that_was_cut_short_claims_no_absence() -> None:
    db = build(Layout("star", "train", 2), ("P1", "A1.1"), {})
    arguments = {"scope_id": db.focus, "limit": 1}
    told = READS["list_alarms"].marked.shows(db, arguments)
    rows = NocKit(db).list_alarms(**arguments)
    assert len(rows) == 1
    assert [f"alarm.{rows[0]['problem'].partition(':')[0]}"] == [t.partition(".1")[0] for t in told]
