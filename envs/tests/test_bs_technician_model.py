"""The model-driven technician against a real HTTP server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.base_station.episode import BaseStationEpisode
from telejudge_envs.base_station.spec import Spec
from telejudge_envs.base_station.tasks import as_task
from telejudge_envs.base_station.technician import THEORIES
from telejudge_envs.base_station.technician_model import ModelTechnician
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task


def task(persona: Any = "novice") -> Task:
    spec = Spec(id="bs-train-m", split="train", seed=4, level=1, atoms=("P3.1",), persona=persona)
    return as_task(spec, "dual")


def client(server: fake.FakeEndpoint, **changes: Any) -> ChatClient:
    given = {"timeout_s": 5.0, "deadline_s": 10.0, "max_retries": 0, **changes}
    return ChatClient(Endpoint(base_url=server.base_url, model="m", api_key="none", **given))


def opened(server: fake.FakeEndpoint, persona: str = "novice") -> BaseStationEpisode:
    given = task(persona)
    episode = BaseStation().open(given, 0, ModelTechnician(client(server), given))
    db = episode.db
    arguments = {"site_id": db.focus, "technician_id": db.technicians[0].id, "task": "close FD1",
                 "parts": [db.spares[0].id]}  # fmt: skip
    call = ToolCall(id="secret", name="dispatch_technician", arguments=arguments)
    episode.step(Message(role="assistant", tool_calls=(call,)))
    return episode


def script(site: str) -> fake.Script:
    return fake.in_turn(
        fake.call(("travel_to_site", {"site_id": site})),
        fake.call(("check_breakers", {}), ("start_generator", {})),
        fake.say("FD1 is open."),
    )


def say(episode: BaseStationEpisode, text: str) -> tuple[Message, ...]:
    return episode.step(Message(role="assistant", text=text))


def test_he_calls_one_tool_after_another_and_reports() -> None:
    site = BaseStation().open(task(), 0, object()).db.focus  # type: ignore[arg-type]
    with fake.FakeEndpoint(script(site)) as server:
        episode = opened(server)
        messages = say(episode, "Go there and check the breakers.")
    assert [m.role for m in messages] == ["user", "tool", "user", "tool", "user"]
    assert messages[-1].text == "FD1 is open."
    assert [c.name for m in messages for c in m.tool_calls] == ["travel_to_site", "check_breakers"]
    assert not any(m.error for m in messages)
    assert episode.stop is None


def test_he_sees_his_own_side_only() -> None:
    site = BaseStation().open(task(), 0, object()).db.focus  # type: ignore[arg-type]
    with fake.FakeEndpoint(script(site)) as server:
        episode = opened(server)
        say(episode, "Go there and check the breakers.")
        say(episode, "Thanks.")
        first, *_, last = server.requests
    head = first["messages"][0]["content"]
    assert site in head
    assert "close FD1" in head
    assert episode.db.spares[0].id in head
    assert episode.observation[0].text[:80] not in str(last["messages"]), "the policy is not his"
    assert "secret" not in str(last["messages"]), "nor are the agent's calls"
    roles = [m["role"] for m in last["messages"]]
    assert roles == [
        "system", "user", "assistant", "tool", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip
    offered = {tool["function"]["name"] for tool in first["tools"]}
    assert {"check_leds", "reset_breaker"} <= offered
    assert "reset_board" not in offered


def test_personas_are_in_the_prompt() -> None:
    heads = {}
    for persona in ("expert", "novice", "wrong_theory"):
        with fake.FakeEndpoint(fake.in_turn(fake.say("Hello."))) as server:
            say(opened(server, persona), "Hello?")
            heads[persona] = server.requests[0]["messages"][0]["content"]
    assert "twenty years" in heads["expert"]
    assert "first month" in heads["novice"]
    assert any(theory in heads["wrong_theory"] for theory in THEORIES.values())
    assert all("do not repair anything on your own" in head for head in heads.values())


@pytest.mark.parametrize(
    "reply", [fake.fail(400), fake.fail(500), fake.say(""), fake.say("  "), fake.drop()]
)
def test_a_failing_endpoint_is_not_the_agents_fault(reply: fake.Reply) -> None:
    with fake.FakeEndpoint(fake.in_turn(reply)) as server:
        episode = opened(server)
        say(episode, "Hello?")
    assert episode.stop == "failed"
    assert episode.failure is not None
    assert episode.failure.owner == "endpoint"
    assert "m)" in episode.failure.detail


def test_reply_raises_the_error_of_the_client() -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.fail(401))) as server:
        technician = ModelTechnician(client(server), task())
        with pytest.raises(EndpointError) as caught:
            technician.reply((Message(role="assistant", text="Hello?"),), ())
    assert caught.value.cause == "auth"
    assert technician.usage.requests == 1


def test_he_answers_inside_a_running_loop_and_counts_his_tokens() -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say("Here."))) as server:
        technician = ModelTechnician(client(server), task())

        async def inside() -> Message:
            return technician.reply((Message(role="assistant", text="Hello?"),), ())

        assert asyncio.run(inside()).text == "Here."
        assert technician.reply((), ()).text == "Here."
    assert technician.usage.requests == 2
    assert technician.usage.completion_tokens > 0


def test_the_same_turn_asks_with_the_same_seed() -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say("Here."))) as server:
        for length in (1, 1, 2):
            hello = (Message(role="assistant", text="Hello?"),) * length
            ModelTechnician(client(server), task()).reply(hello, ())
        seeds = [request["seed"] for request in server.requests]
    assert seeds[0] == seeds[1] != seeds[2]
