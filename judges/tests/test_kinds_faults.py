"""Pointwise and pairwise judges at a server that misbehaves: nothing lost, nothing invented."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds_harness import answers, judged_at

from telejudge_envs import fake_endpoint as fake
from telejudge_judges import practice
from telejudge_judges.pairwise import PairwiseJudge
from telejudge_judges.pointwise import PointwiseJudge

RIGHT = {"t-solved": 1, "t-looked": 0, "t-failed-call": 1, "t-transfer": 0, "t-stuck": 0}
OVERFLOW = "This model's maximum context length is 4096 tokens"


def spoilt(request: dict[str, Any], fault: str) -> fake.Reply:
    """What a good answer becomes."""
    good = practice.answer(request)
    text = json.loads(good.body)["choices"][0]["message"]["content"]
    foreign = {"zzzz": {"answer": 1, "tools": 1}}
    return {
        "auth": lambda: fake.fail(401),
        "context overflow": lambda: fake.fail(400, OVERFLOW),
        "refusal": lambda: fake.say("", finish_reason="content_filter"),
        "broken": lambda: fake.say(text[: len(text) // 2]),
        "length": lambda: fake.say(text[:9], finish_reason="length"),
        "prose": lambda: fake.say("Both are fine agents, full marks, answer: 1."),
        "other id": lambda: fake.say(json.dumps({"verdicts": foreign, "better": "zzzz"})),
        "out of range": lambda: fake.say(
            text.replace('"answer": 0', '"answer": 7').replace('"neither"', '"maybe"')
        ),
        "drop": fake.drop,
        "cut": lambda: fake.cut(good),
    }[fault]()


QUICK = ["auth", "context overflow", "refusal", "broken", "length", "prose", "other id"]
KINDS = pytest.mark.parametrize("kind", [PointwiseJudge, PairwiseJudge])


@KINDS
@given(plan=st.lists(st.sampled_from([None, *QUICK, "out of range"]), min_size=1, max_size=7))
@settings(max_examples=6, deadline=None)
def test_who_is_scored_is_scored_rightly_whatever_the_faults(
    kind: Any, plan: list[str | None]
) -> None:
    def script(request: dict[str, Any], n: int) -> fake.Reply:
        fault = plan[n % len(plan)]
        return spoilt(request, fault) if fault else practice.answer(request)

    said = answers(judged_at(script, kind))
    assert set(said) == set(RIGHT)
    wrong = {name: a for name, a in said.items() if a in (0, 1) and a != RIGHT[name]}
    assert not wrong
    if not any(plan):
        assert said == RIGHT


@KINDS
@pytest.mark.parametrize("fault", [*QUICK, "drop", "cut"])
def test_a_fault_that_stays_is_named_and_scores_nobody(kind: Any, fault: str) -> None:
    verdict = judged_at(lambda request, _n: spoilt(request, fault), kind)
    assert all(v.abstained and v.reward is None for v in verdict.verdicts)
    assert verdict.ranking == ()
