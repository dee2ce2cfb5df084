"""tau2-bench's messages as ours: who called is `requestor` there, `owner` here.

In: the list under `messages` of a recorded rollout. Out: our messages with call ids that are
unique in the trajectory, by the same rule as in a live episode (`id`, `id~2`, …), so that replayed
ledger entries name the same calls. Raises Malformed saying which message and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from telejudge_envs.nouns.base import Owner
from telejudge_envs.nouns.message import Message, ToolCall

ROLES = ("system", "user", "assistant", "tool")
OWNERS: dict[str, Owner] = {"assistant": "agent", "user": "user"}


class Malformed(ValueError):
    """A recorded message is not of tau2's form."""


def messages_of(recorded: Any) -> tuple[Message, ...]:
    """Convert a whole conversation; recorded results answer the latest open call of their id."""
    if not isinstance(recorded, list):
        raise Malformed(f"`messages` must be a list, not {_kind(recorded)}")
    reader = _Reader()
    return tuple(reader.read(raw, place) for raw, place in _flat(recorded))


def _flat(recorded: list[Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """tau2 may bundle the results of one message as a MultiToolMessage."""
    for index, raw in enumerate(recorded):
        place = f"message {index}"
        if not isinstance(raw, dict):
            raise Malformed(f"{place} must be an object, not {_kind(raw)}")
        bundle = raw.get("tool_messages")
        if raw.get("role") == "tool" and isinstance(bundle, list):
            for inner in bundle:
                if not isinstance(inner, dict):
                    raise Malformed(f"{place}: `tool_messages` must hold objects")
                yield inner, place
        else:
            yield raw, place


class _Reader:
    """Remembers the call ids of one conversation."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._open: list[tuple[str, str]] = []

    def read(self, raw: dict[str, Any], place: str) -> Message:
        role = raw.get("role")
        if role not in ROLES:
            raise Malformed(f"{place}: role {role!r} is none of {', '.join(ROLES)}")
        text = raw.get("content")
        if not isinstance(text, str | None):
            raise Malformed(f"{place}: `content` must be text or null, not {_kind(text)}")
        if role == "tool":
            return Message(
                role="tool",
                text=text or "",
                tool_call_id=self._answered(raw, place),
                error=bool(raw.get("error", False)),
            )
        calls = raw.get("tool_calls") or []
        if not isinstance(calls, list) or (calls and role == "system"):
            raise Malformed(f"{place}: `tool_calls` must be a list of the agent's or user's calls")
        made = tuple(self._call(call, role, place) for call in calls)
        return Message(role=role, text=text or "", tool_calls=made)

    def _call(self, raw: Any, role: str, place: str) -> ToolCall:
        if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
            raise Malformed(f"{place}: a tool call must be an object with a `name`")
        arguments = raw.get("arguments", {})
        if not isinstance(arguments, dict):
            raise Malformed(
                f"{place}: the arguments of {raw['name']} must be an object, not {_kind(arguments)}"
            )
        requestor = raw.get("requestor") or role
        if requestor not in OWNERS:
            raise Malformed(
                f"{place}: requestor {requestor!r} is none of {', '.join(sorted(OWNERS))}"
            )
        given = str(raw.get("id") or "call")
        own = self._unique(given)
        self._open.append((given, own))
        return ToolCall(id=own, name=raw["name"], arguments=arguments, owner=OWNERS[requestor])

    def _unique(self, given: str) -> str:
        own, n = given, 1
        while own in self._used:
            n += 1
            own = f"{given}~{n}"
        self._used.add(own)
        return own

    def _answered(self, raw: dict[str, Any], place: str) -> str:
        given = str(raw.get("id") or "call")
        for entry in self._open:
            if entry[0] == given:
                self._open.remove(entry)
                return entry[1]
        raise Malformed(f"{place}: a result with id {given!r} answers no open call")


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__
