"""The pairwise judge: preferences in both orders, and what a tournament makes of them."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds_harness import answers, judged_at, run_at

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.errors import UsageError
from telejudge_judges import practice
from telejudge_judges.codec import Entry
from telejudge_judges.pairwise import PairwiseJudge
from telejudge_judges.preference import Preference
from telejudge_judges.testing import SAMPLES, sample_group, sample_trajectory
from telejudge_judges.tournament import Game, pairings, strengths

SHOWN = {"k7qm": 3, "p3xd": 2}
TRUTHS = st.lists(st.sampled_from([0, 1]), min_size=2, max_size=7)
AGGREGATES = st.sampled_from(["bradley_terry", "win_rate"])

# -- the judge


@pytest.mark.parametrize("aggregate", ["bradley_terry", "win_rate"])
def test_each_pair_is_asked_in_both_orders_and_the_right_ones_win(aggregate: Any) -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        verdict = run_at(server, lambda c: PairwiseJudge(c, aggregate=aggregate))
    assert [v.answer for v in verdict.verdicts] == [1, 0, 1, 0, 0]
    assert verdict.order_flip_rate == 0.0
    assert verdict.calls == len(server.requests) == 20
    shown = [practice.read_evidence(fake.texts(r)[0]) for r in server.requests]
    seen = [tuple(candidates.values()) for candidates in shown]
    assert {(b, a) for a, b in seen} == set(seen)
    assert len(verdict.ballots) == 40
    tools = {v.trajectory_id: v.tools or 0.0 for v in verdict.verdicts}
    assert tools["t-looked"] > tools["t-transfer"] > tools["t-failed-call"]
    assert tools["t-transfer"] == tools["t-solved"] == tools["t-stuck"], "equal tools stay equal"


@pytest.mark.parametrize("truth", [(1, 1, 1), (0, 0, 0)])
def test_all_right_and_all_wrong_are_told_apart_and_tie(truth: tuple[int, ...]) -> None:
    calls = ("fix_a", "done") if truth[0] else ("look", "done")
    group = sample_group(*(sample_trajectory(f"t{i}", *["see"] * i, *calls) for i in range(3)))

    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        return fake.say(json.dumps({**practice.preference(request), "tools": "same"}))

    verdict = judged_at(script, PairwiseJudge, group)
    assert [v.answer for v in verdict.verdicts] == list(truth)
    assert len(verdict.ranking) == 1, "a tie stays a tie"


def test_a_judge_that_always_prefers_the_first_decides_nothing() -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        first = next(iter(practice.read_evidence(fake.texts(request)[0])))
        return fake.say(json.dumps({"better": first, "tools": first}))

    verdict = judged_at(script, PairwiseJudge)
    assert set(answers(verdict).values()) == {"undecided"}
    assert verdict.order_flip_rate == 1.0


def test_the_number_of_pairs_bounds_the_cost_and_leaves_nobody_out() -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        verdict = run_at(server, lambda c: PairwiseJudge(c, pairs=3))
    assert len(server.requests) == 6
    assert all(v.abstained is None for v in verdict.verdicts)
    assert "3 of 10 pairs asked" in verdict.notes
    few = judged_at(practice.answer, lambda c: PairwiseJudge(c, pairs=2))
    assert sum(cause == "not_compared" for cause in answers(few).values()) == 1


def test_half_a_pair_does_not_count() -> None:
    broken: set[str] = set()

    def script(request: dict[str, Any], n: int) -> fake.Reply:
        key = json.dumps(sorted(practice.read_evidence(fake.texts(request)[0]).values()))
        if key not in broken:
            broken.add(key)
            return fake.fail(401)
        return practice.answer(request)

    verdict = judged_at(script, PairwiseJudge)
    assert set(answers(verdict).values()) == {"auth"}
    assert {b.failed for b in verdict.ballots} == {None, "auth"}


def test_a_lone_trajectory_has_nobody_to_be_compared_with() -> None:
    twin = SAMPLES[0].model_copy(update={"id": "t-twin"})
    verdict = judged_at(practice.answer, PairwiseJudge, sample_group(SAMPLES[0], twin))
    assert set(answers(verdict).values()) == {"nobody_to_compare_with"}
    assert verdict.calls == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_bad_reply_is_repaired(language: str) -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        if len(request["messages"]) == 4:
            return practice.answer(request)
        return fake.say('{"better": "the first", "tools": "same"}')

    with fake.FakeEndpoint(script) as server:
        verdict = run_at(server, lambda c: PairwiseJudge(c, language=language))
    assert [v.answer for v in verdict.verdicts] == [1, 0, 1, 0, 0]
    repairs = [r for r in server.requests if len(r["messages"]) == 4]
    assert len(repairs) == 20
    assert '"better" must be one of' in repairs[0]["messages"][-1]["content"]


def test_the_groups_own_order_changes_nothing() -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        for order in (SAMPLES, SAMPLES[::-1]):
            said = answers(
                run_at(server, lambda c: PairwiseJudge(c, pairs=6), sample_group(*order))
            )
            assert said["t-solved"] == 1
    assert len({json.dumps(r["messages"]) for r in server.requests}) == 12


@pytest.mark.parametrize("wrong", [{"threshold": 1.0}, {"pairs": 0}])
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        judged_at(practice.answer, lambda c: PairwiseJudge(c, **wrong))


# -- preferences


@pytest.mark.parametrize(
    ("said", "points"),
    [
        ('{"better": "k7qm", "tools": "p3xd"}', ((1, 0.0), (0, 1.0))),
        ('{"better": "both", "tools": "same"}', ((1, 0.5), (1, 0.5))),
        ('{"better": "neither", "tools": "tie"}', ((0, 0.5), (0, 0.5))),
        ('<think>{"better": "p3xd"}</think>```json\n{"better":"K7QM", "tools":"k7qm",}\n```',
         ((1, 1.0), (0, 0.0))),
        ('{“better”:“两者”,“tools”:“相同”}', ((1, 0.5), (1, 0.5))),
    ],
)  # fmt: skip
def test_preferences_are_read(said: str, points: tuple[tuple[int, float], ...]) -> None:
    reading = Preference().read(said, SHOWN)
    assert not reading.problems
    assert [(e.answer, e.tools) for e in reading.entries.values()] == list(points)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("k7qm is better.", "unparseable"),
        ('{"better": "k7qm"', "unparseable"),
        ('{"better": "k7qm"}', "missing"),
        ('{"better": "zzzz", "tools": "same"}', "out_of_range"),
        ('{"better": "tie", "tools": "same"}', "out_of_range"),
        ('{"better": 1, "tools": "same"}', "wrong_type"),
        ('{"better": "k7qm", "better": "p3xd", "tools": "same"}', "duplicated"),
    ],
)
def test_what_is_no_preference_is_a_problem_and_no_point(said: str, kind: str) -> None:
    reading = Preference().read(said, SHOWN)
    assert reading.problems[0].kind == kind
    assert not reading.entries


@given(right=st.tuples(st.sampled_from([0, 1]), st.sampled_from([0, 1])), tools=st.integers(0, 2))
def test_a_written_preference_is_read_back(right: tuple[int, int], tools: int) -> None:
    shares = ((0.5, 0.5), (1.0, 0.0), (0.0, 1.0))[tools]
    entries = {
        name: Entry(1 if r else 0, s) for name, r, s in zip(SHOWN, right, shares, strict=True)
    }
    said = Preference().write(entries, {"k7qm": "Fine."}, "Much the same.")
    assert Preference().read(said, SHOWN).entries == entries


# -- tournaments


def games_of(truth: list[int]) -> list[Game]:
    pairs = itertools.permutations(range(len(truth)), 2)
    return [Game(a, b, (truth[a], truth[b])) for a, b in pairs]


@given(truth=TRUTHS, aggregate=AGGREGATES)
@settings(max_examples=50)
def test_true_preferences_give_true_answers_and_equal_records_equal_strengths(
    truth: list[int], aggregate: Any
) -> None:
    found = strengths(games_of(truth), len(truth), aggregate)
    assert [s is not None and s > 0.5 for s in found] == [bool(t) for t in truth]
    assert len(set(found)) == len(set(truth))


@given(truth=TRUTHS, seed=st.integers(0, 999), aggregate=AGGREGATES)
@settings(max_examples=40)
def test_the_order_of_games_and_of_sides_changes_no_strength(
    truth: list[int], seed: int, aggregate: Any
) -> None:
    rng = random.Random(seed)
    games = [g for g in games_of(truth) if rng.random() < 0.7]
    turned = [Game(b, a, (two, one)) for a, b, (one, two) in games]
    rng.shuffle(turned)
    size = len(truth)
    assert strengths(turned, size, aggregate) == strengths(games, size, aggregate)


def test_bradley_terry_counts_whom_one_beat() -> None:
    chain = [Game(0, 1, (1, 0)), Game(1, 2, (1, 0)), Game(2, 3, (1, 0))]
    found = strengths(chain, 4, "bradley_terry")
    assert sorted(found, key=lambda s: -(s or 0)) == found
    assert len(set(found)) == 4
    rates = strengths(chain, 4, "win_rate")
    assert rates[1] == rates[2] == 0.5
    assert strengths(chain, 5, "win_rate")[4] is None


@given(size=st.integers(2, 12), limit=st.integers(1, 80))
def test_any_number_of_pairs_is_spread_evenly(size: int, limit: int) -> None:
    every = pairings(size, None, "key")
    assert sorted(every) == list(itertools.combinations(range(size), 2))
    chosen = pairings(size, limit, "key")
    assert chosen == every[:limit]
    games = [sum(n in pair for pair in chosen) for n in range(size)]
    assert max(games) - min(games) <= 2
    if limit >= size:
        assert min(games) >= 1
