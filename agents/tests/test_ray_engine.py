"""Episodes on Ray: the same records as in one process, whoever dies on the way."""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from telejudge_agents.ray_engine import RayEngine
from telejudge_agents.runner import Progress, Tables, run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Rollout, Usage
from telejudge_envs.offers import scripted_user
from telejudge_envs.registry import open_world

ray = pytest.importorskip("ray", reason="Ray comes with the extra verl")
pytestmark = pytest.mark.slow
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import tests
ROLLOUTS = 3


class Recorded:
    """A factory whose agents leave their process's number in a file at each start."""

    def __init__(self, folder: Path) -> None:
        self._inner = scripted("expert", open_world("tau2-telecom"))
        self._folder = folder
        self.name, self.versions = self._inner.name, self._inner.versions

    def start(self, task: TaskView, seed: int) -> Slow:
        (self._folder / f"{os.getpid()}").touch()
        return Slow(self._inner.start(task, seed))


class Slow:
    """Another agent, with a pause before each act, so that there is time to be killed."""

    trace = None

    def __init__(self, inner: object) -> None:
        self._inner = inner

    async def act(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        import asyncio

        await asyncio.sleep(0.02)
        return await self._inner.act(messages, tools)  # type: ignore[attr-defined]

    @property
    def usage(self) -> Usage:
        return self._inner.usage  # type: ignore[attr-defined]


def make(folder: Path) -> Tables:
    world = open_world("tau2-telecom")
    return Tables(world, Recorded(folder), functools.partial(scripted_user, world))


def play(
    folder: Path, mode: str, engine: RayEngine | None = None, **options: object
) -> list[Rollout]:
    here = make(folder)
    tasks = here.world.tasks("test", mode)[:6]  # type: ignore[arg-type]
    return run(
        here.world,
        tasks,
        here.factory,
        rollouts=ROLLOUTS,
        users=here.users,
        engine=engine,
        **options,  # type: ignore[arg-type]
    )


def bare(rollouts: list[Rollout]) -> list[str]:
    """Everything but times and what was used."""
    return [
        r.model_copy(
            update={"trajectory": r.trajectory.model_copy(update={"usage": Usage()})}
        ).model_dump_json()
        for r in rollouts
    ]


def test_a_run_on_ray_is_the_same_run_and_survives_its_workers(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        if progress.done == 4 and not killed:
            killed.append(max(int(f.name) for f in there.iterdir()))
            os.kill(killed[0], signal.SIGKILL)

    engine = RayEngine(functools.partial(make, there), concurrency=4, workers=2)
    out = tmp_path / "rollouts.jsonl"
    with_ray = play(there, "solo", engine, out=out, on_progress=kill_one)
    assert bare(with_ray) == bare(play(here, "solo"))
    pids = {int(f.name) for f in there.iterdir()}
    assert killed
    assert os.getpid() not in pids
    assert len(pids) == 3, "two workers, and the one that took the place of the killed one"
    kept = out.read_bytes()
    play(there, "solo", engine, out=out)
    assert out.read_bytes() == kept, "a finished run plays nothing again"
    lines = out.read_text().splitlines()
    out.write_text("\n".join(lines[:5]) + "\n")
    assert bare(play(there, "solo", engine, out=out)) == bare(with_ray)


def test_a_worker_that_dies_with_every_try_is_the_runners_failure(tmp_path: Path) -> None:
    engine = RayEngine(functools.partial(deadly, tmp_path), concurrency=1, workers=1)
    played = play(tmp_path, "solo", engine)
    assert {r.trajectory.stop for r in played[:ROLLOUTS]} == {"failed"}
    assert {f.owner for r in played[:ROLLOUTS] for f in r.outcome.faults} == {"runner"}  # type: ignore[union-attr]
    assert all(r.trajectory.failure is None for r in played[ROLLOUTS:])


class Deadly(Recorded):
    """Its process dies with the first task."""

    def start(self, task: TaskView, seed: int) -> Slow:
        if task.id == open_world("tau2-telecom").tasks("test")[0].id:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().start(task, seed)


def deadly(folder: Path) -> Tables:
    return Tables(open_world("tau2-telecom"), Deadly(folder))


def test_arguments_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="positive"):
        RayEngine(functools.partial(make, tmp_path), concurrency=0)
