"""The taskset and its environment in verifiers' own runner and command, with a fake endpoint.

verifiers has an environment of its own (docs/adapters.md: how to make it); elsewhere this skips.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from adapter_harness import BASE_STATION, TAU2, gold_calls, secrets, told
from docs_blocks import ROOT, blocks

from telejudge_envs.adapters.seat import find_task
from telejudge_envs.errors import UsageError
from telejudge_envs.fake_endpoint import FakeEndpoint, call, in_turn, say
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier

vf = pytest.importorskip("verifiers.v1")

from verifiers.v1.cli.eval.runner import run_eval  # noqa: E402
from verifiers.v1.configs.cli.eval import EvalConfig  # noqa: E402

from telejudge_eval.adapters import verifiers_env as adapter  # noqa: E402

ROW = adapter.Row(world="base-station", split="dev", number=0)


@pytest.fixture(autouse=True)
def _uv_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def evaluate(env: Any, server: FakeEndpoint, folder: Path) -> Any:
    """The one episode of the split's first task, as verifiers' runner plays it."""
    config = EvalConfig(
        env=env.config,
        model="fake",
        client=vf.EvalClientConfig(base_url=server.base_url),
        select={"limit": 1},
        push=False,
        rich=None,
        output_dir=folder,
    )
    (episode,) = asyncio.run(run_eval(config))
    return episode


@pytest.mark.slow
@pytest.mark.parametrize(("world", "split"), [(BASE_STATION[0], "dev"), (TAU2[0], "small")])
def test_gold_calls_score_what_the_verifier_says_and_the_model_is_told_nothing(
    world: str, split: str, tmp_path: Path
) -> None:
    here = open_world(world)
    task = find_task(here, f"{split}:0")
    with FakeEndpoint(in_turn(*(call(one) for one in gold_calls(here, task)))) as server:
        episode = evaluate(adapter.load_environment(world, split), server, tmp_path)
    (trace,) = episode.traces
    assert episode.ok, trace.errors
    assert (trace.stop_condition, trace.metrics["solved"]) == ("episode_over", 1)
    rollout = adapter.rollout_of(trace, 0)
    group = Group(id="g", task=task.view, trajectories=(rollout.trajectory,))
    assert trace.reward == Verifier(lambda _: here).judge_now(group).verdicts[0].reward
    assert trace.reward > 0.8
    kept = secrets(here, task)
    assert len(server.requests) == len(trace.state.calls)
    assert not any(told(request, kept) for request in server.requests)
    offered = {tool["function"]["name"]: tool["function"] for tool in server.requests[0]["tools"]}
    assert {n: t["parameters"] for n, t in offered.items()} == {
        spec.name: {"type": "object", **spec.parameters} for spec in here.open(task).tools
    }
    (log,) = tmp_path.rglob("traces.jsonl")
    assert task.id not in log.read_text()


@pytest.mark.slow
def test_attempts_are_one_group_for_the_judge_and_each_has_its_own_episode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, groups = open_world(ROW.world), list[Group]()

    class Watched(Verifier):
        async def judge(self, group: Group) -> Any:
            groups.append(group)
            return self.judge_now(group)

    monkeypatch.setattr(adapter, "judge_for", lambda *_, **__: Watched(lambda _: here))
    gold = gold_calls(here, find_task(here, "dev:0"))
    replies = in_turn(*(call(one) for one in gold), say("No idea."))
    with FakeEndpoint(replies) as server:
        episode = evaluate(adapter.load_environment("base-station", "dev", n=2), server, tmp_path)
    assert episode.ok
    assert [len(group.trajectories) for group in groups] == [2]
    assert [trace.metrics["solved"] for trace in episode.traces] == [1, 0]
    best, idle = (trace.reward for trace in episode.traces)
    assert best == 1.0
    assert 0 <= idle < 0.1


@pytest.mark.slow
def test_verifiers_own_command_counts_an_abstention_as_no_score(tmp_path: Path) -> None:
    with FakeEndpoint(in_turn(say("No idea."))) as server:
        code = "import sys; from verifiers.v1.cli.eval.main import main; main(sys.argv[1:])"
        command = [sys.executable, "-c", code, adapter.PLUGIN, "--no-push", "--no-rich"]
        command += ["--env.taskset.world", "base-station", "--env.taskset.split", "dev"]
        command += ["--env.judge", "consistency", "-n", "1", "-m", "fake", "-o", str(tmp_path)]
        command += ["--client.base-url", server.base_url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (log,) = tmp_path.rglob("traces.jsonl")
    (episode,) = map(json.loads, log.read_text().splitlines())
    (trace,) = episode["traces"]
    assert trace["rewards"].get("judged") is None
    assert (episode["ok"], trace["ok"]) == (False, False)
    assert "abstained" in trace["errors"][0]["message"]


def test_a_tool_server_has_one_episode_which_is_over_when_it_is_over() -> None:
    async def play() -> tuple[Any, Any, Any]:
        tools, mcp = adapter.Tools(vf.ToolsetConfig()), SimpleNamespace()
        await tools.setup_task(ROW)
        tools.register(mcp)
        unknown = await mcp.call_tool("no_such_tool", {})
        here = open_world(ROW.world)
        gold = gold_calls(here, find_task(here, "dev:0"))
        last = [await mcp.call_tool(*one) for one in gold][-1]
        return unknown, last, await mcp.call_tool("list_alarms", {})

    unknown, last, after = asyncio.run(play())
    assert (unknown.is_error, last.is_error, after.is_error) == (True, False, True)
    assert "over" in after.content[0].text


def ended(stop: str, reply: str = "", calls: Any = (), late: bool = False) -> Any:
    """What `rollout_of` reads of a trace."""
    state = adapter.Made(calls=list(calls))
    task = SimpleNamespace(data=ROW)
    return SimpleNamespace(
        task=task, state=state, stop_condition=stop, last_reply=reply, is_timeout=late
    )


@pytest.mark.parametrize(
    ("trace", "stop"),
    [
        (ended("agent_completed", "I give up."), "agent_error"),
        (ended("agent_completed"), "max_steps"),
        (ended("max_turns", "Let me see."), "max_steps"),
        (ended("agent_timeout", late=True), "deadline"),
    ],
)
def test_how_verifiers_ended_is_how_the_episode_ended(trace: Any, stop: str) -> None:
    assert adapter.rollout_of(trace, 0).trajectory.stop == stop


def test_calls_that_answer_otherwise_the_second_time_are_not_judged() -> None:
    made = adapter.Call(tool="get_clock", arguments={"site_id": "N838"}, answers=["It is noon."])
    with pytest.raises(UsageError, match="answers otherwise"):
        adapter.rollout_of(ended("max_turns", calls=[made]), 0)


@pytest.mark.slow
def test_the_example_of_the_documentation_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = list(blocks(ROOT / "docs" / "adapters.md"))
    (place,) = (n for n, block in enumerate(found) if block.language == "py")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(found[place].text, "adapters.md", "exec"), {"__name__": "docs"})
    assert out.getvalue() == found[place + 1].text
