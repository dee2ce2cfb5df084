"""What servers share, by a clock and a client made here; and what a seat tells, and when."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from telejudge_envs.adapters.hosting import (
    Crowded,
    Door,
    Expired,
    Limits,
    Sessions,
    checked_host,
    is_loopback,
)
from telejudge_envs.adapters.seat import Seat, find_task, heard
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.registry import open_world

TOKEN = "sixteen letters and more"


def test_sessions_are_limited_expire_and_never_come_back() -> None:
    now = 0.0
    sessions = Sessions[object](Limits(sessions=2, idle_s=10), clock=lambda: now)
    first, second = sessions.get("a", object), sessions.get("b", object)
    assert first is sessions.get("a", object) is not second
    with pytest.raises(Crowded):
        sessions.get("c", object)
    now = 8.0
    sessions.get("a", object)
    now = 12.0
    assert len(sessions) == 1
    with pytest.raises(Expired):
        sessions.get("b", object)
    assert sessions.get("a", object) is first
    assert sessions.get("c", object) is not second


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.3.3", "::1", "[::1]", "localhost"])
def test_a_loopback_address_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    assert checked_host(host, None) == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", ""])
def test_every_other_address_does(host: str) -> None:
    with pytest.raises(UsageError, match="token"):
        checked_host(host, None)
    with pytest.raises(UsageError, match="too short"):
        checked_host(host, "short")
    assert checked_host(host, TOKEN) == host


def test_limits_are_positive() -> None:
    with pytest.raises(UsageError):
        Limits(sessions=0)


def ask(door: Door, parts: list[bytes], **headers: str) -> int | str:
    """The status of a request whose body comes in parts, or `in` when it got through whole."""
    messages = [
        {"type": "http.request", "body": part, "more_body": i < len(parts) - 1}
        for i, part in enumerate(parts)
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    named = {"host": "127.0.0.1:80", **headers}
    scope = {"type": "http", "headers": [(k.encode(), v.encode()) for k, v in named.items()]}
    asyncio.run(door(scope, receive, send))
    return sent[0].get("status", "in")


async def whole(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    assert message["more_body"] is False
    await send({"type": "in", "body": message["body"]})


def test_the_door_counts_bytes_whatever_is_declared() -> None:
    door = Door(whole, host="127.0.0.1", token=None, limits=Limits(body_bytes=10))
    assert ask(door, [b"12345", b"67890"]) == "in"
    assert ask(door, [b"12345", b"678901"]) == 413
    assert ask(door, [b""], **{"content-length": "11"}) == 413
    assert ask(door, [b"x"], **{"content-length": "junk"}) == "in"


def test_the_door_wants_the_token_and_no_other_sites() -> None:
    door = Door(whole, host="127.0.0.1", token=TOKEN, limits=Limits())
    assert ask(door, [b""]) == 401
    assert ask(door, [b""], authorization=f"Bearer {TOKEN}x") == 401
    assert ask(door, [b""], authorization=f"Bearer {TOKEN}") == "in"
    assert ask(door, [b""], authorization=f"Bearer {TOKEN}", host="evil.example") == 403
    assert ask(door, [b""], authorization=f"Bearer {TOKEN}", origin="http://evil.example") == 403


def test_a_seat_tells_nothing_before_the_end_and_is_single_use() -> None:
    world = open_world("base-station")
    seat = Seat(world, find_task(world, "dev:0"), player="test")
    with pytest.raises(UsageError, match="not over"):
        _ = seat.ending
    with pytest.raises(UsageError, match="not over"):
        _ = seat.rollout
    seat.close()
    assert seat.ending.outcome.answer == 0
    assert seat.ending.verdict is None
    with pytest.raises(UsageError, match="is over"):
        seat.call("get_clock", {})


def test_what_the_user_does_with_his_own_tools_is_not_heard() -> None:
    call = ToolCall(id="u1", name="toggle", owner="user")
    messages = (
        Message(role="user", tool_calls=(call,)),
        Message(role="tool", text="toggled", tool_call_id="u1"),
        Message(role="user", text="Done.", tool_calls=(call.model_copy(update={"id": "u2"}),)),
    )
    assert heard(messages) == (Message(role="user", text="Done."),)


def test_tasks_are_found_by_their_place() -> None:
    world = open_world("base-station")
    assert find_task(world, "dev:3").id == world.tasks("dev")[3].id
    with pytest.raises(UsageError, match="the last is dev:"):
        find_task(world, "dev:999999")
