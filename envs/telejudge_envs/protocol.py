"""The two protocols that everything else adapts to: World and Episode.

A world lists tasks and opens single-use episodes:

    episode = world.open(task, seed=0)
    while episode.stop is None:
        message = await agent.act(episode.observation, episode.tools)
        episode.step(message)
    outcome = episode.outcome()

An episode never raises because of what an agent did.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Change, Failure, Outcome, StopReason, Trajectory


class User(Protocol):
    """Plays the user of a dual-control episode: sees the conversation, owns the user's tools.

    One that asks a model may say in `usage` (a `Usage`) what that cost so far; one that errs as
    people do, in `faults`. Records keep both apart from what is the agent's.
    """

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """Return a `user` message: text for the agent, or tool calls with owner `user`."""
        ...


@runtime_checkable
class Episode(Protocol):
    """One run on one task; single use."""

    @property
    def task(self) -> Task: ...

    @property
    def observation(self) -> tuple[Message, ...]:
        """All messages so far, the system message (policy and ticket) first."""
        ...

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """The tools that the agent may call."""
        ...

    @property
    def ledger(self) -> tuple[Change, ...]: ...

    @property
    def stop(self) -> StopReason | None:
        """None while the episode runs."""
        ...

    @property
    def failure(self) -> Failure | None:
        """Whose fault the stop was, when something went wrong."""
        ...

    def step(self, message: Message) -> tuple[Message, ...]:
        """Apply the agent's message; return the new messages (tool results, the user's reply)."""
        ...

    def finish(self, stop: StopReason, failure: Failure | None = None) -> None:
        """End the episode from outside: deadline, dead endpoint, end of a recording."""
        ...

    def outcome(self) -> Outcome:
        """The ground truth as of now."""
        ...


@runtime_checkable
class World(Protocol):
    """A domain with its tasks, tools and truth."""

    @property
    def name(self) -> str: ...

    @property
    def splits(self) -> tuple[str, ...]: ...

    def tasks(self, split: str, mode: Mode = "solo") -> Sequence[Task]: ...

    def task(self, task_id: str, mode: Mode = "solo") -> Task: ...

    def open(self, task: Task, seed: int = 0, user: User | None = None) -> Episode: ...

    def replay(self, task: Task, trajectory: Trajectory) -> Episode:
        """Re-run a trajectory's calls on a fresh episode: the ledger and the truth of a record."""
        ...
