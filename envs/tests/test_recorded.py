"""Recorded tau2-bench rollouts: both file forms, replayed to the recorded reward."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from telejudge_envs.errors import DataError
from telejudge_envs.groups import groups_of
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.steps import steps_of
from telejudge_envs.store import read, write
from telejudge_envs.tau2_telecom.recorded import REWARD, disagreements, import_recorded
from telejudge_envs.tau2_telecom.world import Tau2Telecom

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
REAL = SHARED / "data" / "tau2-telecom" / "rollouts.jsonl.gz"


@pytest.fixture(scope="module")
def world() -> Tau2Telecom:
    return Tau2Telecom()


@pytest.mark.skipif(not REAL.exists(), reason="the recorded rollouts are not beside the checkout")
def test_real_rollouts_replay_to_their_recorded_rewards(tmp_path: Path) -> None:
    rollouts = import_recorded(REAL)
    assert len(rollouts) == 121
    for rollout in rollouts:
        assert rollout.outcome is not None
        assert str(rollout.outcome.world_reward) == rollout.trajectory.versions[REWARD]
    assert disagreements(rollouts) == []
    assert sum(r.trajectory.versions[REWARD] == "1.0" for r in rollouts) == 79
    groups = groups_of(rollouts)
    assert len(groups) == len({(r.task.id, r.task.mode) for r in rollouts}) == 65
    assert sum(len(group.trajectories) for group in groups) == 121
    for rollout in rollouts:
        steps = steps_of(rollout.trajectory)
        assert len({step.call.id for step in steps}) == len(steps)
        assert sum(len(s.changes) for s in steps) == len(rollout.trajectory.changes)
    write(tmp_path / "out.jsonl", rollouts)
    assert list(read(tmp_path / "out.jsonl", Rollout)) == rollouts


def gold_calls(world: Tau2Telecom, task_id: str, *, user: bool) -> list[dict[str, Any]]:
    """A task's gold actions as recorded calls; in dual mode the user makes his own."""
    actions = world.task(task_id).hidden["tau2"]["evaluation_criteria"]["actions"]
    return [
        {
            "id": "call_1",  # the same id again and again: real recordings repeat ids, too
            "name": action["name"],
            "arguments": action["arguments"],
            "requestor": action["requestor"] if user else "assistant",
        }
        for action in actions
    ]


def recorded(world: Tau2Telecom, task_id: str, mode: str, **changes: Any) -> dict[str, Any]:
    """A gold rollout as tau2 records it."""
    messages: list[dict[str, Any]] = []
    if mode == "dual":
        messages.append({"role": "assistant", "content": "Hi! How can I help you today?"})
    for call in gold_calls(world, task_id, user=mode == "dual"):
        by = call["requestor"]
        messages.append({"role": by, "content": None, "tool_calls": [call]})
        answer = {"role": "tool", "id": "call_1", "content": "ok", "requestor": by, "error": False}
        messages.append(answer)
    last = "assistant" if mode == "solo" else "user"
    messages.append({"role": last, "content": "###STOP###"})
    line = {
        "task_id": task_id,
        "mode": mode,
        "agent_model": "gold",
        "trial": 0,
        "termination": "agent_stop" if mode == "solo" else "user_stop",
        "reward": 1.0,
        "messages": messages,
    }
    return {**line, **changes}


def saved(path: Path, *lines: Any) -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_gold_recordings_come_back_solved(world: Tau2Telecom, tmp_path: Path, name: str) -> None:
    ids = [t.id for t in world.tasks("small")[:6]]
    lines = [recorded(world, i, mode) for i in ids for mode in ("solo", "dual")]
    rollouts = import_recorded(saved(tmp_path / name, *lines))
    assert [r.outcome and r.outcome.answer for r in rollouts] == [1] * 12
    assert [(r.task.id, r.task.mode) for r in rollouts] == [
        (x["task_id"], x["mode"]) for x in lines
    ]
    assert len(groups_of(rollouts)) == 12
    for rollout in rollouts:
        trajectory = rollout.trajectory
        assert trajectory.changes
        assert trajectory.messages[0].role == "system"
        assert trajectory.versions["recorded_in"].startswith(f"{name}, line ")
        opening = ["system", "user"] if rollout.task.mode == "solo" else ["system", "assistant"]
        assert [m.role for m in trajectory.messages[:2]] == opening
        steps = steps_of(trajectory)
        assert len({step.call.id for step in steps}) == len(steps)
        assert not any(step.result.error for step in steps)
        assert rollout.task.mode == "dual" or {step.owner for step in steps} == {"agent"}
        again = world.replay(world.task(rollout.task.id, rollout.task.mode), trajectory)
        assert again.ledger == trajectory.changes
    dual = [r.trajectory for r in rollouts if r.task.mode == "dual"]
    assert {step.owner for t in dual for step in steps_of(t)} == {"agent", "user"}


def test_a_wrong_recorded_reward_is_reported_and_kept(
    world: Tau2Telecom, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    task = world.tasks("small")[0].id
    lines = [recorded(world, task, "solo"), recorded(world, task, "solo", reward=0.0, trial=1)]
    rollouts = import_recorded(saved(tmp_path / "r.jsonl", *lines))
    (said,) = disagreements(rollouts)
    assert said.startswith("r.jsonl, line 2: recorded reward 0.0, replayed 1.0")
    assert said in caplog.text
    assert [r.trajectory.versions[REWARD] for r in rollouts] == ["1.0", "0.0"]


def test_the_same_recording_twice_gets_two_ids(world: Tau2Telecom, tmp_path: Path) -> None:
    line = recorded(world, world.tasks("small")[0].id, "solo")
    first, second = import_recorded(saved(tmp_path / "r.jsonl", line, line))
    assert second.trajectory.id == f"{first.trajectory.id}~2"
    (elsewhere,) = import_recorded(saved(tmp_path / "moved.jsonl", line))
    assert elsewhere.trajectory.id == first.trajectory.id


@pytest.mark.parametrize(
    ("termination", "stop", "owner", "faults"),
    [
        ("max_steps", "max_steps", None, 0),
        ("too_many_errors", "too_many_errors", None, 0),
        ("judge_stop", "agent_error", "agent", 0),
        ("user_error", "user_error", "user", 1),
    ],
)
def test_other_ends_score_nothing(
    world: Tau2Telecom,
    tmp_path: Path,
    termination: str,
    stop: str,
    owner: str | None,
    faults: int,
) -> None:
    line = recorded(world, world.tasks("small")[0].id, "solo", termination=termination, reward=0.0)
    (rollout,) = import_recorded(saved(tmp_path / "r.jsonl", line))
    assert rollout.outcome is not None
    assert (rollout.trajectory.stop, rollout.outcome.world_reward) == (stop, 0.0)
    assert (rollout.trajectory.failure.owner if rollout.trajectory.failure else None) == owner
    assert len(rollout.outcome.faults) == faults
    assert disagreements([rollout]) == []


def result_file(world: Tau2Telecom, *, solo: bool) -> str:
    """Written by tau2's own data model, so the form is the real one."""
    from tau2.data_model.simulation import Results

    info = {
        "git_commit": "0",
        "num_trials": 1,
        "max_steps": 100,
        "max_errors": 10,
        "user_info": {"implementation": "dummy_user" if solo else "user_simulator", "llm": "u"},
        "agent_info": {"implementation": "llm_agent_solo" if solo else "llm_agent", "llm": "m"},
        "environment_info": {"domain_name": "telecom", "policy": "…"},
    }
    ids = [t.id for t in world.tasks("small")[:3]]
    simulations = [
        {
            "id": f"s{k}",
            "task_id": task_id,
            "start_time": "2025-01-01",
            "end_time": "2025-01-01",
            "duration": 1.5,
            "termination_reason": "agent_stop" if solo else "user_stop",
            "reward_info": {"reward": 1.0},
            "messages": recorded(world, task_id, "solo" if solo else "dual")["messages"],
            "trial": 2,
            "seed": 42,
            "agent_cost": 0.25,
            "user_cost": None if solo else 0.5,
        }
        for k, task_id in enumerate(ids)
    ]
    simulations[0]["messages"][-1]["usage"] = {"prompt_tokens": 7, "completion_tokens": 3}
    simulations[2] |= {"messages": [], "skipped": True, "termination_reason": "agent_error"}
    simulations[2]["reward_info"] = {"reward": 0.0}
    tasks = [world.task(i).hidden["tau2"] for i in ids]
    results = Results.model_validate({"info": info, "tasks": tasks, "simulations": simulations})
    return results.model_dump_json(indent=4)


@pytest.mark.parametrize("solo", [True, False])
def test_tau2s_own_result_files(world: Tau2Telecom, tmp_path: Path, solo: bool) -> None:
    path = saved(tmp_path / "results.json", result_file(world, solo=solo))
    rollouts = import_recorded(path)
    assert [r.outcome and r.outcome.answer for r in rollouts] == [1, 1, 0]
    first, _, skipped = (r.trajectory for r in rollouts)
    assert (first.mode, first.agent, first.rollout, first.seed) == (
        "solo" if solo else "dual",
        "m",
        2,
        42,
    )
    assert first.usage.prompt_tokens == (7 if solo else 0)
    assert (first.usage.seconds, first.usage.cost_usd) == (1.5, 0.25)
    his = first.user_usage
    assert (his and (his.prompt_tokens, his.cost_usd)) == (None if solo else (7, 0.5))
    assert skipped.stop == "failed"
    assert skipped.failure is not None
    assert skipped.failure.owner == "runner"
    assert disagreements(rollouts) == []


def _message(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    def change(line: dict[str, Any]) -> Any:
        line["messages"][0] |= changes
        return line

    return change


BROKEN: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (
        lambda line: line | {"task_id": "[mms_issue]no_such"},
        r"no task '\[mms_issue\]no_such'.*splits full",
    ),
    (lambda line: line | {"mode": "trio"}, "mode 'trio' is neither solo nor dual"),
    (lambda line: line | {"termination": "bored"}, "'bored' is none of agent_stop, user_stop"),
    (lambda line: line | {"messages": "none"}, "`messages` must be a list, not str"),
    (lambda line: line | {"messages": [3]}, "message 0 must be an object, not int"),
    (lambda line: line | {"reward": "good"}, "`reward` must be a number or absent"),
    (lambda line: line | {"policy": "lax"}, "no policy 'lax'; choose manual or workflow"),
    (lambda line: {"task_id": line["task_id"]}, "lacks mode, termination, messages"),
    (lambda line: [line], "lacks task_id"),
    (lambda line: "{half", "not JSON"),
    (lambda line: json.dumps(line).replace('"Hi"', "NaN") + "}", "not JSON"),
    (_message(role="robot"), "message 0: role 'robot' is none of system, user, assistant, tool"),
    (_message(content=5), "`content` must be text or null, not int"),
    (_message(tool_calls=[{"id": "x"}]), "an object with a `name`"),
    (_message(tool_calls=[{"name": "x", "arguments": "{}"}]), "arguments of x must be an object"),
    (_message(tool_calls=[{"name": "x", "requestor": "god"}]), "none of assistant, user"),
    (_message(role="tool", id="z"), "a result with id 'z' answers no open call"),
]


@pytest.mark.parametrize(("breaking", "says"), BROKEN)
def test_broken_lines_name_file_line_and_what_is_allowed(
    world: Tau2Telecom, tmp_path: Path, breaking: Callable[[dict[str, Any]], Any], says: str
) -> None:
    good = recorded(world, world.tasks("small")[0].id, "dual")
    path = saved(tmp_path / "r.jsonl", good, breaking(json.loads(json.dumps(good))))
    with pytest.raises(DataError, match=says) as caught:
        import_recorded(path)
    assert str(caught.value).startswith(f"{path}, line 2: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ('{\n"simulations": [', "neither a rollout a line nor a whole tau2 result file"),
        ('{"simulations": 3}', "must hold a list"),
        ('{"simulations": [3]}', "simulation 0 is no object"),
        ('{"info": {"environment_info": {"domain_name": "retail"}}, "simulations": []}', "retail"),
    ],
)
def test_broken_files_say_what_is_expected(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(DataError, match=says):
        import_recorded(path)
