"""Many episodes at once: tasks, an agent factory and a seed in; a Rollout for each out.

    rollouts = run(world, world.tasks("test"), factory, rollouts=4, seed=0,
                   out=Path("rollouts.jsonl"), deadline_s=120)

Every finished episode is one line of `out` at once. Started again with the same arguments, a run
reads the file, plays what is missing and repeats nothing, however it was stopped. An episode is
the same one when world, task (with its ticket), mode, agent name, rollout index and seed are. The
same seed gives the same bytes, up to the order of lines and `seconds` of usage, if agent and user
are deterministic. `play.py` says what becomes of failures.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

from telejudge_agents.garbage import seldom
from telejudge_agents.play import Planned, play, versions_of
from telejudge_agents.protocol import AgentFactory
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.protocol import User, World
from telejudge_envs.store import Store

P = ParamSpec("P")
R = TypeVar("R")

Users = Callable[[Task, int], User]
"""Makes the user of one dual episode from its task and the episode's seed."""


class Progress(NamedTuple):
    """How far a run is. `last` is the episode that just ended, None for the first report."""

    done: int
    total: int
    resumed: int
    solved: int
    failed: int
    """Episodes that failed by somebody else's fault; they are not scored."""
    last: Rollout | None


OnProgress = Callable[[Progress], None]

Engine = Callable[[Iterator[Planned], Callable[[Rollout], None]], Awaitable[None]]
"""Plays episodes somewhere else: takes one after another, hands back the Rollout of each."""


async def run_episodes(
    world: World,
    tasks: Sequence[Task],
    factory: AgentFactory,
    *,
    rollouts: int = 1,
    seed: int = 0,
    concurrency: int = 8,
    deadline_s: float | None = None,
    out: Path | None = None,
    fsync: bool = False,
    users: Users | None = None,
    on_progress: OnProgress | None = None,
    retry_failed: bool = False,
    engine: Engine | None = None,
) -> list[Rollout]:
    """Play every task `rollouts` times; returns them by task, then rollout, however they ended.

    `retry_failed` plays again, at a restart, what failed by somebody else's fault; the new record
    is appended and replaces the old one (`telejudge_envs.groups.latest`). An `engine` plays them
    elsewhere (`ray_engine.py`); `concurrency`, `deadline_s` and `users` are then its own. Raises
    UsageError for arguments that do not fit, StorageError when `out` cannot be written.
    """
    if rollouts < 1 or concurrency < 1 or (deadline_s is not None and deadline_s <= 0):
        raise UsageError(
            "rollouts, concurrency and deadline_s must be positive; got "
            f"{rollouts}, {concurrency}, {deadline_s}"
        )
    planned = plan(tasks, factory.name, rollouts=rollouts, seed=seed)
    with Store(out, Rollout, fsync=fsync) if out is not None else nullcontext() as store:
        made_with = {**versions_of(world, factory), **_versions(users)}
        found = _already_played(store, planned, made_with, retry_failed)
        board = _Board(len(planned), found, store, on_progress)
        waiting = [p for p in planned if p.id not in found]
        if engine is None:
            tables = Tables(world, factory, users, deadline_s)
            places = min(concurrency, len(waiting))
            try:
                with seldom(places) as ended:

                    def add(rollout: Rollout) -> None:
                        board.add(rollout)
                        ended()

                    await serve([tables.play] * places, iter(waiting), add)
            finally:
                await _close(factory)
        elif waiting:
            await engine(iter(waiting), board.add)
    return [board.rollouts[p.id] for p in planned]


def _blocking(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return asyncio.run(function(*args, **kwargs))

    return call


run = _blocking(run_episodes)
"""`run_episodes` for callers that are not async."""


def plan(tasks: Sequence[Task], agent: str, *, rollouts: int, seed: int) -> list[Planned]:
    """The episodes of a run with their ids and seeds; raises UsageError for a repeated task."""
    planned = [
        Planned(
            id=episode_id(task.view, agent, rollout, seed),
            task=task,
            rollout=rollout,
            seed=episode_seed(seed, task.id, task.view.mode, rollout),
        )
        for task in tasks
        for rollout in range(rollouts)
    ]
    if len({p.id for p in planned}) < len(planned):
        repeated = sorted({t.id for t in tasks if sum(o.id == t.id for o in tasks) > 1})
        raise UsageError(f"the same task is given twice: {', '.join(repeated[:3])}")
    return planned


def episode_seed(seed: int, task_id: str, mode: Mode, rollout: int) -> int:
    """An episode's own seed (31 bits). All agents get the same ones, so they compare in pairs."""
    return int(_hash("seed", seed, task_id, mode, rollout)[:8], 16) >> 1


def episode_id(task: TaskView, agent: str, rollout: int, seed: int) -> str:
    """The trajectory id of an episode: the same in every run that has the same arguments."""
    return _hash("episode", task.world, task.id, task.ticket, task.mode, agent, rollout, seed)[:16]


def _hash(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def _already_played(
    store: Store[Rollout] | None, planned: Sequence[Planned], versions: dict[str, str], retry: bool
) -> dict[str, Rollout]:
    """The planned episodes that the file holds; raises UsageError if others made them."""
    if store is None:
        return {}
    wanted = {p.id for p in planned}
    found = {r.trajectory.id: r for r in store.read() if r.trajectory.id in wanted}
    for rollout in found.values():
        if rollout.trajectory.versions != versions:
            raise UsageError(
                f"{store.path} holds these episodes made with {rollout.trajectory.versions}, now "
                f"it would be {versions}; write to another file, or move this one away"
            )
    return {i: r for i, r in found.items() if not (retry and _failed(r))}


def _failed(rollout: Rollout) -> bool:
    return rollout.outcome is not None and bool(rollout.outcome.faults)


@dataclass
class _Board:
    """What is finished: kept, stored and reported."""

    total: int
    rollouts: dict[str, Rollout]
    store: Store[Rollout] | None
    on_progress: OnProgress | None
    resumed: int = field(init=False)
    solved: int = field(init=False)
    failed: int = field(init=False)

    def __post_init__(self) -> None:
        self.rollouts = dict(self.rollouts)
        self.resumed = len(self.rollouts)
        self.solved = sum(map(_solved, self.rollouts.values()))
        self.failed = sum(map(_failed, self.rollouts.values()))
        self._report(None)

    def add(self, rollout: Rollout) -> None:
        if self.store is not None:
            self.store.append(rollout)
        self.rollouts[rollout.trajectory.id] = rollout
        self.solved += _solved(rollout)
        self.failed += _failed(rollout)
        self._report(rollout)

    def _report(self, last: Rollout | None) -> None:
        if self.on_progress is not None:
            done = len(self.rollouts)
            self.on_progress(
                Progress(done, self.total, self.resumed, self.solved, self.failed, last)
            )


def _solved(rollout: Rollout) -> bool:
    return rollout.outcome is not None and rollout.outcome.answer == 1


@dataclass(frozen=True)
class Tables:
    """Where episodes are played."""

    world: World
    factory: AgentFactory
    users: Users | None = None
    deadline_s: float | None = None

    async def play(self, planned: Planned) -> Rollout:
        user = None
        if self.users is not None and planned.task.view.mode == "dual":
            user = self.users(planned.task, planned.seed)
        rollout = await play(
            self.world, planned, self.factory, user=user, deadline_s=self.deadline_s
        )
        extra = _versions(self.users)
        if not extra:
            return rollout
        made_with = {**rollout.trajectory.versions, **extra}
        told = rollout.trajectory.model_copy(update={"versions": made_with})
        return rollout.model_copy(update={"trajectory": told})


async def serve(
    places: Sequence[Callable[[Planned], Awaitable[Rollout]]],
    waiting: Iterator[Planned],
    add: Callable[[Rollout], None],
) -> None:
    """Play all that wait, in each place one at a time; the first error ends everything."""

    async def sit(place: Callable[[Planned], Awaitable[Rollout]]) -> None:
        for planned in waiting:
            add(await place(planned))
            await asyncio.sleep(0)  # an agent that never awaits must not starve the others

    try:
        async with asyncio.TaskGroup() as group:
            for place in places:
                group.create_task(sit(place))
    except BaseExceptionGroup as errors:
        raise _first(errors) from errors


def _versions(users: Users | None) -> dict[str, str]:
    """Of users that are not all the same, such as those played by a model."""
    return getattr(users, "versions", {})


async def _close(factory: AgentFactory) -> None:
    """A factory may have connections of this event loop to give up."""
    close = getattr(factory, "close", None)
    if close is not None:
        await close()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
