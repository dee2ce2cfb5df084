"""One episode that TRL plays call by call, and the record of it.

    episode = CalledEpisode(world, task, seed)
    episode.call("list_alarms", {"scope_id": "K042"})      # as often as the model calls
    rollout = episode.rollout(completion)                  # TRL's messages of the whole reply

TRL calls a method for each tool call and tells nobody what stood around it; the messages come when
all is over. So the world's answers, changes and truth are of the calls as they were made, while
turns, words and the calls that TRL itself refused (no such tool) are taken from the messages.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from typing import Any, NamedTuple

from telejudge_agents.reply import Written, message_of
from telejudge_agents.storable import storable
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Failure, Outcome, Rollout, Trajectory, Usage
from telejudge_envs.protocol import Episode, World
from telejudge_envs.slots import Kinds, Slots

CLOSED = "The case is closed."
"""What a call after the last one gets; TRL cannot be told that an episode has ended."""

Said = Mapping[str, Any]
"""A message as TRL writes it."""


@dataclass(frozen=True)
class _Made:
    """A call that the world has seen, and what it answered."""

    wanted: tuple[str, Any]
    call: ToolCall
    answers: tuple[Message, ...]
    last: bool


class _Turn(NamedTuple):
    messages: list[Message]
    over: bool


class CalledEpisode:
    """Single use. `kinds` are names that the model reads as slots."""

    def __init__(
        self, world: World, task: Task, seed: int, *, number: int = 0, kinds: Kinds = ()
    ) -> None:
        self.task = task
        self._world, self._seed, self._number = world, seed, number
        self._slots = Slots(kinds)
        self._episode: Episode = world.open(task, seed=seed)
        self._opening = self._episode.observation
        self._made: list[_Made] = []
        self._started = time.perf_counter()

    def ticket(self) -> str:
        """What the user says first, as the model reads it."""
        said = [self._slots.hide(m.text) for m in self._opening if m.role != "system"]
        return "\n\n".join(said)

    def call(self, name: str, given: dict[str, Any]) -> str:
        """Let the world answer. Should it fail, the episode ends by the world's fault."""
        if self._episode.stop is not None:
            return CLOSED
        message = self._message(name, given, len(self._made) + 1)
        try:
            new = self._episode.step(message)
        except Exception as error:
            self._episode.finish("failed", _fault("crash", error))
            new = ()
        answers = tuple(m for m in new if m.role == "tool")
        last = self._episode.stop is not None
        self._made.append(_Made((name, given), message.tool_calls[0], answers, last))
        return "\n".join(self._slots.hide(m.text) for m in answers) or CLOSED

    def rollout(self, completion: Sequence[Said]) -> Rollout:
        """The record, with its truth; ends the episode when the model has not.

        Who stopped calling without having closed the case has said his last words: the world takes
        them as it does everywhere (text in solo mode breaks the protocol).
        """
        messages = self._transcript(completion)
        if self._episode.stop is None:
            self._episode.step(Message(role="assistant", text=_last_words(messages)))
        episode, view = self._episode, self.task.view
        trajectory = Trajectory(
            id=f"{view.id}#{self._number}",
            task_id=view.id,
            world=self._world.name,
            agent="policy",
            mode=view.mode,
            rollout=self._number,
            seed=self._seed,
            messages=messages,
            changes=episode.ledger,
            stop=episode.stop or "failed",
            failure=episode.failure,
            usage=Usage(
                calls=sum(len(m.tool_calls) for m in messages),
                requests=sum(m.role == "assistant" for m in messages),
                seconds=time.perf_counter() - self._started,
            ),
            versions={**getattr(self._world, "versions", {}), "model": "policy"},
        )
        return Rollout(task=view, trajectory=trajectory, outcome=self._outcome())

    def _outcome(self) -> Outcome:
        try:
            return self._episode.outcome()
        except Exception as error:
            return Outcome(answer=0, world_reward=0.0, faults=(_fault("no_outcome", error),))

    def _transcript(self, completion: Sequence[Said]) -> tuple[Message, ...]:
        messages, made = list(self._opening), list(self._made)
        for n, said in enumerate(completion):
            if said["role"] != "assistant":
                continue
            told = list(takewhile(lambda m: m["role"] == "tool", completion[n + 1 :]))
            turn = self._turn(said, told, made, f"refused_{n}")
            messages += turn.messages
            if turn.over:
                break
        return tuple(messages)

    def _turn(self, said: Said, told: Sequence[Said], made: list[_Made], refused_id: str) -> _Turn:
        """A turn with its answers; its calls are taken off `made`, unless TRL refused them."""
        calls: list[ToolCall] = []
        answers: list[Message] = []
        over = False
        wanted = said.get("tool_calls") or ()
        for n, (one, answer) in enumerate(zip_longest(wanted, told[: len(wanted)])):
            name, given = one["function"]["name"], one["function"].get("arguments")
            if made and made[0].wanted == (name, given):
                known = made.pop(0)
                calls.append(known.call)
                answers += known.answers
                over = over or known.last
            elif not over:
                refused = self._message(name, given, n).tool_calls[0]
                calls.append(refused.model_copy(update={"id": f"{refused_id}.{n}"}))
                answers += _refusal(calls[-1].id, answer)
        text = self._slots.show(str(said.get("content") or "")).strip()
        turn = Message(role="assistant", text=text, tool_calls=tuple(calls))
        return _Turn([storable(turn), *answers], over)

    def _message(self, name: str, given: Any, number: int) -> Message:
        """The call as the world and the record have it: with real names, and storable."""
        message = message_of([Written(name, given)], "", None, first_call=number)
        return storable(self._slots.show_message(message))


def _refusal(call_id: str, answer: Said | None) -> list[Message]:
    """What TRL said to a call that the world has not seen; nothing for one it did not get to."""
    if answer is None:
        return []
    text = str(answer.get("content") or "")
    return [Message(role="tool", text=text, tool_call_id=call_id, error=True)]


def _last_words(messages: Sequence[Message]) -> str:
    last = messages[-1]
    return last.text if last.role == "assistant" and not last.tool_calls else ""


def _fault(cause: str, error: Exception) -> Failure:
    detail = f"{type(error).__name__}: {error}"[:500]
    return Failure(owner="world", cause=cause, detail=detail)
