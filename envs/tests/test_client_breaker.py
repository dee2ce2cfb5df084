"""The circuit breaker and the ladder of response formats, alone and at a real server."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.breaker import Breaker
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Completion, Endpoint
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message

ASK = (Message(role="user", text="Say hello."),)
SCHEMA = {"type": "json_schema", "json_schema": {"name": "v", "schema": {"type": "object"}}}


def at(server: fake.FakeEndpoint, **changes: Any) -> ChatClient:
    given_ = {"timeout_s": 5.0, "deadline_s": 20.0, "max_retries": 0, **changes}
    return ChatClient(Endpoint(base_url=server.base_url, model="m", **given_))


async def cause_of(client: ChatClient, **options: Any) -> str:
    try:
        await client.complete(ASK, **options)
    except EndpointError as error:
        return error.cause
    return "ok"


# -- the breaker alone


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_open_half_open_closed() -> None:
    clock = Clock()
    breaker = Breaker(after=2, cooldown_s=10, clock=clock)
    breaker.failed()
    assert (breaker.state, breaker.admits()) == ("closed", True)
    breaker.failed()
    assert (breaker.state, breaker.admits(), breaker.waits_s) == ("open", False, 10)
    clock.now = 10
    assert (breaker.state, breaker.admits()) == ("half-open", True)
    assert not breaker.admits(), "one probe at a time"
    breaker.failed()
    assert (breaker.state, breaker.opened) == ("open", 2)
    clock.now = 20
    assert breaker.admits()
    breaker.abandoned()
    assert breaker.admits(), "a cancelled probe must not keep others out for ever"
    breaker.succeeded()
    assert (breaker.state, breaker.admits()) == ("closed", True)


@given(st.lists(st.booleans()), st.integers(1, 4))
def test_it_opens_at_so_many_failures_in_a_row(answers: list[bool], after: int) -> None:
    breaker = Breaker(after=after, cooldown_s=1e9)
    row = 0
    for good in answers:
        if not breaker.admits():
            break
        row = 0 if good else row + 1
        breaker.succeeded() if good else breaker.failed()
    assert (breaker.state == "open") == (row >= after)


def test_zero_never_opens() -> None:
    breaker = Breaker(after=0)
    for _ in range(100):
        breaker.failed()
    assert breaker.admits()


# -- the breaker in a client


def test_a_dead_endpoint_is_left_alone_and_tried_again() -> None:
    def script(_request: dict[str, Any], n: int) -> fake.Reply:
        return fake.fail(500) if n < 4 else fake.say("ok")

    async def scene(client: ChatClient) -> list[str]:
        said = [await cause_of(client) for _ in range(5)]
        await asyncio.sleep(0.25)
        said.append(await cause_of(client))  # the probe fails: open again
        said.append(await cause_of(client))
        await asyncio.sleep(0.25)
        said += [await cause_of(client) for _ in range(2)]
        await client.close()
        return said

    with fake.FakeEndpoint(script) as server:
        said = asyncio.run(scene(at(server, breaker_after=3, breaker_cooldown_s=0.2)))
    dead = ["server_error"] * 3 + ["circuit_open"] * 2
    assert said == [*dead, "server_error", "circuit_open", "ok", "ok"]
    assert len(server.requests) == 6


def test_those_who_queued_are_told_at_once() -> None:
    async def scene(client: ChatClient) -> list[str]:
        said = await asyncio.gather(*(cause_of(client) for _ in range(20)))
        await client.close()
        return list(said)

    with fake.FakeEndpoint(fake.in_turn(fake.hang())) as server:
        client = at(server, timeout_s=0.3, concurrency=2, breaker_after=2, breaker_cooldown_s=60)
        began = time.monotonic()
        said = asyncio.run(scene(client))
    assert sorted(set(said)) == ["circuit_open", "timeout"]
    assert said.count("timeout") <= 4
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "reply",
    [
        fake.fail(400, "unknown parameter"),
        fake.fail(400, "maximum context length exceeded"),
        fake.choice({"role": "assistant", "content": None, "refusal": "I won't"}),
    ],
)
def test_an_endpoint_that_only_dislikes_the_question_is_healthy(reply: fake.Reply) -> None:
    async def scene(client: ChatClient) -> set[str]:
        return {await cause_of(client) for _ in range(5)}

    with fake.FakeEndpoint(fake.in_turn(reply)) as server:
        assert "circuit_open" not in asyncio.run(scene(at(server, breaker_after=2)))
    assert len(server.requests) == 5


def test_a_cancelled_probe_lets_the_next_one_try() -> None:
    def script(_request: dict[str, Any], n: int) -> fake.Reply:
        return (fake.fail(500), fake.hang(), fake.say("ok"))[min(n, 2)]

    async def scene(client: ChatClient) -> list[str]:
        said = [await cause_of(client)]
        await asyncio.sleep(0.1)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.complete(ASK), 0.2)
        said.append(await cause_of(client))
        return said

    with fake.FakeEndpoint(script) as server:
        said = asyncio.run(scene(at(server, breaker_after=1, breaker_cooldown_s=0.05)))
    assert said == ["server_error", "ok"]


# -- response formats


def picky(*known: str | None, status: int = 400) -> fake.Script:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        wish = request.get("response_format", {}).get("type")
        return fake.say(json.dumps({})) if wish in known else fake.fail(status, f"no {wish}")

    return script


def asked(server: fake.FakeEndpoint) -> list[str | None]:
    return [r.get("response_format", {}).get("type") for r in server.requests]


@pytest.mark.parametrize(
    ("known", "sent"),
    [
        (("json_schema",), ["json_schema", "json_schema"]),
        (("json_object",), ["json_schema", "json_object", "json_object"]),
        ((None,), ["json_schema", "json_object", None, None]),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_format_is_loosened_and_remembered(
    known: tuple[str | None, ...], sent: list[str | None], status: int
) -> None:
    async def twice(client: ChatClient) -> list[Completion]:
        return [await client.complete(ASK, response_format=SCHEMA) for _ in range(2)]

    with fake.FakeEndpoint(picky(*known, status=status)) as server:
        asyncio.run(twice(at(server)))
        assert asked(server) == sent


def test_a_bad_request_of_another_kind_stays_one_and_nothing_is_concluded() -> None:
    async def scene(client: ChatClient) -> list[str]:
        return [await cause_of(client, response_format=SCHEMA) for _ in range(2)]

    with fake.FakeEndpoint(fake.in_turn(fake.fail(400, "no such model"))) as server:
        assert asyncio.run(scene(at(server))) == ["bad_request"] * 2
        assert asked(server) == ["json_schema", "json_object", None] * 2
    with fake.FakeEndpoint(fake.in_turn(fake.fail(404, "no such model"))) as server:
        assert asyncio.run(scene(at(server))) == ["bad_request"] * 2
        assert asked(server) == ["json_schema"] * 2
