"""The listwise judge against a real HTTP server that answers well, badly, or not at all.

The good server computes its verdicts from the candidate text that it is given under each id, so a
verdict that ended up at another trajectory would be seen.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from listwise_harness import assert_right, judge_at, judged, run

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import ToolSpec
from telejudge_envs.nouns.trajectory import Failure, Group
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_envs.registry import open_world
from telejudge_judges import practice
from telejudge_judges.briefing import Briefing, WorldBriefings
from telejudge_judges.testing import (
    SAMPLE_TASK,
    SAMPLES,
    sample_group,
    sample_trajectory,
)

# -- a server that answers well


def test_every_verdict_is_its_own_trajectorys() -> None:
    verdict = judged(practice.answer)
    for mine, one in zip(verdict.verdicts, SAMPLES, strict=True):
        assert_right(mine, one)
        assert mine.confidence == 1.0
    assert verdict.order_flip_rate == 0.0
    assert verdict.calls == 2
    assert verdict.prompt_tokens == 20
    assert verdict.ranking[0] == ("t-solved",)
    assert GroupVerdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_the_groups_own_order_changes_nothing() -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        judge = judge_at(server)
        for order in itertools.islice(itertools.permutations(SAMPLES), 0, 120, 23):
            for mine, one in zip(run(judge, sample_group(*order)).verdicts, order, strict=True):
                assert_right(mine, one)
    prompts = {json.dumps(request["messages"]) for request in server.requests}
    assert len(prompts) == 2, "the same group must give the same two prompts"


def test_two_orders_are_each_others_reverse_and_share_no_id() -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        run(judge_at(server), sample_group())
    first, second = (practice.read_evidence(fake.texts(r)[0]) for r in server.requests)
    assert list(first.values()) == list(second.values())[::-1]
    assert not set(first) & set(second)


def test_nothing_that_names_the_truth_is_shown() -> None:
    told = ToolSpec(name="look", description="Looks.", parameters={"type": "object"})
    with fake.FakeEndpoint(practice.answer) as server:
        judge = judge_at(server, briefings=lambda _: Briefing(tools=(told,)))
        run(judge, sample_group())
    for request in server.requests:
        sent = json.dumps(request)
        assert "look()" in sent
        for hidden in (SAMPLE_TASK.id, "names_its_fault", "sample-agent", *(t.id for t in SAMPLES)):
            assert hidden not in sent


def test_a_world_that_does_not_know_the_task_costs_only_the_briefing() -> None:
    verdict = judged(practice.answer, briefings=WorldBriefings(open_world))
    assert_right(verdict.verdicts[0], SAMPLES[0])
    assert any("no world 'sample'" in note for note in verdict.notes)


def test_equal_trajectories_are_judged_once_and_tie() -> None:
    twin = SAMPLES[0].model_copy(update={"id": "t-twin"})
    verdict = judged(practice.answer, sample_group(*SAMPLES, twin))
    assert verdict.ranking[0] == ("t-solved", "t-twin")
    assert any("1 of 6 trajectories equal another" in note for note in verdict.notes)
    apart = judged(practice.answer, sample_group(*SAMPLES, twin), merge_identical=False)
    assert apart.ranking[0] == ("t-solved", "t-twin")
    assert apart.notes == ()


def test_a_single_trajectory_needs_one_order() -> None:
    verdict = judged(practice.answer, sample_group(SAMPLES[0]))
    assert_right(verdict.verdicts[0], SAMPLES[0])
    assert (verdict.calls, verdict.order_flip_rate) == (1, None)


def test_an_empty_group_costs_nothing() -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        verdict = run(judge_at(server), Group(id="g", task=SAMPLE_TASK, trajectories=()))
    assert verdict.verdicts == ()
    assert not server.requests


def test_failures_of_others_are_not_judged() -> None:
    dead = Failure(owner="endpoint", cause="timeout")
    rollouts = (
        SAMPLES[0],
        sample_trajectory("t-dead", "look", stop="failed", failure=dead),
        sample_trajectory("t-late", "look", stop="deadline"),
        sample_trajectory(
            "t-own", "look", stop="agent_error", failure=Failure(owner="agent", cause="x")
        ),
    )
    with fake.FakeEndpoint(practice.answer) as server:
        verdict = run(judge_at(server), sample_group(*rollouts))
    causes = [v.abstained for v in verdict.verdicts]
    assert causes == [None, "endpoint: timeout", "stopped by deadline, not by the agent", None]
    assert all(len(practice.opinions(r)) == 2 for r in server.requests)


def test_two_trajectories_of_one_id_are_refused() -> None:
    with fake.FakeEndpoint(practice.answer) as server:  # noqa: SIM117
        with pytest.raises(UsageError, match="same id"):
            run(judge_at(server), sample_group(SAMPLES[0], SAMPLES[0]))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_languages(language: str) -> None:
    verdict = judged(practice.answer, language=language)
    assert [v.abstained for v in verdict.verdicts] == [None] * 5


def test_json_mode_is_passed_on() -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        run(judge_at(server, json_mode=True), sample_group())
    assert server.requests[0]["response_format"] == {"type": "json_object"}


def test_fences_prose_and_thinking_are_tolerated() -> None:
    def script(request: dict[str, Any], n: int) -> fake.Reply:
        body = json.dumps({"verdicts": practice.opinions(request)}, indent=1)
        junk = '<think>{"verdicts": {}} hmm</think>Here {is} my view:\n```json\n'
        return fake.say(f"{junk}{body}\n```\nThat is all.")

    for mine, one in zip(judged(script).verdicts, SAMPLES, strict=True):
        assert_right(mine, one)


# -- orders that disagree


def first_wins(request: dict[str, Any], _n: int) -> fake.Reply:
    """A judge with position bias: only the first candidate is right."""
    opinions = practice.opinions(request)
    for i, opinion in enumerate(opinions.values()):
        opinion.update(answer=int(i == 0), defects=[])
    return fake.say(json.dumps({"verdicts": opinions}))


def test_position_bias_is_outvoted_and_reported() -> None:
    verdict = judged(first_wins)
    assert verdict.calls == 3, "the disagreement costs a third order"
    assert verdict.order_flip_rate is not None
    assert verdict.order_flip_rate > 0
    assert {v.answer for v in verdict.verdicts} == {0}, "one vote of three is no majority"


def test_a_standing_tie_is_abstained() -> None:
    verdict = judged(first_wins, tie_break=False)
    assert verdict.calls == 2
    causes = sorted(str(v.abstained) for v in verdict.verdicts)
    assert causes == ["None"] * 3 + ["orders_disagree"] * 2


def test_a_grave_defect_needs_a_majority() -> None:
    def script(request: dict[str, Any], n: int) -> fake.Reply:
        opinions = practice.opinions(request)
        if n == 0:
            for opinion in opinions.values():
                grave = {"step": None, "kind": "other", "severity": "safety", "reason": "?"}
                opinion["defects"] = [*opinion["defects"], grave]
        return fake.say(json.dumps({"verdicts": opinions}))

    verdict = judged(script)
    assert verdict.calls == 3
    for mine, one in zip(verdict.verdicts, SAMPLES, strict=True):
        assert_right(mine, one)


# -- the prompt and the budget


def test_a_prompt_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "mine.jinja"
    own.write_text(
        "{% block system %}Mine: {{ fence }}{% endblock %}"
        "{% block user %}{{ evidence }}{% endblock %}{% block repair %}{% endblock %}"
    )
    with fake.FakeEndpoint(practice.answer) as server:
        run(judge_at(server, prompt_path=own), sample_group())
    assert server.requests[0]["messages"][0]["content"].startswith("Mine: ")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{% block system %}{% endblock %}", "no block user, repair"),
        ("{% block system %}{{", "line 1"),
    ],
)
def test_a_broken_prompt_explains_itself(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "mine.jinja").write_text(text)
    with fake.FakeEndpoint(practice.answer) as server:
        with pytest.raises(UsageError, match=complaint):
            judge_at(server, prompt_path=tmp_path / "mine.jinja")
        with pytest.raises(UsageError, match="cannot be read"):
            judge_at(server, prompt_path=tmp_path / "none.jinja")
        with pytest.raises(UsageError, match="choose en, zh"):
            judge_at(server, language="fr")


def test_a_group_beyond_the_budget_is_abstained_without_a_call() -> None:
    verdict = judged(practice.answer, budget_tokens=50)
    assert {v.abstained for v in verdict.verdicts} == {"over_budget"}
    assert verdict.calls == 0
    assert any("raise budget_tokens" in note for note in verdict.notes)
