"""The conversation as the technician looks at it: what was said last, what he did since then.

    at = last_words(conversation)                # where the agent spoke to him last
    own(conversation[at + 1 :])                  # his calls and what they returned
    sent_to(conversation)                        -> "K042", from his dispatch

In: messages. Out: parts of them, or what they tell. Nothing is kept between two calls.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from telejudge_envs.base_station.technician_heard import Step
from telejudge_envs.nouns.message import Message, ToolCall

_CHANGE_VAN = ("dispatch_technician", "replace_module", "replace_sfp", "replace_fibre")


def last_words(conversation: Sequence[Message]) -> int | None:
    """Where the agent spoke to him last."""
    for at in range(len(conversation) - 1, -1, -1):
        message = conversation[at]
        if message.role == "assistant" and not message.tool_calls:
            return at
    return None


def own(messages: Sequence[Message]) -> list[Message]:
    return [m for m in messages if m.role in ("user", "tool")]


def sent_to(conversation: Sequence[Message]) -> str | None:
    """The site of his dispatch, which he knows from his work order."""
    sites = [
        str(call.arguments.get("site_id"))
        for m in conversation
        for call in m.tool_calls
        if call.name in ("dispatch_technician", "travel_to_site")
    ]
    return sites[-1] if sites else None


def seen_spares(conversation: Sequence[Message]) -> list[dict[str, str]] | None:
    """What his last look into the van showed; None when he has not looked."""
    looks = {c.id for m in conversation for c in m.tool_calls if c.name == "list_spares"}
    for message in reversed(conversation):
        if any(call.name in _CHANGE_VAN for call in message.tool_calls):
            return None  # what he saw before may be used up, or left behind
        if message.role == "tool" and message.tool_call_id in looks and not message.error:
            return json.loads(message.text)["data"]
    return None


def say(text: str) -> Message:
    return Message(role="user", text=text)


def calling(conversation: Sequence[Message], steps: Sequence[Step], why: str) -> Message:
    so_far = sum(len(m.tool_calls) for m in conversation if m.role == "user")
    calls = (
        ToolCall(id=f"{why}_{n}", name=step.tool, arguments=step.arguments, owner="user")
        for n, step in enumerate(steps, start=so_far + 1)
    )
    return Message(role="user", tool_calls=tuple(calls))
