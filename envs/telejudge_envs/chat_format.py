"""Between our nouns and the messages of OpenAI's chat API, both ways.

    to_openai(messages) -> [{"role": "system", "content": "…"}, …]
    from_openai({"content": None, "tool_calls": [...]}) -> Message

Nothing a model can write makes these raise: arguments that are no JSON object come back as
`ToolCall(raw=text)`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec

_THINKING = re.compile(r"\s*<think>(.*?)(?:</think>\s*|\Z)", re.DOTALL)
"""A reply that the token limit cut while the model was thinking has no closing tag."""
_TEMPLATE_OPENED = re.compile(r"((?:(?!<think>).)*)</think>\s*", re.DOTALL)
"""Some templates (Qwen's, DeepSeek's) open the thinking themselves, so only its end comes back."""
REASONING_FIELDS = ("reasoning_content", "reasoning")
"""vLLM, DeepSeek and SGLang use the first, newer vLLM and OpenRouter the second."""


def tools_to_openai(tools: Iterable[ToolSpec]) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in tools
    ]


def to_openai(messages: Sequence[Message], *, reasoning: bool = False) -> list[dict[str, Any]]:
    """The conversation as the agent may see it: the user's own calls and results are left out.

    `reasoning` sends the agent's earlier thinking back as `reasoning_content`.
    """
    users_calls = {c.id for m in messages if m.role == "user" for c in m.tool_calls}
    return [
        _message_to_openai(message, reasoning)
        for message in messages
        if message.tool_call_id not in users_calls
        and not (message.role == "user" and message.tool_calls and not message.text)
    ]


def _message_to_openai(message: Message, reasoning: bool) -> dict[str, Any]:
    if message.role == "tool":
        return {
            "role": "tool",
            "tool_call_id": message.tool_call_id or "",
            "content": message.text,
        }
    if message.role != "assistant":
        return {"role": message.role, "content": message.text}
    out: dict[str, Any] = {"role": "assistant", "content": message.text or None}
    if message.tool_calls:
        out["tool_calls"] = [_call_to_openai(call) for call in message.tool_calls]
    elif not message.text:
        out["content"] = ""
    if reasoning and message.reasoning is not None:
        out["reasoning_content"] = message.reasoning
    return out


def _call_to_openai(call: ToolCall) -> dict[str, Any]:
    # Servers parse the arguments of earlier calls again (vLLM answers 400 when it cannot), so
    # malformed ones are sent back wrapped in an object.
    arguments = call.arguments if call.raw is None else {"malformed_arguments": call.raw}
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": json.dumps(arguments, ensure_ascii=False)},
    }


def from_openai(message: Mapping[str, Any]) -> Message:
    """An assistant message; thinking at the head of the text becomes `reasoning`."""
    text = message.get("content")
    text = clean(text) if isinstance(text, str) else ""
    given = (message.get(name) for name in REASONING_FIELDS)
    reasoning = next((clean(r) for r in given if isinstance(r, str) and r), None)
    thinking = _THINKING.match(text) or _TEMPLATE_OPENED.match(text)
    if thinking:
        reasoning = reasoning or thinking.group(1).strip()
        text = text[thinking.end() :]
    calls = message.get("tool_calls") or ()
    return Message(
        role="assistant",
        text=text,
        reasoning=reasoning,
        tool_calls=tuple(_call_from_openai(call, i) for i, call in enumerate(calls)),
    )


def _call_from_openai(call: Mapping[str, Any], index: int) -> ToolCall:
    function = call.get("function") or {}
    arguments, raw = parse_arguments(function.get("arguments"))
    name = function.get("name")
    return ToolCall(
        id=clean(str(call.get("id") or f"call_{index}")),
        name=clean(name) if isinstance(name, str) else "",
        arguments=arguments,
        raw=raw,
    )


def parse_arguments(given: object) -> tuple[dict[str, Any], str | None]:
    """(arguments, None), or ({}, the text) when it is no JSON object. Absent means no arguments."""
    if given is None or given == "":
        return {}, None
    if isinstance(given, dict):
        given = json.dumps(given)
    text = clean(given if isinstance(given, str) else json.dumps(given))
    try:
        parsed = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        json.dumps(parsed, ensure_ascii=False).encode()  # a lone surrogate could not be stored
    except (ValueError, RecursionError):
        return {}, text
    return (parsed, None) if isinstance(parsed, dict) else ({}, text)


def clean(text: str) -> str:
    """The text without lone surrogates, which JSON can spell but UTF-8 cannot."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} is too large")
    return number
