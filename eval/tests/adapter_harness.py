"""What tests of adapters share: gold calls, what must never be told, and servers to talk to.

calls = gold_calls(world, task)              # what solves the task, as (tool, arguments)
assert not told(payload, secrets(world, task))
with serving("mcp", "--http", port=port): …  # `telejudge serve mcp --http` in a process
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from telejudge_agents.scripted.registry import scripted
from telejudge_envs.adapters.seat import Seat
from telejudge_envs.nouns.task import Task
from telejudge_envs.protocol import World

Call = tuple[str, dict[str, Any]]
BASE_STATION = ("base-station", "bs-dev-0000")
TAU2 = ("tau2-telecom", "small:0")
TOKEN = "a token for tests only"
PRIVATE = frozenset(
    {"hidden", "ledger", "world_reward", "evaluation_criteria", "initial_state", "spec", "atoms"}
)
"""Names of fields that no player reads before the end."""


def gold_calls(world: World, task: Task) -> list[Call]:
    """The calls of the world's gold agent, its closing one last."""
    agent = scripted("gold", world).start(task.view, 0)
    episode = world.open(task, seed=0)
    while episode.stop is None:
        episode.step(agent.decide(episode.observation, episode.tools))
    assert episode.outcome().answer == 1
    return [(c.name, c.arguments) for m in episode.observation for c in m.tool_calls]


def secrets(world: World, task: Task) -> frozenset[str]:
    """Words of the task's hidden part that the world itself does not show, in all its gold play."""
    seat = Seat(world, task, player="test")
    for name, arguments in gold_calls(world, task):
        seat.call(name, arguments)
    shown = " ".join(m.model_dump_json() for m in seat.opening)
    shown += " ".join(tool.model_dump_json() for tool in seat.tools)
    words = {word for word in _words(task.hidden) if len(word) > 5} | {task.id} | PRIVATE
    kept = frozenset(word for word in words if word not in shown and word not in shown.lower())
    assert len(kept) > 3, "nothing to look for"
    return kept


def told(payload: object, kept: frozenset[str]) -> set[str]:
    """Which of the secrets a payload tells, however it is nested."""
    text = payload if isinstance(payload, str) else json.dumps(payload, default=str)
    return {word for word in kept if word in text or json.dumps(word)[1:-1] in text}


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _words(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, str):
        yield value


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def serving(kind: str, *arguments: str, port: int, token: str | None = None) -> Iterator[None]:
    """`telejudge serve KIND` in a process of its own, until the block ends."""
    command = [sys.executable, "-m", "telejudge_eval.cli.app", "serve", kind, *arguments]
    environment = {k: v for k, v in os.environ.items() if k != "TELEJUDGE_SERVE_TOKEN"}
    if token is not None:
        environment["TELEJUDGE_SERVE_TOKEN"] = token
    process = subprocess.Popen([*command, "--port", str(port)], env=environment)
    try:
        _wait_for(process, port)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        assert process.poll() is None, f"the server stopped with {process.returncode}"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("the server did not start")
