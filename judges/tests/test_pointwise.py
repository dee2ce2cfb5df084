"""The pointwise judge against a real HTTP server: one candidate a call, to each its own verdict."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from kinds_harness import answers, judged_at, run_at
from listwise_harness import assert_right

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import ToolSpec
from telejudge_envs.nouns.trajectory import Failure, Group
from telejudge_judges import practice
from telejudge_judges.briefing import Briefing
from telejudge_judges.pointwise import PointwiseJudge
from telejudge_judges.testing import SAMPLE_TASK, SAMPLES, sample_group, sample_trajectory


def test_each_call_shows_one_trajectory_and_its_verdict_is_that_trajectorys() -> None:
    told = ToolSpec(name="look", description="Looks.", parameters={"type": "object"})
    with fake.FakeEndpoint(practice.answer) as server:
        verdict = run_at(
            server, lambda c: PointwiseJudge(c, briefings=lambda _: Briefing(tools=(told,)))
        )
    for mine, one in zip(verdict.verdicts, SAMPLES, strict=True):
        assert_right(mine, one)
    assert verdict.calls == len(server.requests) == len(SAMPLES)
    for request in server.requests:
        assert len(practice.read_evidence(fake.texts(request)[0])) == 1
        sent = json.dumps(request)
        assert "look()" in sent
        for hidden in (SAMPLE_TASK.id, "names_its_fault", "sample-agent", *(t.id for t in SAMPLES)):
            assert hidden not in sent
    assert [(b.trajectory_id, b.answer) for b in verdict.ballots] == [
        (v.trajectory_id, v.answer) for v in verdict.verdicts
    ]


def test_calls_are_made_side_by_side_within_the_endpoints_bound() -> None:
    company = threading.Barrier(2, timeout=5)

    def script(request: dict[str, Any], n: int) -> fake.Reply:
        if n < 2:
            company.wait()  # the first is answered only when a second is under way
        return practice.answer(request)

    many = [sample_trajectory(f"t{i}", *["look"] * (i + 1), "done") for i in range(20)]
    with fake.FakeEndpoint(script) as server:
        verdict = run_at(server, PointwiseJudge, sample_group(*many))
    assert all(v.abstained is None for v in verdict.verdicts)
    assert 1 < server.most_at_once <= 8


def test_what_is_shown_of_one_depends_on_nobody_else() -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        for others in ((), SAMPLES[1:], SAMPLES[3:]):
            run_at(server, PointwiseJudge, sample_group(SAMPLES[0], *others))
    sent = [json.dumps(request["messages"]) for request in server.requests]
    assert len(sent) == 1 + 5 + 3
    assert len(set(sent)) == 5


def test_equal_trajectories_are_judged_once_unless_asked_for_apart() -> None:
    twin = SAMPLES[0].model_copy(update={"id": "t-twin"})
    group = sample_group(*SAMPLES, twin)
    once = judged_at(practice.answer, PointwiseJudge, group)
    assert (once.calls, once.ranking[0]) == (5, ("t-solved", "t-twin"))
    apart = judged_at(practice.answer, lambda c: PointwiseJudge(c, merge_identical=False), group)
    assert (apart.calls, apart.ranking[0]) == (6, ("t-solved", "t-twin"))
    assert once.judge_version != apart.judge_version


def test_a_failing_server_gives_causes_and_never_scores() -> None:
    assert set(answers(judged_at(lambda _r, _n: fake.fail(401), PointwiseJudge)).values()) == {
        "auth"
    }
    nonsense = judged_at(lambda _r, _n: fake.say("I like them all."), PointwiseJudge)
    assert set(answers(nonsense).values()) == {"unparseable"}
    assert nonsense.calls == 10, "one repair turn each"


def test_one_bad_reply_costs_only_its_own_trajectory() -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        seen = next(iter(practice.read_evidence(fake.texts(request)[0]).values()))
        bad = "transfer_to_human_agents" in seen.calls
        return fake.say("{}") if bad else practice.answer(request)

    said = answers(judged_at(script, PointwiseJudge))
    assert said.pop("t-transfer") == "unparseable"
    assert set(said.values()) == {0, 1}


def test_a_repaired_reply_counts() -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        repaired = len(request["messages"]) == 4
        return practice.answer(request) if repaired else fake.say('{"verdicts": {"x": {}}}')

    for mine, one in zip(judged_at(script, PointwiseJudge).verdicts, SAMPLES, strict=True):
        assert_right(mine, one)


def test_others_failures_and_empty_groups_cost_nothing() -> None:
    dead = sample_trajectory(
        "t-dead", "look", stop="failed", failure=Failure(owner="endpoint", cause="timeout")
    )
    with fake.FakeEndpoint(practice.answer) as server:
        verdict = run_at(server, PointwiseJudge, sample_group(dead))
        run_at(server, PointwiseJudge, Group(id="g", task=SAMPLE_TASK, trajectories=()))
    assert answers(verdict) == {"t-dead": "endpoint: timeout"}
    assert server.requests == []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("codec", ["json", "boxed", "tuple"])
def test_formats_and_languages(language: str, codec: str) -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        ((name, said),) = practice.opinions(request).items()
        if codec == "json":
            return practice.answer(request)
        if codec == "boxed":
            return fake.say(
                rf"answers: \boxed{{{said['answer']}}} tools: \boxed{{{said['tools']}}}"
            )
        return fake.say(f"[({name}, {said['answer']}, {said['tools']})]")

    verdict = judged_at(script, lambda c: PointwiseJudge(c, codec=codec, language=language))
    assert [v.answer for v in verdict.verdicts] == [1, 0, 1, 0, 0]
    assert [v.tools for v in verdict.verdicts] == [0.96, 0.98, 0.75, 0.96, 0.96]


def test_a_second_pass_makes_no_call(tmp_path: Path) -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        first = run_at(server, lambda c: PointwiseJudge(c, cache=tmp_path))
        again = run_at(server, lambda c: PointwiseJudge(c, cache=tmp_path))
    assert (len(server.requests), again.calls, again.cached_calls) == (5, 0, 5)
    assert again.verdicts == first.verdicts


def test_over_budget_is_abstained_without_a_call() -> None:
    verdict = judged_at(practice.answer, lambda c: PointwiseJudge(c, budget_tokens=40))
    assert set(answers(verdict).values()) == {"over_budget"}
    assert verdict.calls == 0


@pytest.mark.parametrize(
    ("wrong", "told"), [({"language": "fr"}, "choose en, zh"), ({"codec": "xml"}, "xml")]
)
def test_wrong_options_are_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        judged_at(practice.answer, lambda c: PointwiseJudge(c, **wrong))
