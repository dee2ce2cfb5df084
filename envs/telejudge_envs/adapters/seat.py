"""One episode played from outside: what an adapter may touch, and nothing else.

    seat = Seat(world, world.task("bs-dev-0000"), player="mcp")
    seat.opening                                 # policy and ticket
    seat.call("get_clock", {})                   # what came back
    seat.close()
    seat.ending.outcome, seat.ending.verdict     # UsageError before the end

Every adapter (MCP, Gymnasium, OpenEnv, inspect_ai, verifiers) hands out what a seat says. A seat
has no way to the task's hidden part or the ledger, and tells truth and score only after the end.
It is single use. Adapters keep a task's id to themselves: tau2's ids name the faults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from telejudge_envs.chat_format import clean, parse_arguments
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.nouns.trajectory import Outcome, Rollout, StopReason, Trajectory
from telejudge_envs.nouns.verdict import Verdict
from telejudge_envs.offers import scripted_user
from telejudge_envs.protocol import World

Score = Callable[[Rollout], Verdict]
"""A judge, asked about one finished rollout."""


class Ending(NamedTuple):
    """What is known after the end. `verdict` is None where nobody was asked to judge."""

    stop: StopReason
    outcome: Outcome
    verdict: Verdict | None


class Seat:
    """`score` judges the rollout once, when somebody first asks how it ended."""

    def __init__(
        self, world: World, task: Task, *, seed: int = 0, player: str, score: Score | None = None
    ) -> None:
        user = scripted_user(world, task, seed) if task.view.mode == "dual" else None
        self.view: TaskView = task.view
        self._episode = world.open(task, seed=seed, user=user)
        self._world, self._seed, self._player, self._score = world.name, seed, player, score
        self._versions: dict[str, str] = getattr(world, "versions", {})
        self._calls = 0

    @property
    def opening(self) -> tuple[Message, ...]:
        """All that the agent may see so far: at the start the policy and the ticket."""
        return heard(self._episode.observation)

    @property
    def policy(self) -> str:
        return self._episode.observation[0].text

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        return self._episode.tools

    @property
    def stop(self) -> StopReason | None:
        return self._episode.stop

    def act(self, message: Message) -> tuple[Message, ...]:
        """The agent's message; returns what it may see of the answer. UsageError after the end."""
        before = len(self.opening)
        self._episode.step(message)
        return self.opening[before + 1 :]

    def call(self, name: str, arguments: Any) -> tuple[Message, ...]:
        """One call as a message of its own; arguments are an object, or whatever came instead."""
        self._calls += 1
        given, raw = parse_arguments(arguments)
        call = ToolCall(id=f"call_{self._calls}", name=clean(name), arguments=given, raw=raw)
        return self.act(Message(role="assistant", tool_calls=(call,)))

    def say(self, text: str) -> tuple[Message, ...]:
        """Words to the user (in solo mode nobody listens, which is the agent's error)."""
        return self.act(Message(role="assistant", text=clean(text)))

    def close(self, stop: StopReason = "agent_stop") -> None:
        """End the episode as it stands; nothing happens when it is over."""
        if self._episode.stop is None:
            self._episode.finish(stop)

    @property
    def rollout(self) -> Rollout:
        """The record, with the truth; for judges and files, never for the player."""
        if self._episode.stop is None:
            raise UsageError("the episode is not over: no outcome, no score")
        trajectory = Trajectory(
            id=f"{self.view.id}#{self._player}-{self._seed}",
            task_id=self.view.id,
            world=self._world,
            agent=self._player,
            mode=self.view.mode,
            seed=self._seed,
            messages=self._episode.observation,
            changes=self._episode.ledger,
            stop=self._episode.stop,
            failure=self._episode.failure,
            versions=self._versions,
        )
        return Rollout(task=self.view, trajectory=trajectory, outcome=self._episode.outcome())

    @cached_property
    def ending(self) -> Ending:
        """How it ended. Raises UsageError while the episode runs."""
        rollout = self.rollout
        verdict = None if self._score is None else self._score(rollout)
        assert rollout.outcome is not None
        return Ending(rollout.trajectory.stop, rollout.outcome, verdict)


def find_task(world: World, name: str, mode: Mode = "solo") -> Task:
    """A task by its id, or as SPLIT:N (from 0) by those who do not want to read the id, which in
    some worlds names the faults. Raises UsageError when there is none."""
    split, _, number = name.rpartition(":")
    if split not in world.splits or not number.isdecimal():
        return world.task(name, mode)
    tasks = world.tasks(split, mode)
    if int(number) >= len(tasks):
        raise UsageError(
            f"split {split} has {len(tasks)} tasks; the last is {split}:{len(tasks) - 1}"
        )
    return tasks[int(number)]


def heard(messages: Sequence[Message]) -> tuple[Message, ...]:
    """What the agent may see: not the user's own calls, nor what came of them."""
    users = {call.id for m in messages if m.role == "user" for call in m.tool_calls}
    return tuple(
        m.model_copy(update={"tool_calls": ()}) if m.role == "user" else m
        for m in messages
        if m.tool_call_id not in users and (m.role != "user" or m.text or not m.tool_calls)
    )
