"""The turns that both worlds share: whose failure it was, against a real HTTP server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.base_station.technician_model import ModelTechnician
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Failure, StopReason
from telejudge_envs.protocol import User
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_envs.turns import MAX_ERRORS, MAX_USER_CALLS, TurnEpisode

WORLDS = {world.name: world for world in (Tau2Telecom(), BaseStation())}
HELLO = Message(role="assistant", text="Hello?")
BROKEN = {
    "bad_request": fake.fail(400),
    "auth": fake.fail(401),
    "server_error": fake.fail(500),
    "connection": fake.drop(),
    "bad_response": fake.raw("no JSON"),
}

pytestmark = pytest.mark.parametrize("name", sorted(WORLDS))


class ModelCustomer:
    """A customer whose every word comes from an endpoint."""

    def __init__(self, client: ChatClient) -> None:
        self._client = client

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        asked = [Message(role="user", text=conversation[-1].text)]
        said = asyncio.run(self._client.complete(asked, tools)).message
        return Message(role="user", text=said.text, tool_calls=said.tool_calls)


class Puppet:
    """A user of that one reply; an exception is raised."""

    def __init__(self, reply: Message | Exception) -> None:
        self._reply = reply

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        if isinstance(self._reply, Exception):
            raise self._reply
        return self._reply


def first_task(name: str) -> Task:
    return WORLDS[name].tasks("test", "dual")[0]


def from_model(name: str, server: fake.FakeEndpoint) -> User:
    client = ChatClient(
        Endpoint(
            base_url=server.base_url,
            model="m",
            api_key="none",
            timeout_s=5.0,
            deadline_s=10.0,
            max_retries=0,
        )
    )
    if name == "base-station":
        return ModelTechnician(client, first_task(name))
    return ModelCustomer(client)


def talk(name: str, user: User) -> TurnEpisode:
    """Opens an episode with that user and, unless he has ended it already, says hello."""
    episode = WORLDS[name].open(first_task(name), user=user)
    if episode.stop is None:
        episode.step(HELLO)
    return episode


def calling(tool: str) -> Message:
    return Message(role="user", tool_calls=(ToolCall(id="u", name=tool),))


@pytest.mark.parametrize("cause", sorted(BROKEN))
def test_a_users_dead_endpoint_is_the_endpoints_failure(name: str, cause: str) -> None:
    with fake.FakeEndpoint(fake.in_turn(BROKEN[cause])) as server:
        episode = talk(name, from_model(name, server))
        assert server.base_url in episode.outcome().faults[0].detail
    assert episode.stop == "failed"
    assert episode.failure is not None
    assert (episode.failure.owner, episode.failure.cause) == ("endpoint", cause)
    outcome = episode.outcome()
    assert (outcome.answer, outcome.faults) == (0, (episode.failure,))
    with pytest.raises(UsageError, match="over"):
        episode.step(HELLO)


def test_what_was_said_before_the_endpoint_died_is_kept(name: str) -> None:
    script = fake.in_turn(fake.say("Good morning."), fake.fail(500))
    with fake.FakeEndpoint(script) as server:
        episode = talk(name, from_model(name, server))
        if episode.stop is None:
            episode.step(HELLO)
    assert episode.stop == "failed"
    assert "Good morning." in [m.text for m in episode.observation]
    assert episode.observation[-1] == HELLO


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (ValueError("boom"), "crash"),
        (Message(role="user", text=" "), "protocol"),
        (Message(role="assistant", text="I am the agent."), "protocol"),
    ],
)
def test_a_users_own_failure_is_his(name: str, reply: Any, cause: str) -> None:
    episode = talk(name, Puppet(reply))
    assert episode.stop == "user_error"
    assert episode.failure is not None
    assert (episode.failure.owner, episode.failure.cause) == ("user", cause)
    assert episode.outcome().faults == (episode.failure,)


def test_a_user_who_only_calls_is_stopped_and_his_calls_are_kept(name: str) -> None:
    reads = [t.name for t in _user_tools(name) if t.effect == "read" and not _required(t)]
    episode = talk(name, Puppet(calling(reads[0])))
    made = [call for m in episode.observation for call in m.tool_calls]
    assert (episode.stop, len(made)) == ("user_error", MAX_USER_CALLS)
    assert episode.failure is not None
    assert (episode.failure.owner, episode.failure.cause) == ("user", "endless")
    assert {call.owner for call in made} == {"user"}
    answered = [m.tool_call_id for m in episode.observation if m.role == "tool"]
    assert answered == [call.id for call in made]
    assert len(set(answered)) == len(made)


def test_only_in_tau2_do_a_users_failed_calls_end_an_episode(name: str) -> None:
    episode = talk(name, Puppet(calling("no_such_tool")))
    failed = sum(m.error for m in episode.observation)
    ended: dict[str, tuple[StopReason, int]] = {
        "tau2-telecom": ("too_many_errors", MAX_ERRORS),
        "base-station": ("user_error", MAX_USER_CALLS),
    }
    assert (episode.stop, failed) == ended[name]


def test_what_a_user_got_wrong_is_his_and_no_reason_not_to_score(name: str) -> None:
    class Mistaken(Puppet):
        faults = (Failure(owner="user", cause="misheard"),)

    outcome = talk(name, Mistaken(Message(role="user", text="It is the fibre."))).outcome()
    assert outcome.coped_with == Mistaken.faults
    assert outcome.faults == ()


def test_dual_mode_needs_somebody_to_talk_to(name: str) -> None:
    with pytest.raises(UsageError, match=WORLDS[name].partner):
        WORLDS[name].open(first_task(name))
    other = next(n for n in WORLDS if n != name)
    with pytest.raises(UsageError, match=f"belongs to world {other}"):
        WORLDS[name].open(first_task(other))


def _user_tools(name: str) -> tuple[ToolSpec, ...]:
    silent = Puppet(Message(role="user", text="Hello."))
    return WORLDS[name].open(first_task(name), user=silent).user_tools


def _required(tool: ToolSpec) -> list[str]:
    return tool.parameters.get("required", [])
