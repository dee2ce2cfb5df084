"""The chat client against a real HTTP server that misbehaves."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Completion, Endpoint, Meter
from telejudge_envs.errors import EndpointError, UsageError
from telejudge_envs.nouns.message import Message, ToolSpec

ASK = (Message(role="user", text="Say hello."),)
TOOL = ToolSpec(name="look", description="Look.", parameters={"type": "object", "properties": {}})


@pytest.fixture(autouse=True)
def _no_key_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TELEJUDGE_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def at(server: fake.FakeEndpoint, **changes: Any) -> ChatClient:
    given = {"timeout_s": 5.0, "deadline_s": 20.0, "max_retries": 3, **changes}
    return ChatClient(Endpoint(base_url=server.base_url, model="m", **given))


def ask(client: ChatClient, **options: Any) -> Completion:
    async def once() -> Completion:
        try:
            return await client.complete(ASK, **options)
        finally:
            await client.close()

    return asyncio.run(once())


def test_an_answer_with_its_usage() -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say("Hello there"))) as server:
        completion = ask(at(server, sampling={"temperature": 0.5, "top_k": 7}), seed=3)
    assert completion.message == Message(role="assistant", text="Hello there")
    assert completion.finish_reason == "stop"
    assert completion.usage.prompt_tokens == 10
    assert completion.usage.completion_tokens > 0
    assert completion.usage.requests == 1
    sent = server.requests[0]
    assert (sent["temperature"], sent["top_k"], sent["seed"]) == (0.5, 7, 3)
    assert sent["messages"] == [{"role": "user", "content": "Say hello."}]


@pytest.mark.parametrize("trouble", [fake.fail(s) for s in (408, 409, 429, 500, 503)])
def test_passing_trouble_is_retried(trouble: fake.Reply) -> None:
    with fake.FakeEndpoint(fake.in_turn(trouble, fake.say("ok"))) as server:
        completion = ask(at(server))
    assert completion.message.text == "ok"
    assert (completion.retries, completion.usage.requests, len(server.requests)) == (1, 2, 2)


@pytest.mark.parametrize("trouble", [fake.drop(), fake.cut(fake.say("ok"))])
def test_a_dropped_connection_is_retried(trouble: fake.Reply) -> None:
    with fake.FakeEndpoint(fake.in_turn(trouble, trouble, fake.say("ok"))) as server:
        assert ask(at(server)).retries == 2


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (fake.fail(400, "unknown parameter"), "bad_request"),
        (fake.fail(404, "no such model"), "bad_request"),
        (fake.fail(401, "wrong key"), "auth"),
        (fake.fail(403, "not yours"), "auth"),
        (fake.fail(400, "maximum context length is 8192 tokens"), "context_overflow"),
        (fake.raw("<html>hello</html>"), "bad_response"),
        (fake.raw('{"choices": []}'), "bad_response"),
        (fake.raw("[]"), "bad_response"),
        (fake.raw('{"choices": [{"index": 0}]}'), "bad_response"),
        (fake.raw("{nonsense"), "bad_response"),
        (fake.choice({"role": "assistant", "content": None, "refusal": "I won't"}), "refused"),
        (fake.say("", finish_reason="content_filter"), "refused"),
        (fake.raw('{"error": {"code": "insufficient_quota"}}', 429), "rate_limited"),
    ],
)
def test_lasting_trouble_is_not_retried(reply: fake.Reply, cause: str) -> None:
    with fake.FakeEndpoint(fake.in_turn(reply)) as server:
        client = at(server)
        with pytest.raises(EndpointError) as caught:
            ask(client)
    assert caught.value.cause == cause
    assert server.base_url in str(caught.value)
    assert "; " in str(caught.value), "the message must end in advice"
    assert len(server.requests) == 1
    assert client.meter.usage.requests == 1


def test_patience_ends_after_max_retries() -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.fail(500, "on fire"))) as server:
        meter = Meter()
        with pytest.raises(EndpointError, match=r"on fire.*after 3 attempts") as caught:
            ask(at(server, max_retries=2), meter=meter)
    assert caught.value.cause == "server_error"
    assert len(server.requests) == 3
    assert (meter.usage.requests, meter.usage.retries) == (3, 2)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_honoured(form: str) -> None:
    def script(_request: dict[str, Any], n: int) -> fake.Reply:
        arrivals.append(time.monotonic())
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=2.5), usegmt=True)
        given = "1.2" if form == "seconds" else date
        return fake.say("ok") if n else fake.fail(429, retry_after=given)

    arrivals: list[float] = []
    with fake.FakeEndpoint(script) as server:
        ask(at(server))
    assert arrivals[1] - arrivals[0] >= 1.2


def test_retry_after_beyond_the_deadline_gives_up_at_once() -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.fail(429, retry_after="600"))) as server:
        began = time.monotonic()
        with pytest.raises(EndpointError) as caught:
            ask(at(server, deadline_s=3))
    assert caught.value.cause == "rate_limited"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("silence", [fake.hang(), fake.drip(fake.say("never"))])
def test_silence_ends_in_bounded_time(silence: fake.Reply) -> None:
    with fake.FakeEndpoint(fake.in_turn(silence)) as server:
        began = time.monotonic()
        with pytest.raises(EndpointError) as caught:
            ask(at(server, timeout_s=0.4, deadline_s=2, max_retries=1))
        took = time.monotonic() - began
    assert caught.value.cause == "timeout"
    assert took < 3
    assert len(server.requests) == 2


def test_nobody_listens() -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say("x"))) as server:
        client = at(server, max_retries=1)
    with pytest.raises(EndpointError) as caught:
        ask(client)
    assert caught.value.cause == "connection"


def test_concurrency_is_bounded() -> None:
    def script(_request: dict[str, Any], _n: int) -> fake.Reply:
        time.sleep(0.05)
        return fake.say("ok")

    async def many(client: ChatClient) -> None:
        await asyncio.gather(*(client.complete(ASK) for _ in range(12)))
        await client.close()

    with fake.FakeEndpoint(script) as server:
        client = at(server, concurrency=3)
        asyncio.run(many(client))
    assert len(server.requests) == 12
    assert server.most_at_once == 3
    assert client.meter.usage.requests == 12


def test_one_client_serves_several_event_loops() -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say("ok"))) as server:
        client = at(server)
        for _ in range(3):  # without close(), as a careless caller would
            assert asyncio.run(client.complete(ASK)).message.text == "ok"


def test_a_careless_caller_hears_nothing_of_it(capsys, caplog) -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say("ok"))) as server:
        client = at(server)
        asyncio.run(client.complete(ASK))
        asyncio.run(client.complete(ASK))
        del client
        gc.collect()
    assert (capsys.readouterr().err, caplog.text) == ("", "")


def test_what_a_model_may_write_can_be_sent_back() -> None:
    said = "lone \ud83d surrogate, ≤ 30 dBm, \x00"
    with fake.FakeEndpoint(fake.in_turn(fake.say("ok"))) as server:
        asyncio.run(at(server).complete([Message(role="user", text=said)]))
    assert server.requests[0]["messages"][0]["content"] == said


def test_a_proxy_for_the_outside_world_is_not_asked_for_this_machine(monkeypatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with fake.FakeEndpoint(fake.in_turn(fake.say("ok"))) as server:
        assert ask(at(server)).message.text == "ok"
    with pytest.raises(EndpointError, match=r"127\.0\.0\.1:9") as caught:
        ask(ChatClient(Endpoint(base_url="http://outside.invalid/v1", model="m", max_retries=0)))
    assert caught.value.cause == "connection"


def test_tools_and_malformed_arguments() -> None:
    reply = fake.call(("look", {"at": 1}), ("look", '{"at": '), ("look", "[1]"), ("look", ""))
    with fake.FakeEndpoint(fake.in_turn(reply)) as server:
        message = ask(at(server), tools=[TOOL]).message
    assert [c.arguments for c in message.tool_calls] == [{"at": 1}, {}, {}, {}]
    assert [c.raw for c in message.tool_calls] == [None, '{"at": ', "[1]", None]
    assert server.requests[0]["tools"][0]["function"]["name"] == "look"


def test_reasoning_and_logprobs() -> None:
    content = [{"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": []}]
    replies = fake.in_turn(
        fake.choice(
            {"role": "assistant", "content": "a", "reasoning_content": "hm"},
            logprobs={"content": content, "refusal": None},
        ),
        fake.say("<think>well</think>\n\nb"),
    )
    with fake.FakeEndpoint(replies) as server:
        first, second = ask(at(server)), ask(at(server))
    assert (first.message.reasoning, first.logprobs) == ("hm", (-0.5,))
    assert (second.message.text, second.message.reasoning) == ("b", "well")


def test_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say("ok"))) as server:
        ask(at(server))
        monkeypatch.setenv("OPENAI_API_KEY", "from-openai")
        ask(at(server))
        monkeypatch.setenv("TELEJUDGE_API_KEY", "from-telejudge")
        ask(at(server))
        ask(at(server, api_key="given"))
        with pytest.raises(UsageError, match="api_key is empty"):
            ask(at(server, api_key=""))
    assert [k.removeprefix("Bearer ") for k in server.keys] == [
        "none",
        "from-openai",
        "from-telejudge",
        "given",
    ]


def test_an_endpoint_never_shows_its_key() -> None:
    endpoint = Endpoint(base_url="http://h/v1", model="m", api_key="secret")
    assert "secret" not in repr(endpoint) + endpoint.model_dump_json()
    assert json.loads(endpoint.model_dump_json())["base_url"] == "http://h/v1"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://h/v1", "", "http://"])
def test_a_wrong_url_explains_itself(url: str) -> None:
    with pytest.raises(ValueError, match="http://host:port/v1"):
        Endpoint(base_url=url, model="m")


def test_reserved_parameters_are_refused() -> None:
    with pytest.raises(ValueError, match="stream"):
        Endpoint(base_url="http://h/v1", model="m", sampling={"stream": True})
