"""The listwise judge against servers that answer wrongly or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from listwise_harness import Opinions, assert_right, broken, is_repair, judge_at, judged, run

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.nouns.verdict import Verdict
from telejudge_judges import practice
from telejudge_judges.testing import (
    SAMPLES,
    sample_group,
)

# -- a server whose answers have something wrong in them

SPOILS: dict[str, tuple[Callable[[Opinions], object], str]] = {
    "missing": (lambda o: o.pop(min(o)) and None, "missing"),
    "out of range tools": (lambda o: o[min(o)].update(tools=7), "out_of_range"),
    "negative tools": (lambda o: o[min(o)].update(tools=-0.1), "out_of_range"),
    "NaN tools": (lambda o: o[min(o)].update(tools=float("nan")), "out_of_range"),
    "answer of 2": (lambda o: o[min(o)].update(answer=2), "out_of_range"),
    "answer in words": (lambda o: o[min(o)].update(answer="yes"), "wrong_type"),
    "no answer": (lambda o: o[min(o)].__delitem__("answer"), "missing"),
    "tools as text": (lambda o: o[min(o)].update(tools="fair"), "wrong_type"),
    "entry is a number": (lambda o: o.update({min(o): 1}), "wrong_type"),  # type: ignore[dict-item]
    "no such step": (
        lambda o: o[min(o)].update(
            defects=[{"step": 99, "kind": "other", "severity": "soft", "reason": "x"}]
        ),
        "out_of_range",
    ),
    "unknown severity": (
        lambda o: o[min(o)].update(
            defects=[{"step": 0, "kind": "other", "severity": "grave", "reason": "x"}]
        ),
        "wrong_type",
    ),
    "duplicated": (
        lambda o: f'{{"verdicts": {json.dumps(o)[:-1]}, "{min(o)}": {json.dumps(o[min(o)])}}}}}',
        "duplicated",
    ),
    "duplicated in a list": (
        lambda o: {"verdicts": [{"id": i, **e} for i, e in [*o.items(), (min(o), o[min(o)])]]},
        "duplicated",
    ),
}


@pytest.mark.parametrize("name", SPOILS)
def test_one_repair_turn_that_says_what_was_wrong(name: str) -> None:
    spoil, _ = SPOILS[name]
    with fake.FakeEndpoint(broken(spoil)) as server:
        verdict = run(judge_at(server), sample_group())
    for mine, one in zip(verdict.verdicts, SAMPLES, strict=True):
        assert_right(mine, one)
    assert verdict.calls == 4
    assert verdict.notes == ("a reply was repaired",)
    for request in filter(is_repair, server.requests):
        worst = min(practice.opinions(request))
        assert f'"{worst}"' in request["messages"][-1]["content"]
        assert request["messages"][-2]["role"] == "assistant"


@pytest.mark.parametrize("name", SPOILS)
def test_what_cannot_be_repaired_is_abstained_and_the_others_stay_right(name: str) -> None:
    spoil, cause = SPOILS[name]

    def spoil_the_same_one(opinions: Opinions) -> object:
        """The candidate that only looked, whatever its id: the same trajectory in every order."""
        victim = next(i for i, o in opinions.items() if not o["answer"] and o["tools"] == 0.98)
        renamed = {("!" + i if i == victim else i): o for i, o in opinions.items()}
        changed = spoil(renamed)  # "!" sorts first, so it is the one that is spoilt
        opinions.clear()
        opinions.update({i.lstrip("!"): o for i, o in renamed.items()})
        if changed is None:
            return None
        text = changed if isinstance(changed, str) else json.dumps(changed)
        return text.replace("!", "")

    verdict = judged(broken(spoil_the_same_one, repaired=False))
    for mine, one in zip(verdict.verdicts, SAMPLES, strict=True):
        if one.id == "t-looked":
            assert mine == Verdict(trajectory_id=one.id, abstained=cause)
        else:
            assert_right(mine, one)
    assert verdict.calls == 5, "one repair turn for each order, one call for him alone"
    assert "t-looked" not in [i for tier in verdict.ranking for i in tier]


def test_an_invented_id_is_asked_about_and_never_used() -> None:
    def invent(opinions: Opinions) -> None:
        opinions["zzzz"] = {"answer": 1, "tools": 1.0}

    for repaired, calls in ((True, 4), (False, 4)):
        with fake.FakeEndpoint(broken(invent, repaired=repaired)) as server:
            verdict = run(judge_at(server), sample_group())
        for mine, one in zip(verdict.verdicts, SAMPLES, strict=True):
            assert_right(mine, one)
        assert verdict.calls == calls
        assert '"zzzz" is no candidate' in server.requests[-1]["messages"][-1]["content"]


@pytest.mark.parametrize(
    "text", ["I think all did well.", '{"verdicts": {"', "", "{}", "[]", "[1,0,1,1,0]", "null"]
)
def test_no_json_no_score(text: str) -> None:
    verdict = judged(fake.in_turn(fake.say(text)))
    causes = {v.abstained for v in verdict.verdicts}
    assert causes <= {"unparseable", "missing"}
    assert causes
    assert verdict.ranking == ()


def test_a_reply_cut_at_its_length_limit_says_so_in_the_repair() -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        if is_repair(request):
            return practice.answer(request)
        return fake.say('{"verdicts": {"abcd": {"ans', finish_reason="length")

    with fake.FakeEndpoint(script) as server:
        verdict = run(judge_at(server), sample_group())
    assert [v.abstained for v in verdict.verdicts] == [None] * 5
    assert "cut off" in server.requests[-1]["messages"][-1]["content"]


# -- a server that fails


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (fake.fail(500), "server_error"),
        (fake.fail(429, retry_after="0.01"), "rate_limited"),
        (fake.fail(429, retry_after="100"), "rate_limited"),
        (fake.hang(), "timeout"),
        (fake.drop(), "connection"),
        (fake.fail(400, "maximum context length exceeded"), "context_overflow"),
        (fake.fail(401), "auth"),
        (fake.raw("<html>"), "bad_response"),
        (fake.choice({"role": "assistant", "content": None, "refusal": "no"}), "refused"),
    ],
)
def test_a_failing_endpoint_makes_abstentions_with_its_cause(reply: fake.Reply, cause: str) -> None:
    began = time.monotonic()
    patience = 0.5 if reply.act == "hang" else 10
    verdict = judged(fake.in_turn(reply), timeout_s=patience)
    assert {v.abstained for v in verdict.verdicts} == {cause}
    assert all(v.reward is None for v in verdict.verdicts)
    assert verdict.calls >= 2, "failed requests are counted"
    assert any("model m" in note for note in verdict.notes)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "trouble", [fake.fail(429, retry_after="0.3"), fake.fail(500), fake.drop()]
)
def test_passing_trouble_is_waited_out(trouble: fake.Reply) -> None:
    def script(request: dict[str, Any], n: int) -> fake.Reply:
        return trouble if n < 2 else practice.answer(request)

    for mine, one in zip(judged(script).verdicts, SAMPLES, strict=True):
        assert_right(mine, one)


def test_one_dead_order_leaves_the_other_with_less_confidence() -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        seen = list(practice.read_evidence(fake.texts(request)[0]).values())
        return practice.answer(request) if seen[0].calls < seen[-1].calls else fake.fail(500)

    verdict = judged(script)
    for mine, one in zip(verdict.verdicts, SAMPLES, strict=True):
        assert_right(mine, one)
        assert mine.confidence == 0.5
    assert verdict.order_flip_rate is None


def test_a_repair_that_hangs_keeps_what_was_sound() -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        if is_repair(request):
            return fake.hang()
        opinions = practice.opinions(request)
        victim = next(i for i, o in opinions.items() if not o["answer"] and o["tools"] == 0.98)
        del opinions[victim]
        return fake.say(json.dumps({"verdicts": opinions}))

    verdict = judged(script, timeout_s=1)
    assert {v.trajectory_id: v.abstained for v in verdict.verdicts if v.abstained} == {
        "t-looked": "timeout"
    }
