"""Whatever an agent says, made fit to be written as JSON and read back unchanged.

A model can produce text with lone surrogates, and arguments that hold NaN or are nested hundreds
of levels deep. Python's JSON takes them, a stored rollout would not. Such a call keeps its text in
`raw`, so the world answers it as malformed; a record never depends on what a model wrote.

    storable(message) == message        # for every ordinary message
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from telejudge_envs.nouns.message import Message, ToolCall

MAX_DEPTH = 64
"""Pydantic reads some 190 levels; a call lies a few levels inside its rollout."""

MAX_RAW = 100_000


def storable(message: Message) -> Message:
    """The message itself if it survives being stored, otherwise its nearest that does."""
    calls = tuple(_storable_call(call) for call in message.tool_calls)
    texts = {
        name: _clean(value)
        for name in ("text", "reasoning", "tool_call_id")
        if (value := getattr(message, name)) is not None
    }
    if calls == message.tool_calls and all(getattr(message, n) == t for n, t in texts.items()):
        return message
    return message.model_copy(update={"tool_calls": calls, **texts})


def _storable_call(call: ToolCall) -> ToolCall:
    if _shallow(call.arguments):
        try:
            if ToolCall.model_validate_json(call.model_dump_json()) == call:
                return call
        except (PydanticSerializationError, ValidationError):
            pass
    raw = call.raw if call.raw is not None else _as_text(call.arguments)
    return ToolCall(
        id=_clean(call.id), name=_clean(call.name), owner=call.owner, raw=_clean(raw)[:MAX_RAW]
    )


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _as_text(arguments: dict[str, Any]) -> str:
    try:
        return json.dumps(arguments)
    except (TypeError, ValueError, RecursionError):
        return f"({len(arguments)} arguments that cannot be written as JSON)"


def _shallow(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return True
    return False
