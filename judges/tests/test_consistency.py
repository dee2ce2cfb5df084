"""The consistency judge: majorities of facts, and what a wrong majority does to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds_harness import answers, run

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.trajectory import Change, Failure, Group, TokenTrace, Trajectory
from telejudge_envs.registry import open_world
from telejudge_judges.briefing import Briefing, WorldBriefings
from telejudge_judges.consistency import ConsistencyJudge, confidence
from telejudge_judges.endings import clean, ending_of, plain_words
from telejudge_judges.testing import SAMPLE_TASK, SAMPLES, sample_group, sample_trajectory


def ended(name: str, **state: Any) -> Trajectory:
    """A rollout that set these paths, one call each."""
    calls = [f"fix_{path}" for path in state]
    one = sample_trajectory(name, *calls, "done")
    changes = [
        Change(path=path, before=None, after=value, call_id=f"c{i}")
        for i, (path, value) in enumerate(state.items())
    ]
    return one.model_copy(update={"changes": tuple(changes)})


def said(name: str, text: str) -> Trajectory:
    """A rollout that only answered."""
    message = Message(role="assistant", text=text)
    return sample_trajectory(name).model_copy(update={"messages": (message,)})


def of(*rollouts: Trajectory, **options: Any) -> dict[str, Any]:
    return answers(run(ConsistencyJudge(**options), sample_group(*rollouts)))


def test_the_majority_is_right_and_the_rest_is_not() -> None:
    group = sample_group(*(ended(f"t{i}", apn="ok") for i in range(3)), ended("t3", apn="bad"))
    verdict = run(ConsistencyJudge(), group)
    assert [v.answer for v in verdict.verdicts] == [1, 1, 1, 0]
    assert [v.confidence for v in verdict.verdicts][-1] == 0.75
    assert verdict.ranking[0] == ("t0", "t1", "t2"), "equal rollouts tie"
    assert verdict.calls == 0


def test_a_wrong_majority_fools_it() -> None:
    """The judge's known weakness, held fast so that nobody takes it for a verifier."""
    group = [ended("right", apn="ok"), *(ended(f"wrong{i}", apn="bad") for i in range(2))]
    assert of(*group) == {"right": 0, "wrong0": 1, "wrong1": 1}


def test_what_one_has_besides_costs_tools_and_not_the_answer() -> None:
    plain = [ended(f"t{i}", apn="ok") for i in range(3)]
    verdict = run(ConsistencyJudge(), sample_group(*plain, ended("more", apn="ok", vpn="off")))
    assert [v.answer for v in verdict.verdicts] == [1, 1, 1, 1]
    tools = {v.trajectory_id: v.tools or 0 for v in verdict.verdicts}
    assert tools["more"] < tools["t0"] == tools["t1"]


@pytest.mark.parametrize(
    ("group", "cause"),
    [
        ([ended("a", apn="x"), ended("b", apn="y")], "no_majority"),
        ([ended("a", x=1, y=1), ended("b", y=2, z=1), ended("c", z=2, x=2)], "no_majority"),
        ([ended("a", apn="x")], "nobody_to_agree_with"),
    ],
)
def test_where_nobody_agrees_nobody_is_scored(group: list[Trajectory], cause: str) -> None:
    assert set(of(*group).values()) == {cause}


def test_the_threshold_asks_for_more_agreement() -> None:
    group = [ended("a", apn="ok", x=1), ended("b", apn="ok", x=2), ended("c", apn="no", x=3)]
    assert of(*group) == {"a": 1, "b": 1, "c": 0}
    assert set(of(*group, threshold=1.0).values()) == {"no_majority"}
    with pytest.raises(UsageError, match="threshold"):
        ConsistencyJudge(threshold=0)


def test_answers_without_calls_are_compared_by_their_words() -> None:
    group = [said("a", "Option 2: The RRC."), said("b", "option 2 the rrc"), said("c", "The MAC.")]
    assert of(*group) == {"a": 1, "b": 1, "c": 0}


def test_how_an_episode_stopped_and_who_was_called_are_facts() -> None:
    stuck = sample_trajectory("stuck", "look", stop="max_steps")
    group = [*(sample_trajectory(f"t{i}", "look", "done") for i in range(2)), stuck]
    assert of(*group) == {"t0": 1, "t1": 1, "stuck": 0}
    tool = ToolSpec(name="hand_over", description="", parameters={}, effect="control")
    given = [sample_trajectory(f"h{i}", "look", "hand_over", "done") for i in range(2)]
    kept = sample_trajectory("kept", "look", "done")
    assert of(*given, kept, briefings=lambda _: Briefing(tools=(tool,)))["kept"] == 0
    assert of(*given, kept)["kept"] == 1, "without the world nobody knows that it ends the case"


def test_failures_of_others_are_no_votes() -> None:
    dead = [
        ended(f"d{i}", apn="bad").model_copy(
            update={"stop": "failed", "failure": Failure(owner="endpoint", cause="timeout")}
        )
        for i in range(3)
    ]
    found = of(*dead, ended("a", apn="ok"), ended("b", apn="ok"))
    assert (found["a"], found["b"], found["d0"]) == (1, 1, "endpoint: timeout")


def sure(one: Trajectory, logprob: float) -> Trajectory:
    trace = TokenTrace(ids=(5, 6, 7), mask=(0, 1, 1), logprobs=(0.0, logprob, logprob))
    return one.model_copy(update={"trace": trace})


def test_confidence_weighs_votes_when_all_recorded_it() -> None:
    group = [sure(ended("a", apn="x"), -0.1), *(sure(ended(n, apn="y"), -3.0) for n in "bc")]
    assert of(*group) == {"a": 0, "b": 1, "c": 1}
    assert of(*group, weigh_confidence=True) == {"a": 1, "b": 0, "c": 0}
    lacking = [group[0], group[1], ended("c", apn="y")]
    verdict = run(ConsistencyJudge(weigh_confidence=True), sample_group(*lacking))
    assert answers(verdict) == {"a": 0, "b": 1, "c": 1}
    assert any("1 rollouts lack log-probabilities" in note for note in verdict.notes)
    assert confidence(group[0]) == pytest.approx(0.904837)
    assert confidence(ended("x")) is None


@given(values=st.lists(st.sampled_from(["x", "y", "z"]), min_size=2, max_size=6))
@settings(max_examples=40)
def test_the_groups_order_changes_nothing(values: list[str]) -> None:
    group = [ended(f"t{i}", apn=value) for i, value in enumerate(values)]
    first = of(*group)
    assert of(*group[::-1]) == first
    best = max(values.count(v) for v in values)
    scored = set(first.values()) != {"no_majority"}
    assert scored == (2 * best > len(values))


# -- endings


def test_what_was_changed_back_is_no_fact_and_clocks_are_none() -> None:
    base = ended("t", apn="ok")
    changes = (
        *base.changes,
        Change(path="device.vpn", before=False, after=True, call_id="c0"),
        Change(path="device.vpn", before=True, after=False, call_id="c1"),
        Change(path="clock_min", before=1, after=9, call_id="c1"),
        Change(
            path="report",
            after={"cause": "B", "evidence": ["r1"], "at_min": 3, "restored": True},
            call_id="c1",
        ),
    )
    facts = ending_of(base.model_copy(update={"changes": changes}))
    assert facts == {
        "apn": '"ok"',
        "report.cause": '"B"',
        "report.restored": "true",
        "stop": "closed",
    }


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("r9", None),
        ("Q772-C3", "Q772-C3"),
        ("I have checked that all of the cells are back now", None),
        (["w4", "b", "a"], ["a", "b"]),
        ({"at_min": 4}, None),
        (0, 0),
        (False, False),
    ],
)
def test_what_varies_from_run_to_run_is_left_out(value: Any, kept: Any) -> None:
    assert clean(value) == kept


def test_wordings_of_one_answer_compare_equal() -> None:
    assert plain_words("  The **RRC**, of course.") == plain_words("the rrc of\ncourse")


# -- in a real world


def test_rollouts_of_a_real_world_agree_on_what_was_mended(
    record_of: Callable[..., Trajectory],
) -> None:
    task_id = "[service_issue]airplane_mode_on[PERSONA:None]"
    ways = [
        [["check_status_bar"], ["toggle_airplane_mode"], ["check_status_bar"]],
        [["toggle_airplane_mode"]],
        [["check_status_bar"]],
    ]
    rollouts = [
        record_of(task_id, way).model_copy(update={"id": f"t{i}"}) for i, way in enumerate(ways)
    ]
    view = open_world("tau2-telecom").task(task_id).view
    group = Group(id="g", task=view, trajectories=tuple(rollouts))
    verdict = run(ConsistencyJudge(briefings=WorldBriefings(open_world)), group)
    assert answers(verdict) == {"t0": 1, "t1": 1, "t2": 0}


def test_the_sample_group_in_every_order() -> None:
    found = {
        tuple(sorted(of(*order).items(), key=str))
        for order in itertools.islice(itertools.permutations(SAMPLES), 0, 120, 29)
    }
    assert len(found) == 1
    assert SAMPLE_TASK.world == "sample"
