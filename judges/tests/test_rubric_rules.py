"""Rubric files, reading replies, adding answers up, and dropping by hit rate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rubric_harness import sample_rubrics

from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.registry import world_names
from telejudge_judges.detectors.catalogue import WEIGHTS
from telejudge_judges.fuse import fuse
from telejudge_judges.render import Evidence
from telejudge_judges.rubric.hits import HitRule, Hits, Observation, observations, read_hits, record
from telejudge_judges.rubric.items import RubricItem, load_set, merge, parse_set, starter_sets
from telejudge_judges.rubric.reply import Answer, ItemTurn
from telejudge_judges.rubric.score import NO_ANSWER_ITEM, has_failed, verdict_of

STARTER = starter_sets()

# -- files


@pytest.mark.parametrize(("world", "least"), [("base-station", 40), ("tau2-telecom", 30)])
def test_each_world_has_starter_rubrics(world: str, least: int) -> None:
    assert world in world_names()
    mine = STARTER.of_world(world)
    assert len(mine.items) >= least
    assert any(item.essential and item.core and item.about == "answer" for item in mine.items)
    assert any(item.severity == "safety" and item.core for item in mine.items)
    named = {name for case in mine.cases for name in case.items}
    forgotten = [i.id for i in mine.items if i.applies_to and not i.core and i.id not in named]
    assert not forgotten, "an item for some tickets that no similar ticket would bring up"


@pytest.mark.parametrize("item", STARTER.items, ids=lambda item: item.id)
def test_starter_items_are_sound(item: RubricItem) -> None:
    assert item.source, "every item says which rule it comes from"
    assert item.kind in WEIGHTS, "defects are named as the verifier names them"
    assert item.text.endswith(".")
    assert len(item.text) < 300
    assert item.about == "answer" or not item.essential


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- a", "must hold a list `items`"),
        ("items: 3", "must hold a list `items`"),
        ("items: [\n", "is not YAML"),
        ("items: []\nthings: 1", "no field things"),
        ("items: [a]", "is no mapping"),
        ("items: [{id: a, text: b}]", "a: about"),
        ("items: [{id: a, text: b, about: tools, weight: 2}]", "a: weight"),
        ("items: [{id: a, text: b, about: tools, wieght: 1}]", "a: wieght"),
        ("items: [{text: b, about: tools}]", "an entry without id: id"),
        (
            "items: [{id: a, text: b, about: tools}, {id: a, text: c, about: tools}]",
            "same id: a",
        ),
        (
            "items: [{id: a, text: b, about: tools}]\ncases: [{id: c, ticket: t, items: [x]}]",
            r"case c names items that are not there: \['x'\]",
        ),
    ],
)
def test_a_wrong_file_explains_itself(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=complaint) as caught:
        load_set(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_explains_itself(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.yaml cannot be read"):
        load_set(tmp_path / "none.yaml")


def test_own_rubrics_join_the_starter_rubrics() -> None:
    own = parse_set("items: [{id: mine, text: It sang., about: tools}]", "mine")
    both = merge([STARTER, own])
    assert both.items[-1].world == "any"
    assert both.of_world("base-station").items[-1].id == "mine"
    with pytest.raises(DataError, match="same id: mine"):
        merge([own, own])


# -- replies

ITEMS = sample_rubrics().items[:3]


def turn(calls: int = 4) -> ItemTurn:
    return ItemTurn(ITEMS, Evidence("evidence", "0" * 12, {}, (), 1), calls)


ANSWERS = st.fixed_dictionaries(
    {
        "verdict": st.sampled_from(["yes", "no", "na"]),
        "step": st.none() | st.integers(0, 3),
        "reason": st.text(max_size=20),
    }
)


@given(
    st.lists(ANSWERS, min_size=3, max_size=3),
    st.sampled_from(["{}", "```json\n{}\n```", "So: {}."]),
)
def test_what_a_model_says_is_read_back(said: list[dict[str, Any]], around: str) -> None:
    mine = turn()
    body = json.dumps({"items": dict(zip(mine.items, said, strict=True))}, ensure_ascii=False)
    assert mine.read(around.replace("{}", body)) == []
    assert list(mine.answers.values()) == [Answer(**one) for one in said]


@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["items", "q1", "q2", "verdict", "step", "yes"]), inner
            )
        ),
        max_leaves=15,
    ).map(json.dumps)
)
def test_no_reply_breaks_the_reader_or_gets_answers_that_are_not_in_it(text: str) -> None:
    mine = turn()
    problems = mine.read(text)
    assert bool(mine.open) <= bool(problems)
    for one in mine.answers.values():
        assert one.verdict in ("yes", "no", "na")
        assert one.step is None or 0 <= one.step < 4


def test_a_second_reply_fills_gaps_and_changes_nothing_else() -> None:
    mine = turn()
    mine.read('{"items": {"q1": {"verdict": "yes"}, "q2": {"verdict": "hm"}}}')
    assert mine.open == ["q2", "q3"]
    again = {"q1": {"verdict": "no"}, "q2": {"verdict": "否"}, "q3": {"verdict": "N/A"}}
    assert mine.read(json.dumps({"items": again}, ensure_ascii=False)) == []
    assert [a.verdict for a in mine.answers.values()] == ["yes", "no", "na"]


def test_without_calls_no_step_is_accepted() -> None:
    mine = turn(calls=0)
    (problem, *_) = mine.read('{"items": {"q1": {"verdict": "yes", "step": 0}}}')
    assert problem.kind == "out_of_range"


# -- the verdict


def item(name: str, **fields: Any) -> RubricItem:
    given: dict[str, Any] = {"text": f"{name}.", "about": "answer", "weight": 1.0, **fields}
    return RubricItem(id=name, **given)


@pytest.mark.parametrize(
    ("answers", "answer", "confidence"),
    [
        ("yes yes yes", 1, 1.0),
        ("no yes yes", 0, 1.0),
        ("yes no yes", 1, 0.75),
        ("yes yes no", 0, 0.5),
        ("yes no no", 0, 0.75),
        ("na no yes", 1, 2 / 3),
        ("na na na", None, None),
    ],
)
def test_the_answer(answers: str, answer: int | None, confidence: float | None) -> None:
    """Weights 1, 1, 2; the first is essential. Half of the weight is not enough."""
    items = [item("a", essential=True, weight=0.5), item("b", weight=0.5), item("c")]
    said = {i.id: Answer(w) for i, w in zip(items, answers.split(), strict=True)}  # type: ignore[arg-type]
    verdict = verdict_of("t", items, said)
    if answer is None:
        assert verdict.abstained == NO_ANSWER_ITEM
        return
    assert verdict.answer == answer
    assert verdict.confidence == pytest.approx(confidence)
    assert verdict.tools == 1.0, "items about the answer do not lower the calls' score"


@given(
    st.lists(
        st.tuples(
            st.builds(
                item,
                st.uuids().map(str),
                about=st.sampled_from(["answer", "tools"]),
                polarity=st.sampled_from(["good", "bad"]),
                weight=st.floats(0.05, 1.0),
                severity=st.sampled_from(["soft", "hard", "safety"]),
                essential=st.booleans(),
            ),
            st.builds(Answer, st.sampled_from(["yes", "no", "na"]), st.none() | st.integers(0, 5)),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_a_verdict_is_sound_and_failing_more_never_pays(pairs: list[Any]) -> None:
    items = [one for one, _ in pairs]
    said = {one.id: answer for one, answer in pairs}
    verdict = verdict_of("t", items, said)
    if verdict.abstained is not None:
        assert not any(i.about == "answer" and said[i.id].verdict != "na" for i in items)
        return
    assert verdict.answer is not None
    assert verdict.tools is not None
    assert verdict.reward == fuse(verdict.answer, verdict.tools, verdict.defects)
    failed = [i for i in items if has_failed(i, said[i.id])]
    assert len(verdict.defects) == len(failed)
    for one in items:
        if one in failed or said[one.id].verdict == "na":
            continue
        worse = "no" if one.polarity == "good" else "yes"
        other = verdict_of("t", items, {**said, one.id: Answer(worse)})
        assert (other.reward or 0.0) <= (verdict.reward or 0.0) + 1e-12


# -- hit rates


def test_dropping_by_hit_rate() -> None:
    rule, plain = HitRule(least=0.1, most=0.9, seen=10), item("a", about="tools")
    assert not rule.drops(plain, None)
    assert not rule.drops(plain, Hits(na=100))
    assert not rule.drops(plain, Hits(yes=9)), "too few to tell"
    assert rule.drops(plain, Hits(yes=10))
    assert rule.drops(plain, Hits(no=10, na=5))
    assert not rule.drops(plain, Hits(yes=9, no=1))
    assert not rule.drops(item("a", core=True), Hits(no=1000)), "safety is seldom hit, one hopes"
    with pytest.raises(UsageError, match="least <= most"):
        HitRule(least=0.9, most=0.1)


def test_a_group_judged_again_counts_once(tmp_path: Path) -> None:
    path, items = tmp_path / "seen.jsonl", [item("a"), item("draft-1", source="drafted")]
    heard = [
        {"a": Answer("yes"), "draft-1": Answer("no")},
        {"a": Answer("na"), "draft-1": Answer("no")},
    ]
    for group in ("g1", "g2", "g1"):
        record(path, observations(group, items, heard))
    hits = read_hits([path])
    assert hits["a"] == Hits(yes=2, na=2)
    assert hits["draft-1"] == Hits(no=4, text="draft-1.")
    assert (hits["a"].rate, Hits(na=3).rate) == (1.0, None)
    with path.open("a") as file:
        file.write('{"group_id": 3}\n')
    with pytest.raises(DataError, match="line 7"):
        read_hits([path])
    assert Observation.model_validate_json(path.read_text().splitlines()[0]).item == "a"
