"""The LangGraph agent with LangChain's own OpenAI class, in real episodes, over real HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langgraph", reason="comes with the extra langgraph")
pytest.importorskip("langchain_openai", reason="comes with the extra langgraph")

from telejudge_agents.graph import PLAN, VERIFY
from telejudge_agents.langgraph_agent import LangGraphAgents, open_model
from telejudge_agents.runner import run
from telejudge_envs import fake_endpoint as fake
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.nouns.trajectory import Rollout, Usage
from telejudge_envs.store import read
from telejudge_envs.tau2_telecom.world import Tau2Telecom

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def world() -> Tau2Telecom:
    return Tau2Telecom()


def script(world: Tau2Telecom, seen: Callable[[int], None] | None = None) -> fake.Script:
    """A model that plans in words, makes the gold calls, and closes again when it is doubted."""
    task = world.tasks("test")[0]
    actions = task.hidden["tau2"]["evaluation_criteria"]["actions"]
    calls = [*((a["name"], a["arguments"]) for a in actions), ("done", {})]

    def reply(request: dict[str, Any], n: int) -> fake.Reply:
        if seen is not None:
            seen(n)
        if request["messages"][-1]["content"] == PLAN:
            assert "tools" not in request
            return fake.say("1. look 2. mend 3. look again")
        turn = sum(m["role"] == "assistant" for m in request["messages"])
        return fake.call(calls[turn])

    return reply


def play(world: Tau2Telecom, server: fake.FakeEndpoint, **options: Any) -> Rollout:
    endpoint = Endpoint(base_url=server.base_url, model="stub", max_retries=0)
    agents = LangGraphAgents(open_model(endpoint), **options)
    return run(world, world.tasks("test")[:1], agents)[0]


def bare(rollout: Rollout) -> Rollout:
    return rollout.model_copy(
        update={"trajectory": rollout.trajectory.model_copy(update={"usage": Usage()})}
    )


def test_it_plans_acts_and_verifies_before_it_closes(world: Tau2Telecom) -> None:
    with fake.FakeEndpoint(script(world)) as server:
        rollout = play(world, server)
    assert rollout.trajectory.stop == "agent_stop"
    assert rollout.outcome is not None
    assert rollout.outcome.answer == 1
    last = [request["messages"][-1]["content"] for request in server.requests]
    assert last[0] == PLAN
    assert last[-1] == VERIFY
    assert last.count(VERIFY) == 1
    head = server.requests[1]["messages"][0]["content"]
    assert head.endswith("<your_plan>\n1. look 2. mend 3. look again\n</your_plan>")
    assert rollout.trajectory.usage.requests == len(server.requests)
    assert rollout.trajectory.usage.prompt_tokens == 10 * len(server.requests)
    texts = [m.text for m in rollout.trajectory.messages]
    assert PLAN not in texts, "what the graph asks its model is no part of the record"


def test_a_doubted_closing_call_may_become_another(world: Tau2Telecom) -> None:
    answers = fake.in_turn(
        fake.say("a plan"),
        fake.call(("done", {})),
        fake.call(("check_status_bar", {})),
        fake.call(("done", {})),
        fake.call(("done", {})),
    )
    with fake.FakeEndpoint(answers) as server:
        rollout = play(world, server)
    made = [c.name for m in rollout.trajectory.messages for c in m.tool_calls]
    assert made == ["check_status_bar", "done"]
    assert len(server.requests) == 5


def test_a_malformed_call_is_answered_and_the_episode_goes_on(world: Tau2Telecom) -> None:
    answers = fake.in_turn(
        fake.say("a plan"), fake.call(("toggle_data", '{"oops": ')), fake.call(("done", {}))
    )
    with fake.FakeEndpoint(answers) as server:
        rollout = play(world, server)
    assert rollout.trajectory.stop == "agent_stop"
    assert [m.error for m in rollout.trajectory.messages if m.role == "tool"] == [True, False]


@pytest.mark.parametrize(
    ("reply", "cause"),
    [(fake.fail(500), "server_error"), (fake.fail(400, "maximum context"), "context_overflow")],
)
def test_a_failing_model_is_the_endpoints_failure(
    world: Tau2Telecom, reply: fake.Reply, cause: str
) -> None:
    with fake.FakeEndpoint(fake.in_turn(reply)) as server:
        rollout = play(world, server)
    assert rollout.trajectory.failure is not None
    assert (rollout.trajectory.failure.owner, rollout.trajectory.failure.cause) == (
        "endpoint",
        cause,
    )


@pytest.mark.slow
def test_an_episode_survives_the_death_of_its_process(world: Tau2Telecom, tmp_path: Path) -> None:
    kept, out = tmp_path / "episodes.sqlite", tmp_path / "rollouts.jsonl"
    process: list[subprocess.Popen[bytes]] = []

    def kill(n: int) -> None:
        if n == 4 and len(process) == 1:
            os.kill(process[0].pid, signal.SIGKILL)

    with fake.FakeEndpoint(script(world, kill)) as server:
        command = [sys.executable, str(HERE / "langgraph_episode.py"), server.base_url]
        for expected in (-signal.SIGKILL, 0):
            process.append(subprocess.Popen([*command, str(kept), str(out)]))
            assert process[-1].wait(120) == expected
        asked = len(server.requests)
    with fake.FakeEndpoint(script(world)) as server:
        whole = play(world, server)
        alone = len(server.requests)
    assert asked == alone + 1, "only the request that was under way is made again"
    (survived,) = read(out, Rollout)
    assert bare(survived) == bare(whole)
