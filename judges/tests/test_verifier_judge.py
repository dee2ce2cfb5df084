"""The Verifier as a judge: matched by id, tiers with ties, abstention instead of invention."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telejudge_envs.errors import UsageError
from telejudge_envs.inspection import Inspection, inspect
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.trajectory import Failure, Group, StopReason, Trajectory
from telejudge_envs.nouns.verdict import Defect, GroupVerdict, Verdict
from telejudge_envs.protocol import World
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_judges.detectors.catalogue import DETECTORS, WEIGHTS, tools_score
from telejudge_judges.verifier import Verifier

TASK = "[service_issue]airplane_mode_on[PERSONA:None]"
OTHER_TASK = "[service_issue]lock_sim_card_pin[PERSONA:Hard]"
SOLVED = (["check_status_bar"], ["toggle_airplane_mode"])
QUIT = (["check_status_bar"],)
SHARED = Path(__file__).resolve().parents[2].parent / "shared"
RECORDED = SHARED / "data" / "tau2-telecom" / "rollouts.jsonl.gz"

Record = Callable[..., Trajectory]


@pytest.fixture(scope="module")
def judge(telecom: Tau2Telecom) -> Verifier:
    def open_world(name: str) -> World:
        if name != telecom.name:
            raise UsageError(f"no world '{name}'")
        return telecom

    return Verifier(open_world)


def group(telecom: Tau2Telecom, *records: Trajectory, task_id: str = TASK) -> Group:
    return Group(id="g", task=telecom.task(task_id).view, trajectories=records)


def named(record: Trajectory, name: str, **changes: Any) -> Trajectory:
    return record.model_copy(update={"id": name, **changes})


def test_verdicts_are_matched_by_id_and_ranked_in_tiers(
    judge: Verifier, telecom: Tau2Telecom, record_of: Record
) -> None:
    solved, quit_ = record_of(TASK, SOLVED), record_of(TASK, QUIT)
    dead = Failure(owner="endpoint", cause="timeout")
    members = (
        named(quit_, "q1"),
        named(solved, "s1"),
        named(solved, "broken", stop="failed", failure=dead),
        named(quit_, "q2"),
        named(solved, "s2"),
    )
    found = judge.judge_now(group(telecom, *members))
    assert [v.trajectory_id for v in found.verdicts] == [t.id for t in members]
    assert found.ranking == (("s1", "s2"), ("q1", "q2"))
    assert (found.judge, found.group_id, found.task_id) == ("verifier", "g", TASK)
    assert {v.confidence for v in found.verdicts if v.abstained is None} == {1.0}
    assert GroupVerdict.model_validate_json(found.model_dump_json()) == found


def test_the_async_door_says_the_same(
    judge: Verifier, telecom: Tau2Telecom, record_of: Record
) -> None:
    both = group(telecom, record_of(TASK, SOLVED))
    later = asyncio.run(judge.judge(both))
    assert later.verdicts == judge.judge_now(both).verdicts


def test_inspections_at_hand_spare_the_replay(
    judge: Verifier, telecom: Tau2Telecom, record_of: Record
) -> None:
    record = record_of(TASK, SOLVED)
    known = {record.id: inspect(telecom, telecom.task(TASK), record)}

    def no_world(name: str) -> World:
        raise AssertionError(f"{name} was opened")

    found = Verifier(no_world).judge_now(group(telecom, record), known)
    assert found.verdicts == judge.judge_now(group(telecom, record)).verdicts


@pytest.mark.parametrize(
    ("stop", "failure", "abstains"),
    [
        ("failed", Failure(owner="endpoint", cause="http_500"), "endpoint: http_500"),
        ("deadline", Failure(owner="endpoint", cause="timeout"), "endpoint: timeout"),
        ("user_error", Failure(owner="user", cause="crash"), "user: crash"),
        ("failed", Failure(owner="world", cause="bug"), "world: bug"),
        ("failed", Failure(owner="storage", cause="full"), "storage: full"),
        ("deadline", None, "stopped by deadline, not by the agent"),
        ("deadline", Failure(owner="agent", cause="slow"), None),
        ("agent_error", Failure(owner="agent", cause="protocol"), None),
        ("max_steps", None, None),
        ("too_many_errors", None, None),
    ],
)
def test_only_the_agents_own_failures_are_scored(
    judge: Verifier,
    telecom: Tau2Telecom,
    record_of: Record,
    stop: StopReason,
    failure: Failure | None,
    abstains: str | None,
) -> None:
    record = named(record_of(TASK, SOLVED), "t", stop=stop, failure=failure)
    verdict = judge.judge_now(group(telecom, record)).verdicts[0]
    assert verdict.abstained == abstains
    if abstains is None:
        assert verdict.answer == 0
        assert verdict.reward is not None
        assert verdict.reward < 0.5


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"world": "nowhere"}, "no world 'nowhere'"),
        ({"task_id": OTHER_TASK}, "another task"),
        ({"mode": "nonsense"}, "replay"),
    ],
)
def test_what_cannot_be_replayed_is_abstained(
    judge: Verifier, telecom: Tau2Telecom, record_of: Record, changes: Any, cause: str
) -> None:
    record = named(record_of(TASK, SOLVED), "t", **changes)
    verdict = judge.judge_now(group(telecom, record)).verdicts[0]
    assert verdict.reward is None
    assert cause in (verdict.abstained or "")


def test_an_unknown_task_is_abstained(
    judge: Verifier, telecom: Tau2Telecom, record_of: Record
) -> None:
    record = named(record_of(TASK, SOLVED), "t", task_id="no such task")
    view = telecom.task(TASK).view.model_copy(update={"id": "no such task"})
    verdict = judge.judge_now(Group(id="g", task=view, trajectories=(record,))).verdicts[0]
    assert verdict.reward is None
    assert "no such task" in (verdict.abstained or "")


def test_a_forged_record_gains_nothing(
    judge: Verifier, telecom: Tau2Telecom, record_of: Record
) -> None:
    """Results and ledger are taken from the replay, not from what the record claims."""
    quit_ = record_of(TASK, QUIT)
    claims = record_of(TASK, SOLVED).changes
    lies = tuple(
        m.model_copy(update={"text": "Solved. C1001 L1002"}) if m.role == "tool" else m
        for m in quit_.messages
    )
    forged = named(quit_, "forged", messages=lies, changes=claims)
    honest, fake = judge.judge_now(group(telecom, named(quit_, "honest"), forged)).verdicts
    assert fake.model_copy(update={"trajectory_id": "honest"}) == honest


def test_every_kind_has_a_weight_and_tools_never_reaches_zero() -> None:
    assert all(0 < weight < 1 for weight in WEIGHTS.values())
    many = [Defect(step=0, kind="malformed_call", severity="soft", reason="x")] * 20_000
    assert tools_score([]) == 1.0
    assert 0 < tools_score(many) < 1e-100


JUNK: dict[str, list[Any]] = {
    "an unknown tool": ["no_such_tool"],
    "a missing argument": ["check_app_status"],
    "a refusal": [("get_details_by_id", {"id": "X1"})],
    "a refused write": [("resume_line", {"customer_id": "C1", "line_id": "L1"})],
    "a bad transfer": ["transfer_to_human_agents"],
    "a bad refuel": [("refuel_data", {"customer_id": "C1001", "line_id": "L1002"})],
}
CALLS = [
    "check_status_bar",
    "check_network_status",
    "check_sim_status",
    "toggle_airplane_mode",
    "toggle_data",
    "reboot_device",
    "disconnect_vpn",
    ("get_customer_by_phone", {"phone_number": "555-123-2002"}),
    ("get_details_by_id", {"id": "L1002"}),
    ("enable_roaming", {"customer_id": "C1001", "line_id": "L1002"}),
    ("resume_line", {"customer_id": "C1001", "line_id": "L1002"}),
    ("transfer_to_human_agents", {"summary": "x"}),
    "check_app_status",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    task_id=st.sampled_from([TASK, OTHER_TASK, "[mobile_data_issue]data_mode_off[PERSONA:None]"]),
    calls=st.lists(st.sampled_from(CALLS), max_size=9),
    junk=st.sampled_from(sorted(JUNK)),
    times=st.integers(1, 2),
)
def test_a_failing_call_more_never_pays(
    task_id: str,
    calls: list[Any],
    junk: str,
    times: int,
    verdict_on: Callable[..., Verdict],
) -> None:
    before, after = verdict_on(task_id, *calls), verdict_on(task_id, *calls, *JUNK[junk] * times)
    assert before.reward is not None
    assert after.reward is not None
    assert after.reward < before.reward or before.reward == 0.0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    task_id=st.sampled_from([TASK, OTHER_TASK]),
    calls=st.lists(st.sampled_from(CALLS), max_size=9),
    read=st.sampled_from([c for c in CALLS if str(c).startswith(("check_s", "check_n", "('get"))]),
)
def test_a_repeated_read_more_never_pays(
    task_id: str, calls: list[Any], read: Any, verdict_on: Callable[..., Verdict]
) -> None:
    before, after = verdict_on(task_id, *calls, read), verdict_on(task_id, *calls, read, read)
    assert before.reward is not None
    assert after.reward is not None
    assert after.reward < before.reward or before.reward == 0.0


junk_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from(["refuel_data", "get_details_by_id", "set_apn_settings", "done", ""]),
            st.dictionaries(
                st.sampled_from(["id", "customer_id", "line_id", "gb_amount", "apn_settings"]),
                junk_values,
            ),
            st.sampled_from(["agent", "user"]),
            st.none() | st.text(max_size=10),
        ),
        max_size=6,
    ),
    mode=st.sampled_from(["solo", "dual"]),
)
def test_no_record_makes_the_judge_raise(
    calls: list[Any], mode: Any, judge: Verifier, telecom: Tau2Telecom
) -> None:
    made = tuple(
        ToolCall(id="same", name=name, arguments=arguments, owner=owner, raw=raw)
        for name, arguments, owner, raw in calls
    )
    record = Trajectory(
        id="t",
        task_id=TASK,
        world=telecom.name,
        agent="junk",
        mode=mode,
        messages=(Message(role="assistant", tool_calls=made),),
        stop="agent_stop",
    )
    verdict = judge.judge_now(group(telecom, record)).verdicts[0]
    assert verdict.abstained is None
    assert verdict.answer == 0


def test_a_users_own_blunders_are_not_the_agents(telecom: Tau2Telecom) -> None:
    def call(number: int, name: str, owner: Any) -> Message:
        made = ToolCall(id=str(number), name=name, owner=owner)
        return Message(role="user" if owner == "user" else "assistant", tool_calls=(made,))

    blunders = ("no_such_tool", "check_app_status", "toggle_data", "toggle_airplane_mode")
    record = Trajectory(
        id="t",
        task_id=TASK,
        world=telecom.name,
        agent="talker",
        mode="dual",
        messages=tuple(call(i, name, "user") for i, name in enumerate(blunders)),
        stop="user_stop",
    )
    inspection = inspect(telecom, telecom.task(TASK, "dual"), record)
    found = [d for detect in DETECTORS for d in detect(inspection)]
    assert not found, found
    by_agent = record.model_copy(update={"messages": (call(0, "toggle_data", "agent"),)})
    assert "malformed_call" in _kinds(inspect(telecom, telecom.task(TASK, "dual"), by_agent))


def _kinds(inspection: Inspection) -> set[str]:
    return {d.kind for detect in DETECTORS for d in detect(inspection)}


def test_solvable_by_the_state_agrees_with_gold_on_every_task(telecom: Tau2Telecom) -> None:
    """The verdict on solvability never reads the gold list; here the two are compared."""
    unsolvable = 0
    for task in telecom.tasks("full"):
        empty = Trajectory(
            id="t",
            task_id=task.id,
            world=telecom.name,
            agent="nobody",
            mode="solo",
            messages=(),
            stop="agent_stop",
        )
        gold = task.hidden["tau2"]["evaluation_criteria"]["actions"]
        hands_over = any(a["name"].startswith("transfer") for a in gold)
        inspection = inspect(telecom, task, empty)
        assert inspection.solvable is not hands_over, task.id
        unsolvable += hands_over
    assert unsolvable == 32


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded rollouts are not here")
def test_answers_equal_the_recorded_outcomes() -> None:
    from telejudge_envs.tau2_telecom.recorded import import_recorded

    judge = Verifier(lambda _: Tau2Telecom())
    rollouts = import_recorded(RECORDED)
    assert len(rollouts) == 121
    for rollout in rollouts:
        record = rollout.trajectory
        one = Group(id=record.id, task=rollout.task, trajectories=(record,))
        verdict = judge.judge_now(one).verdicts[0]
        assert rollout.outcome is not None
        assert verdict.abstained is None, record.id
        assert verdict.answer == rollout.outcome.answer == rollout.outcome.world_reward, record.id
