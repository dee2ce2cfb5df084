"""What is said and called: tool schemas, calls, results, messages."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from telejudge_envs.nouns.base import Noun, Owner

Effect = Literal["read", "write", "control"]
"""`read` changes nothing, `write` may change the world, `control` ends or hands over the case."""


class ToolSpec(Noun):
    """A tool as its caller sees it; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: dict[str, Any]
    owner: Owner = "agent"
    effect: Effect = "read"


class ToolCall(Noun):
    """One call. `raw` holds the arguments' text when it was not a JSON object."""

    id: str
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    owner: Owner = "agent"
    raw: str | None = None


class ToolResult(Noun):
    """What a call returned; `error` is true when the call failed and changed nothing."""

    call_id: str
    content: str
    error: bool = False


class Message(Noun):
    """One message of a conversation.

    A `tool` message answers the call named by `tool_call_id`. `reasoning` is the agent's private
    thinking: kept for training, hidden from judges unless asked for.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    error: bool = False
    reasoning: str | None = None
