"""The OpenEnv server in a process of its own, against OpenEnv's own clients."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from adapter_harness import TOKEN, free_port, gold_calls, secrets, serving, told

from telejudge_agents.scripted.base_station.engineer import engineer
from telejudge_envs.adapters.seat import Seat, find_task
from telejudge_envs.errors import UsageError
from telejudge_envs.registry import open_world

pytest.importorskip("openenv")

from openenv.core.generic_client import GenericEnvClient

from telejudge_envs.adapters import openenv_env as adapter

pytestmark = pytest.mark.slow
OURS = {"Authorization": f"Bearer {TOKEN}"}
BODY = 20_000


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    port = free_port()
    limits = ("--sessions", "2", "--idle", "3", "--body", str(BODY))
    which = ("--world", "base-station", "--split", "dev")
    with serving("openenv", *which, *limits, port=port, token=TOKEN):
        yield f"http://127.0.0.1:{port}"


def client(server: str, **headers: str) -> Any:
    return adapter.WorldClient(base_url=server, headers=headers or OURS).sync()


def test_gold_calls_are_paid_at_the_end_and_nothing_is_told_before(server: str) -> None:
    world = open_world("base-station")
    task = find_task(world, "dev:0")
    *calls, closing = gold_calls(world, task)
    with client(server) as env:
        first = env.reset(seed=0, task="dev:0", episode_id="mine")
        assert first.observation.messages[1]["content"] == task.view.ticket
        assert {t["function"]["name"] for t in first.observation.tools} == {
            tool.name for tool in world.open(task).tools
        }
        seen = [first.observation.model_dump_json()]
        for tool, arguments in calls:
            result = env.step(adapter.WorldAction(tool=tool, arguments=arguments))
            assert (result.reward, result.done) == (0.0, False)
            seen += [result.observation.model_dump_json(), env.state().model_dump_json()]
        kept = secrets(world, task)
        assert not any(told(payload, kept) for payload in seen)
        assert env.state().step_count == len(calls)
        assert env.state().episode_id == "mine"
        last = env.step(adapter.WorldAction(tool=closing[0], arguments=closing[1]))
        assert last.done
        assert last.reward > 0.1
        assert last.observation.metadata == {"stop": "agent_stop", "answer": 1}
        with pytest.raises(Exception, match="is over"):
            env.step(adapter.WorldAction(tool=closing[0], arguments=closing[1]))
        assert env.reset(seed=1).reward == 0.0


def test_openenvs_own_client_needs_nothing_of_ours(server: str) -> None:
    with GenericEnvClient(base_url=server, headers=OURS).sync() as env:
        first, again, other = (env.reset(seed=seed).observation for seed in (5, 5, 6))
        assert first == again != other
        result = env.step({"text": "I leave it."})
        assert result.done
        assert result.reward is not None
        assert 0 <= result.reward < 0.1


def test_in_dual_mode_the_technician_answers_and_his_own_calls_stay_his() -> None:
    world = open_world("base-station")
    task = find_task(world, "dev:0", "dual")
    seat = Seat(world, task, seed=0, player="test")
    agent, turns = engineer().start(task.view, seed=0), []
    while seat.stop is None:
        turns.append(agent.decide(seat.opening, seat.tools))
        seat.act(turns[-1])
    assert seat.ending.outcome.answer == 1
    assert any(turn.text and not turn.tool_calls for turn in turns), "nobody spoke"
    assert any(
        call.owner == "user" for m in seat.rollout.trajectory.messages for call in m.tool_calls
    )
    port = free_port()
    which = ("--world", "base-station", "--split", "dev", "--mode", "dual")
    with (
        serving("openenv", *which, port=port, token=TOKEN),
        client(f"http://127.0.0.1:{port}") as env,
    ):
        env.reset(seed=0, task="dev:0")
        results = []
        for turn in turns:
            calls = [(call.name, call.arguments) for call in turn.tool_calls] or [(None, {})]
            for tool, arguments in calls:
                action = adapter.WorldAction(tool=tool, arguments=arguments, text=turn.text)
                results.append(env.step(action))
    assert results[-1].done
    assert results[-1].observation.metadata == {"stop": "agent_stop", "answer": 1}
    heard = [message for result in results for message in result.observation.messages]
    said = [message["content"] for message in heard if message["role"] == "user"]
    assert said == [m.text for m in seat.opening[2:] if m.role == "user"]
    assert not any("tool_calls" in message for message in heard if message["role"] == "user")


def test_strangers_crowds_idlers_and_long_messages_are_refused(server: str) -> None:
    with pytest.raises(Exception, match=r"403|401|reject|connect"):
        client(server, Authorization="Bearer not the token we gave").__enter__()
    with client(server) as one, client(server) as two:
        one.reset(seed=0)
        two.reset(seed=0)
        with pytest.raises(Exception, match=r"(?i)capacity|max|session"), client(server) as three:
            three.reset(seed=0)
    with client(server) as long:
        long.reset(seed=0)
        with pytest.raises(Exception, match=r"(?i)clos|big|1009|disconnect"):
            long.step(adapter.WorldAction(text="x" * (BODY + 1)))
    with client(server) as idle:
        idle.reset(seed=0)
        time.sleep(7)
        with pytest.raises(Exception, match=r"(?i)clos|session|disconnect"):
            idle.step(adapter.WorldAction(tool="get_clock"))


def test_no_address_that_others_reach_without_a_token() -> None:
    world = open_world("base-station")
    tasks = world.tasks("dev")[:1]
    with pytest.raises(UsageError, match="can be reached from elsewhere"):
        adapter.openenv_app(
            world, tasks, _never, host="0.0.0.0", token=None, limits=adapter.Limits()
        )


def _never(rollout: Any) -> Any:
    raise AssertionError("nothing was played")
