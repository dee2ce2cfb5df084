"""Rewards of judge GRPO: what is right earns, and no way of writing earns what is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.codec import Entry, codec_named
from telejudge_training.judge_data.rows import ShownCandidate
from telejudge_training.judge_training.settings import GrpoSettings
from telejudge_training.judge_training.verdict_rewards import (
    Scored,
    consistent_rewards,
    disagreement,
    score_reply,
    verdict_reward,
)

SETTINGS = GrpoSettings()
KINDS = ("redundant_call", "wrong_target", "early_stop", "ignored_error")
NAMES = ("k7qm", "p3xd", "w9zt", "b4gh", "d2rn")


@st.composite
def groups(draw: st.DrawFn) -> tuple[ShownCandidate, ...]:
    return tuple(
        ShownCandidate(
            name=name,
            members=(f"t{name}",),
            calls=(calls := draw(st.integers(1, 6))),
            answer=draw(st.sampled_from((0, 1))),
            tools=0.5,
            defects=tuple(defect(*d) for d in draw(st.sets(places(calls), max_size=3))),
        )
        for name in NAMES[: draw(st.integers(1, 5))]
    )


def places(calls: int) -> st.SearchStrategy[tuple[int, str]]:
    return st.tuples(st.integers(0, calls - 1), st.sampled_from(KINDS))


def defect(step: int | None, kind: str, reason: str = "it is so") -> Defect:
    return Defect(step=step, kind=kind, severity="soft", reason=reason)


def truth(shown: Sequence[ShownCandidate], reason: str = "it is so") -> dict[str, Entry]:
    return {
        c.name: Entry(c.answer, 0.5, tuple(defect(d.step, d.kind, reason) for d in c.defects or ()))
        for c in shown
    }


def wrote(entries: dict[str, Entry], appraisal: str = "", comparison: str = "") -> str:
    said = dict.fromkeys(entries, appraisal) if appraisal else {}
    return codec_named("json").write(entries, said, comparison)


def reward(entries: dict[str, Entry], shown: Sequence[ShownCandidate], **words: str) -> float:
    return verdict_reward(wrote(entries, **words), "json", shown, SETTINGS)


def silent(entries: dict[str, Entry]) -> dict[str, Entry]:
    return {name: Entry(e.answer, e.tools) for name, e in entries.items()}


@given(groups())
def test_the_truth_earns_one_and_a_tenth_for_each_defect(shown: tuple[ShownCandidate, ...]) -> None:
    defects = sum(len(c.defects or ()) for c in shown)
    assert reward(truth(shown), shown) == pytest.approx(1 + 0.1 * defects)
    assert reward(silent(truth(shown)), shown) == pytest.approx(1)


@given(groups(), st.data())
def test_every_wrong_verdict_costs_its_share(
    shown: tuple[ShownCandidate, ...], data: st.DataObject
) -> None:
    entries = silent(truth(shown))
    for name in data.draw(st.sets(st.sampled_from([c.name for c in shown]))):
        before = reward(entries, shown)
        entries[name] = Entry(1 - entries[name].answer, 0.5)  # type: ignore[arg-type]
        assert reward(entries, shown) == pytest.approx(before - 1 / len(shown))


@given(groups())
def test_naming_every_step_with_every_kind_earns_less_than_silence(
    shown: tuple[ShownCandidate, ...],
) -> None:
    """Only where a group has more true defects than false names would that pay: not with 4 kinds
    a step, of which at most 3 in all are true."""
    every = {
        c.name: Entry(c.answer, 0.5, tuple(defect(s, k) for s in range(c.calls) for k in KINDS))
        for c in shown
    }
    true = sum(len(c.defects or ()) for c in shown)
    named = sum(len(e.defects) for e in every.values())
    scored = score_reply(wrote(every), "json", shown, SETTINGS)
    assert (scored.verified, scored.false_alarms) == (true, named - true)
    if named > 2 * true:
        assert scored.reward < reward(silent(truth(shown)), shown)
    assert scored.reward < reward(truth(shown), shown)


@given(groups(), st.integers(2, 20))
def test_a_defect_named_again_is_a_false_alarm(
    shown: tuple[ShownCandidate, ...], times: int
) -> None:
    entries = truth(shown)
    again = {name: Entry(e.answer, 0.5, e.defects * times) for name, e in entries.items()}
    extra = sum(len(e.defects) for e in entries.values()) * (times - 1)
    scored = score_reply(wrote(again), "json", shown, SETTINGS)
    assert scored.false_alarms == extra
    assert scored.reward <= reward(entries, shown)


@given(groups(), st.text(alphabet="abc xyz.", max_size=400))
def test_length_earns_nothing(shown: tuple[ShownCandidate, ...], words: str) -> None:
    plain = reward(truth(shown), shown)
    padded = truth(shown, reason=f"it is so {words}")
    assert reward(padded, shown, appraisal=f"seen {words}", comparison=f"so {words}") == plain


@given(groups(), st.data())
def test_doubled_entries_and_unknown_ids_earn_nothing(
    shown: tuple[ShownCandidate, ...], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([c.name for c in shown]))
    text = wrote(silent(truth(shown)))
    entry = f'"{name}": {json.dumps(json.loads(text)["verdicts"][name])}'
    other = entry.replace('"answer": 1', '"answer": 2').replace('"answer": 0', '"answer": 1')
    for second in (entry, other.replace('"answer": 2', '"answer": 0')):
        doubled = text.replace(entry, f"{entry}, {second}")
        assert verdict_reward(text, "json", shown, SETTINGS) == pytest.approx(1)
        assert verdict_reward(doubled, "json", shown, SETTINGS) == 0
    stranger = {**silent(truth(shown)), "zzzz": Entry(1, 1.0)}
    assert reward(stranger, shown) == 0


@given(groups(), st.text(max_size=200))
def test_text_that_is_no_verdict_earns_nothing(
    shown: tuple[ShownCandidate, ...], text: str
) -> None:
    if not any(c.name in text for c in shown):
        assert verdict_reward(text, "json", shown, SETTINGS) == 0
    torn = wrote(truth(shown))[: -len(wrote(truth(shown))) // 2]
    scored = score_reply(torn, "json", shown, SETTINGS)
    assert scored.right <= len(shown)


def test_candidates_whose_defects_nobody_knows_neither_earn_nor_pay() -> None:
    shown = (ShownCandidate(name="k7qm", members=("t",), calls=2, answer=1, defects=None),)
    named = {"k7qm": Entry(1, 0.5, (defect(0, KINDS[0]), defect(1, KINDS[1])))}
    assert reward(named, shown) == 1


def test_a_swamp_of_false_alarms_costs_one_at_most() -> None:
    shown = (ShownCandidate(name="k7qm", members=("t",), calls=6, answer=1, defects=()),)
    all_of_them = tuple(defect(s, k) for s in range(6) for k in KINDS)
    assert reward({"k7qm": Entry(1, 0.5, all_of_them)}, shown) == 0


# -- permutation consistency


def said(answers: dict[str, int], right: int = 0, shown: int = 2) -> Scored:
    return Scored(right / shown, right, shown, 0, 0, answers)


def test_disagreement_is_counted_against_other_orders_only() -> None:
    scored = [said({"a": 1, "b": 0}), said({"a": 0, "b": 0}), said({"a": 1, "b": 0})]
    assert disagreement(scored, [0, 0, 1]) == [0.0, 0.5, 0.25]
    assert disagreement(scored, [0, 0, 0]) == [0.0, 0.0, 0.0]


def test_saying_nothing_shares_no_verdict() -> None:
    scored = [said({}), said({"a": 1, "b": 0}), said({"a": 1})]
    assert disagreement(scored, [0, 1, 0]) == [1.0, 0.0, 0.5]


@given(st.data())
def test_turning_a_right_verdict_wrong_never_pays(data: st.DataObject) -> None:
    names = [f"t{i}" for i in range(data.draw(st.integers(1, 5)))]
    true: dict[str, int] = {name: data.draw(st.sampled_from((0, 1))) for name in names}
    replies: list[dict[str, int]] = [
        {n: data.draw(st.sampled_from((0, 1))) for n in names}
        for _ in range(data.draw(st.integers(2, 6)))
    ]
    orders = [i % 2 for i in range(len(replies))]
    settings = GrpoSettings(disagreement=data.draw(st.sampled_from((0.1, 0.5, 0.99))))
    mine: dict[str, Any] = {n: true[n] for n in names}

    def earned(answers: dict[str, int]) -> float:
        scored = [_scored(a, true) for a in (answers, *replies[1:])]
        return consistent_rewards(scored, orders, settings)[0]

    before = earned(mine)
    for name in names:
        assert earned({**mine, name: 1 - true[name]}) < before
        assert earned({n: a for n, a in mine.items() if n != name}) < before


def _scored(answers: dict[str, int], true: dict[str, int]) -> Scored:
    right = sum(answers[n] == true[n] for n in answers)
    return Scored(right / len(true), right, len(true), 0, 0, answers)
