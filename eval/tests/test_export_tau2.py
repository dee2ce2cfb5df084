"""tau2 reads what we write: its own Results, evaluators and metrics agree with ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs import store
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.trajectory import Failure, Rollout, Trajectory, Usage
from telejudge_envs.offers import scripted_user
from telejudge_envs.registry import open_world
from telejudge_envs.tau2_telecom import upstream
from telejudge_envs.tau2_telecom.exported import export_results
from telejudge_envs.tau2_telecom.recorded import import_recorded
from telejudge_eval.cli.app import app

RECORDED = Path(__file__).parents[2] / "../shared/data/tau2-telecom/rollouts.jsonl.gz"


def played(agent: str, mode: Any = "solo", tasks: int = 3, rollouts: int = 2) -> list[Rollout]:
    world = open_world("tau2-telecom")
    users = (lambda task, seed: scripted_user(world, task, seed)) if mode == "dual" else None
    chosen = list(world.tasks("test", mode))[:: 40 // tasks][:tasks]
    return run(world, chosen, scripted(agent, world), rollouts=rollouts, users=users)


def read_by_tau2(path: Path) -> Any:
    from tau2.data_model.simulation import Results

    return Results.load(path)


@pytest.mark.parametrize(
    ("agent", "mode"), [("gold", "solo"), ("expert", "solo"), ("gold", "dual"), ("expert", "dual")]
)
def test_tau2_loads_scores_and_measures_what_we_export(agent: str, mode: str, tmp_path: Path):
    from tau2.metrics.agent_metrics import compute_metrics

    rollouts = played(agent, mode)
    exported = export_results(rollouts)
    exported.results.save(tmp_path / "results.json")
    results = read_by_tau2(tmp_path / "results.json")
    tasks = {task.id: task for task in results.tasks}
    rewards = []
    for simulation, rollout in zip(results.simulations, rollouts, strict=True):
        again = upstream.evaluated(simulation, tasks[simulation.task_id], mode == "solo")
        assert rollout.outcome is not None
        assert again.reward == simulation.reward_info.reward == rollout.outcome.world_reward
        rewards.append(again.reward)
    assert exported.notes == ()
    metrics = compute_metrics(results)
    assert metrics.avg_reward == pytest.approx(sum(rewards) / len(rewards))
    assert metrics.pass_hat_ks[1] == pytest.approx(metrics.avg_reward)


@pytest.mark.parametrize(("agent", "mode"), [("expert", "solo"), ("gold", "dual")])
def test_there_and_back(agent: str, mode: str, tmp_path: Path):
    rollouts = played(agent, mode, tasks=2)
    path = tmp_path / "results.json"
    export_results(rollouts).results.save(path)
    for before, after in zip(rollouts, import_recorded(path), strict=True):
        old, new = before.trajectory, after.trajectory
        assert (new.task_id, new.mode, new.agent) == (old.task_id, old.mode, old.agent)
        assert (new.rollout, new.seed, new.stop) == (old.rollout, old.seed, old.stop)
        assert new.changes == old.changes
        assert after.outcome == before.outcome
        assert [c for m in new.messages for c in m.tool_calls] == [
            c for m in old.messages for c in m.tool_calls if c.name != "done"
        ]


def test_what_a_users_model_spent_goes_there_and_back(tmp_path: Path):
    [rollout] = played("gold", "dual", tasks=1, rollouts=1)
    his = Usage(requests=1, prompt_tokens=30, completion_tokens=4, cost_usd=0.5)
    calls = sum(len(m.tool_calls) for m in rollout.trajectory.messages if m.role == "user")
    trajectory = rollout.trajectory.model_copy(update={"user_usage": his})
    told = rollout.model_copy(update={"trajectory": trajectory})
    path = tmp_path / "results.json"
    export_results([told]).results.save(path)
    assert read_by_tau2(path).simulations[0].user_cost == 0.5
    [back] = import_recorded(path)
    assert back.trajectory.user_usage == his.model_copy(update={"calls": calls})
    assert back.trajectory.usage.cost_usd == 0


def test_the_same_bytes_again():
    rollouts = played("expert")
    first, second = (export_results(rollouts).results.model_dump_json() for _ in range(2))
    assert first == second


def with_messages(rollout: Rollout, *messages: Message, **more: Any) -> Rollout:
    old: Trajectory = rollout.trajectory
    update = {"messages": (*old.messages[:2], *messages), **more}
    return rollout.model_copy(update={"trajectory": old.model_copy(update=update)})


def test_results_that_tau2_words_otherwise_are_counted():
    [rollout] = played("gold", tasks=1, rollouts=1)
    call = ToolCall(id="1", name="no_such_tool", arguments={})
    odd = with_messages(
        rollout,
        Message(role="assistant", tool_calls=(call,)),
        Message(role="tool", tool_call_id="1", text="our words", error=True),
        stop="max_steps",
    )
    assert odd.outcome is not None
    odd = odd.model_copy(
        update={"outcome": odd.outcome.model_copy(update={"answer": 0, "world_reward": 0.0})}
    )
    [simulation] = export_results([odd]).results.simulations
    assert simulation.reward_info.info["results_in_tau2s_words"] == 1
    assert "our words" not in simulation.model_dump_json()
    assert simulation.messages[1].error


def test_what_others_ended_is_skipped():
    [rollout] = played("gold", tasks=1, rollouts=1)
    failure = Failure(owner="endpoint", cause="timeout")
    lost = with_messages(rollout, stop="failed", failure=failure)
    exported = export_results([lost])
    [simulation] = exported.results.simulations
    assert simulation.skipped
    assert simulation.messages == []
    assert simulation.reward_info.reward == 0


def test_a_file_is_of_one_agent_in_one_mode():
    with pytest.raises(UsageError, match="one agent"):
        export_results([*played("gold", tasks=1), *played("expert", tasks=1)])
    with pytest.raises(UsageError, match="nobody"):
        export_results([])


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded rollouts are not here")
def test_recorded_rollouts_there_and_back(tmp_path: Path):
    kinds: dict[tuple[str, str], list[Rollout]] = {}
    for rollout in import_recorded(RECORDED):
        kinds.setdefault((rollout.trajectory.agent, rollout.trajectory.mode), []).append(rollout)
    assert sum(map(len, kinds.values())) == 121
    for rollouts in kinds.values():
        exported = export_results(rollouts)
        assert exported.notes == ()
        exported.results.save(tmp_path / "results.json")
        back = import_recorded(tmp_path / "results.json")
        for before, after in zip(rollouts, back, strict=True):
            assert after.trajectory.messages == before.trajectory.messages
            assert after.trajectory.changes == before.trajectory.changes
            assert after.outcome == before.outcome


def test_the_command(tmp_path: Path):
    from typer.testing import CliRunner

    file, out = tmp_path / "rollouts.jsonl", tmp_path / "results.json"
    store.write(file, [*played("gold", tasks=1), *played("expert", tasks=1)])
    words = ["export", "tau2", str(file), "--agent", "gold", "--out", str(out)]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "2 simulations" in told.output
    assert "mean reward 1.000" in told.output
    assert len(read_by_tau2(out).simulations) == 2


def test_an_episode_that_reads_a_bill_named_at_random_says_so():
    world = open_world("tau2-telecom")
    task = world.tasks("test")[0]
    episode = world.open(task)
    for number, (name, arguments) in enumerate(
        [
            ("refuel_data", {"customer_id": "C1003", "line_id": "L1009", "gb_amount": 2.0}),
            ("get_customer_by_id", {"customer_id": "C1003"}),
            ("done", {}),
        ]
    ):
        call = ToolCall(id=str(number), name=name, arguments=arguments)
        episode.step(Message(role="assistant", tool_calls=(call,)))
    assert not any(m.error for m in episode.observation)
    trajectory = Trajectory(
        id="x", task_id=task.id, world=world.name, agent="a", mode="solo",
        messages=episode.observation, changes=episode.ledger, stop="agent_stop",
    )  # fmt: skip
    rollout = Rollout(task=task.view, trajectory=trajectory, outcome=episode.outcome())
    exported = export_results([rollout])
    [simulation] = exported.results.simulations
    assert "at random" in exported.notes[0]
    assert "at random" in simulation.reward_info.info["note"]
    assert simulation.reward_info.reward == episode.outcome().world_reward
