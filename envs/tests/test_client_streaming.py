"""Streams, prices and pace of the client, through a real HTTP server that misbehaves."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Completion, Endpoint, Prices
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message

HELLO = (Message(role="user", text="Hello"),)


def ask(server: fake.FakeEndpoint, times: int = 1, **settings: Any) -> list[Completion]:
    endpoint = Endpoint(
        **{"base_url": server.base_url, "model": "m", "timeout_s": 5, "max_retries": 1, **settings}
    )

    async def run() -> list[Completion]:
        client = ChatClient(endpoint)
        try:
            return list(await asyncio.gather(*(client.complete(HELLO) for _ in range(times))))
        finally:
            await client.close()

    return asyncio.run(run())


WHOLE = (
    fake.say("Good  morning,\n\nSir. "),
    fake.call(("toggle_data", {}), ("set_mode", {"mode": "4g", "n": [1, 2]}), text="Wait."),
    fake.choice({"role": "assistant", "content": None, "reasoning_content": "hm hm"}),
    fake.say("cut off", finish_reason="length"),
    fake.say("<think>\nfirst this\n</think>\n\nthen that"),
    fake.say("é" * 300_000 + " all of it in one event"),
)


@pytest.mark.parametrize("reply", WHOLE)
def test_a_stream_says_what_the_whole_answer_says(reply: fake.Reply) -> None:
    with fake.FakeEndpoint(fake.in_turn(reply)) as server:
        (whole,), (streamed,) = ask(server), ask(server, stream=True)
        assert [r.get("stream") for r in server.requests] == [None, True]
    usage = {"seconds": 0.0}
    assert streamed.model_copy(
        update={"usage": streamed.usage.model_copy(update=usage)}
    ) == whole.model_copy(update={"usage": whole.usage.model_copy(update=usage)})


@pytest.mark.parametrize("reply", [fake.hang(), fake.drop(), fake.drip(fake.say("Hello"))])
def test_a_stream_that_fails_is_an_endpoint_error(reply: fake.Reply) -> None:
    with (
        fake.FakeEndpoint(fake.in_turn(reply)) as server,
        pytest.raises(EndpointError) as caught,
    ):
        ask(server, stream=True, timeout_s=0.5)
    assert caught.value.cause in ("timeout", "connection")


def test_a_stream_that_breaks_off_is_asked_for_again() -> None:
    broken = fake.cut(fake.streamed(fake.say("a b c d e f")))
    ended = fake.raw('data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: [DONE]\n\n')
    for reply in (broken, ended):
        with fake.FakeEndpoint(fake.in_turn(reply, fake.say("whole"))) as server:
            (completion,) = ask(server, stream=True)
        assert completion.message.text == "whole"
        assert completion.retries == 1


def test_the_last_line_of_a_stream_may_lack_its_end() -> None:
    chunk = '{"choices": [{"delta": {"content": "whole"}, "finish_reason": "stop"}]}'
    with fake.FakeEndpoint(fake.in_turn(fake.raw(f"data: {chunk}"))) as server:
        (completion,) = ask(server, stream=True)
    assert (completion.message.text, completion.retries) == ("whole", 0)


def test_an_error_in_a_stream_is_told() -> None:
    event = fake.raw('data: {"error": {"message": "out of memory"}}\n\n')
    with (
        fake.FakeEndpoint(fake.in_turn(event)) as server,
        pytest.raises(EndpointError, match="out of memory"),
    ):
        ask(server, stream=True)


def test_tokens_cost_what_the_prices_say() -> None:
    prices = Prices(prompt=2.0, completion=8.0)
    with fake.FakeEndpoint(fake.in_turn(fake.say("Hello"))) as server:
        (completion,) = ask(server, prices=prices)
    used = completion.usage
    assert used.cost_usd == pytest.approx((10 * 2.0 + used.completion_tokens * 8.0) / 1e6)
    assert Prices(prompt=2, completion=0, cached=0.5).cost(10, 5, cached=4) == pytest.approx(14e-6)
    assert Prices(prompt=2, completion=0).cost(10, 5, cached=4) == pytest.approx(20e-6)


def test_no_more_requests_a_minute_than_allowed() -> None:
    began = time.monotonic()
    with fake.FakeEndpoint(fake.in_turn(fake.say("Hello"))) as server:
        assert len(ask(server, times=5, requests_per_minute=600)) == 5
    assert time.monotonic() - began >= 0.4
