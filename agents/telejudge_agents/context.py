"""What a chat model is sent of the conversation: its own thinking, and what is left out of it.

    shown = thinking_kept(messages, "turn")
    shorter = drop_oldest(shown)            # None when nothing is left to drop

| thinking | sent back | for |
|---|---|---|
| `drop` | nothing | endpoints that want it dropped between all turns |
| `turn` | that since the user's last words | DeepSeek V3.2, Qwen3, gpt-oss: loops of tool calls |
| `keep` | all | DeepSeek V4 with tools; models trained to see it |

A server whose template reads no `reasoning_content` takes it as `tags` in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from telejudge_envs.nouns.message import Message

Thinking = Literal["drop", "turn", "keep"]
Form = Literal["field", "tags"]
Overflow = Literal["stop", "drop"]
"""When a conversation is too long for the model: `stop` ends the episode with that reason, `drop`
leaves out the oldest tool results."""

MARK = "[{n:,} characters left out: the conversation is too long. Call the tool again if needed.]"
SHORT = 200
"""Characters that a tool's result may always keep."""


def thinking_kept(
    messages: Sequence[Message], policy: Thinking, form: Form = "field"
) -> list[Message]:
    """The conversation with the thinking that the policy keeps, as a field or in the text."""
    asked = [i for i, m in enumerate(messages) if m.role == "user" and not m.tool_calls]
    since = {"drop": len(messages), "turn": asked[-1] if asked else 0, "keep": 0}[policy]
    return [_shown(m, kept=i >= since, form=form) for i, m in enumerate(messages)]


def _shown(message: Message, *, kept: bool, form: Form) -> Message:
    if kept and form == "field" and message.tool_calls and message.reasoning is None:
        return message.model_copy(update={"reasoning": ""})  # DeepSeek answers 400 without it
    if message.reasoning is None or (kept and form == "field"):
        return message
    text = f"<think>\n{message.reasoning}\n</think>\n\n{message.text}" if kept else message.text
    return message.model_copy(update={"reasoning": None, "text": text})


def drop_oldest(messages: Sequence[Message]) -> list[Message] | None:
    """With the older half of the tool results that are still whole replaced by a mark.

    Calls and their results stay in pairs, as servers demand. None when no result is left to drop.
    """
    whole = [i for i, m in enumerate(messages) if m.role == "tool" and len(m.text) > SHORT]
    if not whole:
        return None
    gone = set(whole[: (len(whole) + 1) // 2])
    return [
        m.model_copy(update={"text": MARK.format(n=len(m.text))}) if i in gone else m
        for i, m in enumerate(messages)
    ]
