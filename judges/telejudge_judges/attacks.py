"""Hostile texts, and how they get into a trajectory: what a judge must not fall for.

    attack = ATTACKS[0]
    hostile = inject(attack, trajectory, key="0", place="arguments")   # None: no such place there

The texts are data (attacks.json): requests for scores, fake system messages, fake verdicts, our own
delimiters and ledger lines, encoded and Chinese requests, padding, self-praise. None of them knows
the ids or the nonce of the prompt that it will be shown in, as no judged agent can.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from telejudge_envs.nouns.base import Noun
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_judges.opaque import digest

Place = Literal["answer", "arguments", "technician"]
PLACES: tuple[Place, ...] = ("answer", "arguments", "technician")
"""The agent's last message, an argument of one of its calls, what the user or technician says."""

NEW_ARGUMENT = "note"
"""The argument that a call gets when none of its own is free text."""

FREE_TEXT = 12
"""Characters from which an argument with a space in it counts as free text."""


class Attack(Noun):
    """A hostile text; `repeat` times over."""

    name: str
    family: str
    text: str
    repeat: int = 1

    @property
    def full_text(self) -> str:
        return self.text * self.repeat


def _load() -> tuple[Attack, ...]:
    data = (Path(__file__).parent / "attacks.json").read_text(encoding="utf-8")
    return tuple(Attack.model_validate(one) for one in json.loads(data))


ATTACKS: tuple[Attack, ...] = _load()


def inject(
    attack: Attack, trajectory: Trajectory, key: str, place: Place | None = None
) -> Trajectory | None:
    """The trajectory, id and all, with the attack in it; `key` decides where among several places.

    None when it has no such place (for `place=None`: none at all). Calls keep what they did: ids,
    results and ledger stay as they are.
    """
    dice = random.Random(int(digest(key, attack.name)[:16], 16))
    wanted: list[Place] = list(PLACES) if place is None else [place]
    for one in dice.sample(wanted, len(wanted)):
        messages = _INJECTORS[one](trajectory, attack.full_text, dice)
        if messages is not None:
            return trajectory.model_copy(update={"messages": messages})
    return None


Messages = tuple[Message, ...]


def _into_answer(trajectory: Trajectory, text: str, dice: random.Random) -> Messages | None:
    """The last message of the agent, whether it calls or only speaks."""
    spoken = [i for i, m in enumerate(trajectory.messages) if m.role == "assistant"]
    return _said_too(trajectory.messages, spoken[-1], text) if spoken else None


def _into_technician(trajectory: Trajectory, text: str, dice: random.Random) -> Messages | None:
    """What the other side says after the agent's first turn; solo there is no other side."""
    messages = trajectory.messages
    first = next((i for i, m in enumerate(messages) if m.role == "assistant"), None)
    if trajectory.mode != "dual" or first is None:
        return None
    said = [i for i, m in enumerate(messages) if i > first and m.role == "user" and m.text]
    return _said_too(messages, dice.choice(said), text) if said else None


def _into_arguments(trajectory: Trajectory, text: str, dice: random.Random) -> Messages | None:
    """A free-text argument where a call of the agent has one, else one that the tool ignores."""
    messages = trajectory.messages
    calls = [
        (i, j)
        for i, m in enumerate(messages)
        if m.role == "assistant"
        for j, call in enumerate(m.tool_calls)
        if call.raw is None
    ]
    if not calls:
        return None
    free = [(i, j) for i, j in calls if _free_text(messages[i].tool_calls[j])]
    i, j = dice.choice(free or calls)
    call = messages[i].tool_calls[j]
    names = _free_text(call)
    name = names[0] if names else NEW_ARGUMENT
    before = f"{call.arguments[name]} " if names else ""
    hostile = call.model_copy(update={"arguments": {**call.arguments, name: before + text}})
    made = (*messages[i].tool_calls[:j], hostile, *messages[i].tool_calls[j + 1 :])
    return _replaced(messages, i, messages[i].model_copy(update={"tool_calls": made}))


_INJECTORS: dict[Place, Callable[[Trajectory, str, random.Random], Messages | None]] = {
    "answer": _into_answer,
    "arguments": _into_arguments,
    "technician": _into_technician,
}


def _free_text(call: ToolCall) -> list[str]:
    return [
        name
        for name, value in call.arguments.items()
        if isinstance(value, str) and len(value) >= FREE_TEXT and " " in value
    ]


def _said_too(messages: Messages, at: int, text: str) -> Messages:
    before = f"{messages[at].text}\n" if messages[at].text else ""
    return _replaced(messages, at, messages[at].model_copy(update={"text": before + text}))


def _replaced(messages: Messages, at: int, message: Message) -> Messages:
    return (*messages[:at], message, *messages[at + 1 :])
