"""One episode from start to record: an agent, a world, a deadline in; a Rollout out.

Whatever goes wrong is recorded with its owner, never raised and never dropped:

| what | stop | failure.owner |
|---|---|---|
| `EndpointError` from the agent | `failed` | endpoint |
| the deadline passed while waiting for the agent | `deadline` | the factory's `waits_on` |
| the deadline passed while waiting for the user | `deadline` | user |
| the agent's code raised, or returned no assistant message | `agent_error` | agent |
| the world raised (a broken task, a bug) | `failed` | world |

A failure of owner `agent` is the agent's own and scores as one; every other appears among the
outcome's `faults`, and then the agent is not scored. `waits_on` is what a factory's agents wait
for: `endpoint` for a served model, `runner` for a model on this machine; without it `agent`.

Only a UsageError or MissingExtraError is raised: every episode would end the same way.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import cast

from telejudge_agents.protocol import Agent, AgentFactory
from telejudge_agents.storable import storable
from telejudge_envs import tracing
from telejudge_envs.errors import DataError, EndpointError, MissingExtraError, UsageError
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import (
    Change,
    Failure,
    FaultOwner,
    Outcome,
    Rollout,
    StopReason,
    Trajectory,
    Usage,
)
from telejudge_envs.protocol import Episode, User, World

MAX_DETAIL = 500
_STEPS = ThreadPoolExecutor(max_workers=1024, thread_name_prefix="step")
"""Threads in which users think; asyncio's own are six on two cores. Started as they are needed."""


@dataclass(frozen=True)
class Planned:
    """An episode to be played: `id` is the trajectory's, `seed` the episode's own."""

    id: str
    task: Task
    rollout: int
    seed: int


class _Ended(Exception):
    """The episode is over for a reason that the world does not know."""

    def __init__(self, stop: StopReason, owner: FaultOwner, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.stop: StopReason = stop
        self.failure = Failure(owner=owner, cause=cause, detail=detail[:MAX_DETAIL])


@dataclass
class _Table:
    """Where one episode is played: what is known of it so far, for the record."""

    planned: Planned
    user: User | None = None
    agent: Agent | None = None
    episode: Episode | None = None
    abandoned: bool = False
    """A thread may still be working on the episode: use the copies below instead."""
    messages: tuple[Message, ...] = ()
    changes: tuple[Change, ...] = field(default=())


@tracing.around(tracing.episode)
async def play(
    world: World,
    planned: Planned,
    factory: AgentFactory,
    *,
    user: User | None = None,
    deadline_s: float | None = None,
) -> Rollout:
    """Play one episode; `deadline_s` bounds the wall time of agent and user together."""
    started = time.perf_counter()
    limit = asyncio.get_running_loop().time() + (deadline_s or float("inf"))
    table = _Table(planned, user)
    stop: StopReason | None = None
    failure: Failure | None = None
    try:
        _sit_down(table, world, factory)
        await _converse(table, factory, limit, deadline_s or 0.0)
    except _Ended as ended:
        stop, failure = ended.stop, ended.failure
    return _rollout(table, world, factory, stop, failure, time.perf_counter() - started)


def lost(world: World, planned: Planned, factory: AgentFactory, detail: str) -> Rollout:
    """The record of an episode whose process died again and again: nobody's score."""
    failure = Failure(owner="runner", cause="worker_died", detail=detail[:MAX_DETAIL])
    return _rollout(_Table(planned), world, factory, "failed", failure, 0.0)


def _sit_down(table: _Table, world: World, factory: AgentFactory) -> None:
    planned = table.planned
    try:
        table.episode = world.open(planned.task, seed=planned.seed, user=table.user)
    except (UsageError, MissingExtraError):
        raise
    except Exception as error:
        cause = "broken_task" if isinstance(error, DataError) else "crash"
        raise _Ended("failed", "world", cause, _describe(error)) from error
    try:
        table.agent = factory.start(planned.task.view, planned.seed)
    except Exception as error:
        raise _agent_failed(error) from error


async def _converse(table: _Table, factory: AgentFactory, limit: float, allowed: float) -> None:
    episode, agent = cast(Episode, table.episode), cast(Agent, table.agent)
    clock = asyncio.get_running_loop().time
    threaded = table.planned.task.view.mode == "dual"
    while episode.stop is None:
        table.messages, table.changes = episode.observation, episode.ledger
        said = await _ask(agent, factory, episode, limit, allowed)
        if clock() >= limit:  # an agent that never awaits cannot be interrupted
            raise _too_late(_waits_on(factory, agent), allowed)
        try:
            if threaded:
                await _step_in_thread(table, said, limit, allowed)
            else:
                episode.step(said)
        except (_Ended, MissingExtraError):
            raise
        except Exception as error:
            raise _Ended("failed", "world", "crash", _describe(error)) from error


async def _ask(
    agent: Agent, factory: AgentFactory, episode: Episode, limit: float, allowed: float
) -> Message:
    scope = asyncio.timeout_at(None if limit == float("inf") else limit)
    try:
        async with scope:
            said = await agent.act(episode.observation, episode.tools)
    except Exception as error:
        if scope.expired() and isinstance(error, TimeoutError):
            raise _too_late(_waits_on(factory, agent), allowed) from error
        raise _agent_failed(error) from error
    if not isinstance(said, Message) or said.role != "assistant":
        what = f"a message of role {said.role}" if isinstance(said, Message) else repr(said)
        raise _Ended(
            "agent_error",
            "agent",
            "protocol",
            f"act() must return an assistant message, not {what}",
        )
    return storable(said)


async def _step_in_thread(table: _Table, said: Message, limit: float, allowed: float) -> None:
    """Dual mode: the user's answer may come from a slow model, which must not block others."""
    episode = cast(Episode, table.episode)
    scope = asyncio.timeout_at(None if limit == float("inf") else limit)
    try:
        async with scope:
            here = contextvars.copy_context()
            await asyncio.get_running_loop().run_in_executor(
                _STEPS, lambda: here.run(episode.step, said)
            )
    except TimeoutError as error:
        if not scope.expired():
            raise
        table.messages = (*table.messages, said)
        table.abandoned = True
        raise _too_late("user", allowed) from error


def _too_late(owner: FaultOwner, allowed: float) -> _Ended:
    return _Ended(
        "deadline", owner, "deadline", f"the episode's {allowed:g} s ran out waiting for: {owner}"
    )


def _agent_failed(error: Exception) -> Exception:
    if isinstance(error, (UsageError, MissingExtraError)):
        return error
    if isinstance(error, EndpointError):
        return _Ended("failed", "endpoint", error.cause, str(error))
    return _Ended("agent_error", "agent", "crash", _describe(error))


def _waits_on(factory: AgentFactory, agent: Agent) -> FaultOwner:
    """Whoever the agent was waiting for; an agent that has made requests waits for its endpoint."""
    declared = getattr(factory, "waits_on", None)
    return declared or ("endpoint" if agent.usage.requests else "agent")


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _rollout(
    table: _Table,
    world: World,
    factory: AgentFactory,
    stop: StopReason | None,
    failure: Failure | None,
    seconds: float,
) -> Rollout:
    planned, episode = table.planned, table.episode
    if episode is not None and not table.abandoned:
        if stop is not None:
            episode.finish(stop, failure)
        table.messages, table.changes = episode.observation, episode.ledger
        stop, failure = episode.stop, episode.failure
    trajectory = Trajectory(
        id=planned.id,
        task_id=planned.task.id,
        world=world.name,
        agent=factory.name,
        mode=planned.task.view.mode,
        rollout=planned.rollout,
        seed=planned.seed,
        messages=table.messages,
        changes=table.changes,
        stop=stop or "failed",
        failure=failure,
        usage=_usage(table, seconds),
        user_usage=_user_usage(table),
        versions=versions_of(world, factory),
        trace=table.agent.trace if table.agent else None,
    )
    return Rollout(task=planned.task.view, trajectory=trajectory, outcome=_outcome(table, failure))


def _outcome(table: _Table, failure: Failure | None) -> Outcome:
    faults = (failure,) if failure is not None and failure.owner != "agent" else ()
    unknown = Outcome(answer=0, world_reward=0.0, faults=faults)
    if table.episode is None or table.abandoned:
        return unknown
    try:
        return table.episode.outcome()
    except Exception as error:
        broken = Failure(owner="world", cause="no_outcome", detail=_describe(error)[:MAX_DETAIL])
        return unknown.model_copy(update={"faults": (*faults, broken)})


def _usage(table: _Table, seconds: float) -> Usage:
    usage = table.agent.usage if table.agent else Usage()
    calls = sum(len(m.tool_calls) for m in table.messages if m.role == "assistant")
    return usage.model_copy(update={"calls": calls, "seconds": seconds})


def _user_usage(table: _Table) -> Usage | None:
    """What a user asked of a model, by his attribute `usage`; None for one who asked nothing."""
    spent: Usage | None = getattr(table.user, "usage", None)
    if spent is None or not spent.requests:
        return None
    calls = sum(len(m.tool_calls) for m in table.messages if m.role == "user")
    return spent.model_copy(update={"calls": calls})


def versions_of(world: World, factory: AgentFactory) -> dict[str, str]:
    """What a trajectory was made with: the world's versions and the agent's."""
    return {**getattr(world, "versions", {}), **factory.versions}
