"""Rows show a trainee what the judge is shown at inference, byte by byte, and ask for the truth."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from judge_data_harness import answer_groups, groups, one_of_each

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.registry import open_world
from telejudge_judges.briefing import WorldBriefings
from telejudge_judges.registry import open_judge
from telejudge_judges.scalar import Reader
from telejudge_judges.settings import JudgeSettings
from telejudge_judges.sitting import briefing_of
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.judge_rows import RowMaker
from telejudge_training.judge_data.reward_rows import RewardRows
from telejudge_training.judge_data.rows import GroupRow, JudgeRow

MAKING = Making("rows", 0, {})


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> list[GroupRow]:
    answers = one_of_each(answer_groups(tmp_path_factory.mktemp("answers")))
    return [*one_of_each(groups()), *answers]


def judged_with(judge: str, settings: JudgeSettings, group: GroupRow, rows: list[JudgeRow]):
    """The real judge at a server that answers what the rows want; and what it was asked."""
    replies = {row.prompt[1].content: row.completion[0].content for row in rows}

    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        return fake.say(replies[fake.texts(request)[0]])

    with fake.FakeEndpoint(script) as server:
        own = settings.with_({"base_url": server.base_url, "model": "student"})
        verdict = asyncio.run(open_judge(judge, own).judge(group.group))
        return verdict, server.requests


@pytest.mark.parametrize("codec", ["json", "boxed", "tuple"])
@pytest.mark.parametrize("judge", ["listwise", "pointwise"])
def test_prompts_are_those_of_the_judge_and_replies_give_the_truth(samples, judge, codec):
    settings = JudgeSettings(codec=codec)
    maker = RowMaker(judge, settings, MAKING)
    for group in samples:
        rows = list(maker.rows(group))
        verdict, requests = judged_with(judge, settings, group, rows)
        asked = {tuple((m["role"], m["content"]) for m in r["messages"]) for r in requests}
        assert asked == {tuple((t.role, t.content) for t in row.prompt) for row in rows}
        for one in verdict.verdicts:
            truth = group.truths[one.trajectory_id]
            assert one.abstained is None
            assert one.answer == truth.answer
            assert one.tools == pytest.approx(truth.tools, abs=0.051)
        if codec == "json":
            found = {
                v.trajectory_id: {(d.step, d.kind) for d in v.defects} for v in verdict.verdicts
            }
            wanted = {n: {(d.step, d.kind) for d in t.defects} for n, t in group.truths.items()}
            assert found == wanted


@pytest.mark.parametrize("changes", [{"budget": 5000}, {"language": "zh"}, {"orders": 4}])
def test_windows_languages_and_orders_are_the_judges_too(samples, changes):
    """A tight budget splits a group in windows; the rows are the windows."""
    settings = JudgeSettings(codec="boxed", tie_break=False).with_(changes)
    group = max(samples, key=lambda g: len(g.group.model_dump_json()))
    rows = list(RowMaker("listwise", settings, MAKING).rows(group))
    verdict, requests = judged_with("listwise", settings, group, rows)
    asked = [r["messages"][1]["content"] for r in requests]
    assert sorted(asked) == sorted(row.prompt[1].content for row in rows)
    assert {v.trajectory_id: v.answer for v in verdict.verdicts} == {
        name: truth.answer for name, truth in group.truths.items()
    }
    if "budget" in changes:
        assert any(len(row.shown) < len(group.truths) for row in rows)
        for row in rows:  # words about a window speak of nobody else
            assert "another" not in row.completion[0].content
            assert "«" not in row.completion[0].content


def test_orders_of_a_cohort_show_the_same_candidates_in_other_places(samples):
    group = next(g for g in samples if len(g.truths) > 2)
    rows = list(RowMaker("listwise", JudgeSettings(orders=3), MAKING).rows(group))
    assert [row.order for row in rows] == [0, 1, 2]
    assert len({row.cohort for row in rows}) == 1
    assert len({tuple(one.members for one in row.shown) for row in rows}) == 3
    assert len({frozenset(one.members for one in row.shown) for row in rows}) == 1


def test_rows_for_grpo_have_prompts_and_truth_but_no_reply(samples):
    maker = RowMaker("listwise", JudgeSettings(), MAKING, replies=False)
    for row in maker.rows(samples[0]):
        assert row.completion == ()
        assert {m for one in row.shown for m in one.members} == set(samples[0].truths)


def test_verdicts_alone_where_words_are_not_wanted(samples):
    maker = RowMaker("listwise", JudgeSettings(codec="tuple"), MAKING, with_words=False)
    for row in maker.rows(samples[0]):
        assert row.completion[0].content.startswith("[(")


class Head:
    """A reward head that only notes what it reads."""

    max_tokens = 10**6

    def __init__(self) -> None:
        self.read: list[str] = []

    def tokens(self, text: str) -> int:
        return 1

    def logit(self, text: str) -> float:
        self.read.append(text)
        return 0.0


@pytest.mark.parametrize("budget", [24_000, 6_000])
def test_reward_rows_hold_the_text_that_the_scalar_judge_reads(samples, budget):
    maker = RewardRows(JudgeSettings(budget=budget), MAKING)
    briefings = WorldBriefings(open_world)
    for group in samples:
        ranked = maker.ranked(group)
        assert ranked is not None
        told = dict(zip(ranked.members, ranked.responses, strict=True))
        brief, _ = briefing_of(briefings, group.group.task)
        for one in group.group.trajectories:
            head = Head()
            Reader(head, budget_tokens=budget).score(group.group, one, brief)  # pyright: ignore
            assert head.read == [ranked.prompt + told[one.id]]
        assert list(ranked.rewards) == sorted(ranked.rewards, reverse=True)
        for pair in maker.pairs(group):
            assert pair.prompt == ranked.prompt
            assert (pair.chosen, pair.rejected) == (told[pair.chosen_id], told[pair.rejected_id])
            assert pair.margin > 0
