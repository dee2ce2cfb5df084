"""A script played on a fresh episode, so that every output is what the world really says.

In: an episode, a script and the base trajectory's results. Out: the trajectory, and which step each
slot became.

    played = play(stage, task, edited, base, "bs-train-0004|3|redundant", seed=0)
    played.trajectory, played.steps      # steps[i]: index of the call that slot i became, or None
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from telejudge_envs.inspection import Inspection
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Outcome, Trajectory
from telejudge_envs.protocol import Episode
from telejudge_judges.corruption.script import Edited, Slot, as_call

TRIES = 3
"""Calls of a tool that says it is busy."""


class Player(Protocol):
    """What playing needs of a world."""

    @property
    def world(self) -> str: ...

    def open(self, task: Task, seed: int) -> Episode: ...

    def words_for(self, task: Task, slot: Slot) -> str | None:
        """What to say to the user who owns the slot's tool; None when the agent calls it."""
        ...

    def told_true(
        self, episode: Episode, arguments: Mapping[str, Any], heard: Sequence[Message]
    ) -> dict[str, Any]:
        """Arguments of a closing call, with what they say of the state made true."""
        ...


@dataclass(frozen=True)
class Played:
    trajectory: Trajectory
    outcome: Outcome
    steps: tuple[int | None, ...]


class _Run:
    def __init__(self, player: Player, task: Task, base: Inspection, seed: int) -> None:
        self.player, self.task = player, task
        self.episode = player.open(task, seed)
        self.made = 0
        self.names: dict[str, str | None] = {}
        for step in base.steps:  # until it is made again, nothing of the base has happened
            self.names |= {f"r{step.step.index + 1}": None, f"w{step.step.index + 1}": None}
        self._old = {step.step.index: step.step.result.content for step in base.steps}

    def call(self, slot: Slot, honest: bool) -> int | None:
        """Make it; the index of the call that worked, or of the last try."""
        if honest and slot.origin is not None and "restored" in slot.arguments:
            told = self.player.told_true(self.episode, slot.arguments, self.episode.observation)
            slot = Slot(slot.tool, told, slot.origin, slot.words)
        index, said = None, ""
        for _ in range(1 if slot.stubborn else TRIES):
            if self.episode.stop is not None:
                return index
            index, said = self._once(slot)
            if not said.startswith("Error: BUSY"):
                break
        if slot.origin is not None and index is not None:
            self._rename(slot.origin, index, said)
        return index

    def _once(self, slot: Slot) -> tuple[int | None, str]:
        """One try: the index of the call, if it was made, and what it returned."""
        words = self.player.words_for(self.task, slot)
        call = as_call(slot, self.made + 1, self.names)
        seen = len(self.episode.observation)
        if words is None:
            said = Message(role="assistant", text=slot.words, tool_calls=(call,))
        else:
            text = f"{slot.words} {_in_words(words, call)}".strip()
            said = Message(role="assistant", text=text)
        self.episode.step(said)
        index, result = None, ""
        new = self.episode.observation[seen:]
        answers = {m.tool_call_id: m.text for m in new if m.role == "tool"}
        for message in new:
            for made in message.tool_calls:
                if made.name == slot.tool and index is None:
                    index, result = self.made, answers.get(made.id, "")
                self.made += 1
        return index, result

    def _rename(self, origin: int, index: int, said: str) -> None:
        for letter in "rw":
            self.names[f"{letter}{origin + 1}"] = f"{letter}{index + 1}"
        old, new = _token(self._old[origin]), _token(said)
        if old and new:
            self.names[old] = new


def play(
    player: Player, task: Task, edited: Edited, base: Inspection, name: str, seed: int
) -> Played:
    """Play the whole script, or as far as the episode lets us."""
    run = _Run(player, task, base, seed)
    steps: list[int | None] = []
    for position, slot in enumerate(edited.script):
        if position == len(edited.script) - 1 and edited.cite is not None:
            _cite(run, steps[edited.cite])
        steps.append(run.call(slot, honest=not edited.claim))
    episode = run.episode
    if episode.stop is None:
        episode.finish("max_steps")
    assert episode.stop is not None
    trajectory = Trajectory(
        id=name,
        task_id=task.id,
        world=player.world,
        agent="corruption",
        mode=task.view.mode,
        seed=seed,
        messages=episode.observation,
        changes=episode.ledger,
        stop=episode.stop,
        failure=episode.failure,
    )
    return Played(trajectory, episode.outcome(), tuple(steps))


def _cite(run: _Run, index: int | None) -> None:
    """From now on readings that were never made are cited as another one."""
    if index is None:
        return
    for name, new in run.names.items():
        if new is None and name.startswith("r"):
            run.names[name] = f"r{index + 1}"


def _token(content: str) -> str | None:
    if '"token"' not in content:
        return None
    try:
        return json.loads(content).get("token")
    except ValueError:
        return None


def _in_words(pattern: str, call: ToolCall) -> str:
    arguments = ", ".join(
        f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in call.arguments.items()
    )
    return pattern.format(call=f"{call.name}({arguments})")
