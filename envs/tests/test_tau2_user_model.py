"""A model as the customer: tau2's own prompt and view, and whose fault his mistakes are."""

from __future__ import annotations

from typing import Any

import pytest

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.offers import model_user
from telejudge_envs.tau2_telecom.episode import Tau2Episode
from telejudge_envs.tau2_telecom.tasks import parse
from telejudge_envs.tau2_telecom.world import Tau2Telecom


@pytest.fixture(scope="module")
def world() -> Tau2Telecom:
    return Tau2Telecom()


def opened(world: Tau2Telecom, server: fake.FakeEndpoint) -> Tau2Episode:
    endpoint = Endpoint(base_url=server.base_url, model="m", timeout_s=5, max_retries=0)
    task = world.tasks("test", "dual")[0]
    return world.open(task, 0, model_user(world, ChatClient(endpoint), task, 0))


def say(episode: Tau2Episode, text: str) -> None:
    episode.step(Message(role="assistant", text=text))


def test_he_is_asked_as_tau2_asks_and_sees_what_tau2_shows(world: Tau2Telecom) -> None:
    script = fake.in_turn(
        fake.say("My MMS do not work."),
        fake.call(("check_status_bar", {})),
        fake.say("There is no signal."),
        fake.say("Thank you. ###STOP###"),
    )
    with fake.FakeEndpoint(script) as server:
        episode = opened(world, server)
        call = ToolCall(id="a", name="get_customer_by_phone", arguments={"phone_number": "555"})
        episode.step(Message(role="assistant", tool_calls=(call,)))
        say(episode, "What does the status bar show?")
        say(episode, "Good bye.")
    assert episode.stop == "user_stop"
    first, *_, last = server.requests
    scenario = str(parse(episode.task.hidden["tau2"]).user_scenario)
    prompt = first["messages"][0]["content"]
    assert prompt.startswith("# User Simulation Guidelines")
    assert prompt.endswith(f"<scenario>\n{scenario}\n</scenario>")
    assert {t["function"]["name"] for t in first["tools"]} == {t.name for t in episode.user_tools}
    roles = [m["role"] for m in last["messages"]]
    turns = ["assistant", "user", "assistant", "tool", "assistant", "user"]
    assert roles == ["system", "user", *turns], "the agent is his user; its calls are not shown"
    assert episode.outcome().faults == ()


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model, I cannot do that.",
        "Hi! How can I help you today?",
        '<tool_call>{"name": "toggle_data"}</tool_call>',
        '{"name": "toggle_data", "arguments": {}}',
    ],
)
def test_breaking_his_role_twice_is_his_fault(world: Tau2Telecom, text: str) -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say(text))) as server:
        episode = opened(world, server)
        assert len({r["seed"] for r in server.requests}) == 2, "he is asked once more"
    assert episode.stop == "user_error"
    (fault,) = episode.outcome().faults
    assert (fault.owner, fault.cause) == ("user", "broke_role")


def test_who_comes_back_into_his_role_goes_on(world: Tau2Telecom) -> None:
    script = fake.in_turn(fake.say("As an AI, I think"), fake.say("My MMS do not work."))
    with fake.FakeEndpoint(script) as server:
        episode = opened(world, server)
    assert episode.stop is None
    assert episode.observation[-1].text == "My MMS do not work."


@pytest.mark.parametrize(
    ("words", "invented"),
    [
        ("My number is 555-123-2002.", None),
        ("My number is 999-888-7777.", "999"),
        ("The speed test says 275.3 Mbps.", "275.3"),
        ("I have 2 bars and 4G.", None),
    ],
)
def test_what_he_invents_is_noted_as_his(world: Tau2Telecom, words: str, invented: Any) -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say(words))) as server:
        episode = opened(world, server)
    assert episode.stop is None
    outcome = episode.outcome()
    assert outcome.faults == (), "the agent is scored: it may ask him to look again"
    assert [f.cause for f in outcome.coped_with] == (["invented"] if invented else [])
    assert all(invented in f.detail and f.owner == "user" for f in outcome.coped_with)


def test_out_of_scope_ends_the_case(world: Tau2Telecom) -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say("###OUT-OF-SCOPE###"))) as server:
        assert opened(world, server).stop == "user_stop"


@pytest.mark.parametrize("reply", [fake.fail(500), fake.say(""), fake.drop()])
def test_his_dead_endpoint_is_not_the_agents_fault(world: Tau2Telecom, reply: fake.Reply) -> None:
    with fake.FakeEndpoint(fake.in_turn(reply)) as server:
        episode = opened(world, server)
        assert server.base_url in episode.outcome().faults[0].detail
    assert episode.stop == "failed"
    assert episode.failure is not None
    assert episode.failure.owner == "endpoint"
