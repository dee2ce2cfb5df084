"""Names that were never seen before, made readable for a tiny model: every name gets a slot.

    slots = Slots([("SP\\d{3}", "SP{}", 100)])
    slots.hide("take SP517 or SP756")        -> "take SP100 or SP101"
    slots.show("replace with SP101")         -> "replace with SP756"

A model of half a million weights cannot learn from a few thousand conversations to copy a name
letter by letter. So the n-th name of a kind in a conversation is always written the same way, and
what the model says is put back into the real names before anybody reads it. Nothing else changes:
which name to use remains the model's choice. The kinds are kept in the tokenizer's own
configuration, so that a saved model brings them along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from telejudge_envs.nouns.message import Message

Kinds = Sequence[tuple[str, str, int]]
"""For each kind a regular expression, what a slot looks like, and the number of its first."""

SETTING = "slots"
"""The tokenizer's setting that holds the kinds."""


Parts = tuple["str | tuple[int, str]", ...]
"""A text cut at its names: each name is a kind's number and the name."""

NEVER = "(?!)"
"""A pattern that matches nothing, not even an empty text."""


class Slots:
    """The names of one conversation."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._next = [first for _, _, first in kinds]
        self._slot: dict[tuple[int, str], str] = {}
        self._name: dict[str, str] = {}
        self._names = re.compile(
            "|".join(f"(?P<k{i}>{k[0]})" for i, k in enumerate(kinds)) or NEVER
        )
        shapes = "|".join(re.escape(k[1]).replace(r"\{\}", r"\d+") for k in kinds)
        self._slots = re.compile(rf"(?<![A-Za-z0-9])(?:{shapes or NEVER})(?![0-9A-Za-z])")

    def hide(self, text: str) -> str:
        """Names become slots; a name not met before takes the next free slot of its kind."""
        return self._names.sub(self._hidden, text)

    def parts(self, text: str) -> Parts:
        """What `fill` makes the same of as `hide` of `text`; the same for all Slots of these kinds,
        so that a text which is read again and again is searched for names once."""
        found: list[str | tuple[int, str]] = []
        start = 0
        for name in self._names.finditer(text):
            found += (text[start : name.start()], (_kind(name), name.group()))
            start = name.end()
        return (*found, text[start:])

    def fill(self, parts: Parts) -> str:
        """Names become slots; a name not met before takes the next free slot of its kind."""
        return "".join([one if isinstance(one, str) else self._slot_of(one) for one in parts])

    def show(self, text: str) -> str:
        """Slots become names; a slot that stands for nothing is left as it is."""
        return self._slots.sub(lambda found: self._name.get(found.group(), found.group()), text)

    def hide_message(self, message: Message) -> Message:
        return self._changed(message, self.hide)

    def show_message(self, message: Message) -> Message:
        return self._changed(message, self.show)

    def _hidden(self, found: re.Match[str]) -> str:
        return self._slot_of((_kind(found), found.group()))

    def _slot_of(self, key: tuple[int, str]) -> str:
        if key not in self._slot:
            kind, name = key
            slot = self._kinds[kind][1].format(self._next[kind])
            self._next[kind] += 1
            self._slot[key] = slot
            self._name[slot] = name
        return self._slot[key]

    def _changed(self, message: Message, change: Any) -> Message:
        calls = tuple(
            call.model_copy(update={"arguments": _through(change, call.arguments)})
            if call.raw is None
            else call
            for call in message.tool_calls
        )
        return message.model_copy(update={"text": change(message.text), "tool_calls": calls})


def _kind(found: re.Match[str]) -> int:
    return int((found.lastgroup or "k0")[1:])


def _through(change: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments as JSON text and back, so that numbers can be names too."""
    changed = object_in(change(json.dumps(arguments, ensure_ascii=False)))
    return arguments if changed is None else changed


def object_in(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is; None when slots made something else of it."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def kinds_of(tokenizer: Any) -> Kinds:
    """The kinds that a tokenizer was trained with; none for ordinary tokenizers."""
    kept = getattr(tokenizer, "init_kwargs", {}).get(SETTING) or ()
    return [(str(pattern), str(shape), int(first)) for pattern, shape, first in kept]
