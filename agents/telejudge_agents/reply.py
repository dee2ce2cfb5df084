"""A model's own text in, an assistant message out: its calls, its words, its thinking.

    parse_reply('<tool_call>{"name": "done", "arguments": {}}</tool_call>', first_call=1)

Understood are hermes-style `<tool_call>` blocks (Qwen, Hermes, SmolLM, our embedded model), and a
reply that is nothing but JSON: one call or a list, each `{"name": …, "arguments" | "parameters":
…}` (Llama 3), `{"function": …}` or `{"tool_calls": […]}` (OpenAI), also after `<|python_tag|>` or
`[TOOL_CALLS]` and in a code fence. Never raises: a call that is no JSON keeps its text in `raw`,
and the world answers that it is malformed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from telejudge_envs.chat_format import parse_arguments
from telejudge_envs.nouns.message import Message, ToolCall

_BLOCK = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_NAME = re.compile(r'"name"\s*:\s*"([^"\\]{1,100})"')
_MARK = re.compile(r"^(?:<\|python_tag\|>|\[TOOL_CALLS\])\s*")
_FENCE = re.compile(r"^```(?:json)?\s*(.*?)\s*```$", re.DOTALL)
_THINK_END = "</think>"


class Written(NamedTuple):
    """A call as it was written; `arguments` are an object, or its text."""

    name: str
    arguments: object
    malformed: str | None = None
    """The whole text, when it cannot be read as a call."""


def parse_reply(text: str, *, first_call: int) -> Message:
    """Read a reply; calls are numbered `call_N` from `first_call` on.

    A block that is never closed (the reply was cut) counts as a call all the same.
    """
    reasoning, text = split_thinking(text)
    blocks = [block.strip() for block in _BLOCK.findall(text)]
    if blocks:
        given = [call for block in blocks for call in _from_block(block)]
        text = _BLOCK.sub("", text)
    else:
        given = list(_only_json(text))
        text = "" if given else text
    return message_of(given, text, reasoning, first_call=first_call)


def message_of(
    calls: list[Written], text: str, reasoning: str | None, *, first_call: int
) -> Message:
    """A message that makes these calls."""
    made = []
    for number, (name, given, malformed) in enumerate(calls, start=first_call):
        arguments, raw = ({}, malformed) if malformed is not None else parse_arguments(given)
        made.append(ToolCall(id=f"call_{number}", name=name, arguments=arguments, raw=raw))
    return Message(
        role="assistant", text=text.strip(), tool_calls=tuple(made), reasoning=reasoning or None
    )


def split_thinking(text: str) -> tuple[str, str]:
    """(thinking, the rest); the opening tag may have been part of the prompt."""
    before, tag, after = text.partition(_THINK_END)
    if tag:
        return before.replace("<think>", "", 1).strip(), after
    if text.lstrip().startswith("<think>"):  # cut while thinking
        return text.lstrip().removeprefix("<think>").strip(), ""
    return "", text


def _from_block(block: str) -> Iterator[Written]:
    found = list(_calls_in(_parse(block)))
    if found:
        yield from found
    else:
        name = _NAME.search(block)
        yield Written(name.group(1) if name else "", None, block)


def _only_json(text: str) -> Iterator[Written]:
    body = _MARK.sub("", text.strip())
    fenced = _FENCE.match(body)
    body = fenced.group(1) if fenced else body
    if not body.startswith(("{", "[")):
        return
    yield from _calls_in(_parse(body))


def _parse(text: str) -> Any:
    """The JSON value, or None when it is none (Python's own NaN and Infinity are none)."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _calls_in(value: Any) -> Iterator[Written]:
    """The calls in a JSON value; nothing at all unless every part of it is a call."""
    parts = value if isinstance(value, list) else [value]
    if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        parts = value["tool_calls"]
    found = [_call(part) for part in parts]
    for call in found:
        if call is None:
            return
    yield from (call for call in found if call is not None)


def _call(value: Any) -> Written | None:
    if isinstance(value, Mapping) and isinstance(value.get("function"), Mapping):
        value = value["function"]
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        return None
    if "arguments" not in value and "parameters" not in value:
        return Written(value["name"], {}) if set(value) <= {"name", "id", "type"} else None
    return Written(value["name"], value.get("arguments", value.get("parameters")))
