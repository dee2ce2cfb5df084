"""The chat agent in real tau2 episodes, through a real HTTP server."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from telejudge_agents.chat import ChatAgent, ChatAgents
from telejudge_agents.context import thinking_kept
from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.protocol import Episode
from telejudge_envs.tau2_telecom.world import Tau2Telecom


@pytest.fixture(scope="module")
def world() -> Tau2Telecom:
    return Tau2Telecom()


def gold(task: Task) -> list[tuple[str, dict[str, Any]]]:
    actions = task.hidden["tau2"]["evaluation_criteria"]["actions"]
    return [(a["name"], a["arguments"]) for a in actions]


def agents(server: fake.FakeEndpoint, *, timeout_s: float = 20, **options: Any) -> ChatAgents:
    endpoint = Endpoint(
        base_url=server.base_url, model="scripted", timeout_s=timeout_s, max_retries=1
    )
    return ChatAgents(ChatClient(endpoint), **options)


def play(maker: ChatAgents, episode: Episode) -> ChatAgent:
    async def run() -> ChatAgent:
        agent = maker.start(episode.task.view, seed=0)
        try:
            while episode.stop is None:
                episode.step(await agent.act(episode.observation, episode.tools))
        finally:
            await maker.client.close()
        return agent

    return asyncio.run(run())


def test_a_whole_solo_episode(world: Tau2Telecom) -> None:
    task = world.tasks("test")[0]
    calls = [*gold(task), ("done", {})]
    episode = world.open(task)
    with fake.FakeEndpoint(fake.in_turn(*(fake.call(c) for c in calls))) as server:
        agent = play(agents(server), episode)
    assert episode.stop == "agent_stop"
    assert episode.outcome().answer == 1
    assert agent.usage.calls == agent.usage.requests == len(server.requests) == len(calls)
    assert agent.usage.completion_tokens > 0
    first, last = server.requests[0], server.requests[-1]
    assert [t["function"]["name"] for t in first["tools"]] == [t.name for t in episode.tools]
    assert first["messages"][0] == {"role": "system", "content": episode.observation[0].text}
    assert len({r["seed"] for r in server.requests}) == len(calls)
    answered = {m["tool_call_id"] for m in last["messages"] if m["role"] == "tool"}
    asked = {c["id"] for m in last["messages"] for c in m.get("tool_calls", ())}
    assert answered == asked
    assert len(asked) == len(calls) - 1, "ids of repeated calls must be kept apart"


def test_malformed_calls_get_an_error_that_the_model_can_read(world: Tau2Telecom) -> None:
    replies = fake.in_turn(
        fake.call(("toggle_data", '{"oops": ')),
        fake.call(("no_such_tool", {"a": 1})),
        fake.call(("done", {})),
    )
    episode = world.open(world.tasks("test")[0])
    with fake.FakeEndpoint(replies) as server:
        play(agents(server), episode)
    assert not episode.ledger
    results = [m for m in episode.observation if m.role == "tool"]
    assert [m.error for m in results] == [True, True, False]
    shown = [m["content"] for m in server.requests[2]["messages"] if m["role"] == "tool"]
    assert shown == [m.text for m in results[:2]]
    for message in server.requests[2]["messages"]:
        for call in message.get("tool_calls", ()):
            assert isinstance(json.loads(call["function"]["arguments"]), dict)


def test_a_rate_limit_is_waited_out(world: Tau2Telecom) -> None:
    replies = fake.in_turn(fake.fail(429, retry_after="0.1"), fake.call(("done", {})))
    episode = world.open(world.tasks("test")[0])
    with fake.FakeEndpoint(replies) as server:
        agent = play(agents(server), episode)
    assert episode.stop == "agent_stop"
    assert (agent.usage.requests, agent.usage.retries) == (2, 1)


def test_a_dead_endpoint_is_the_endpoints_failure(world: Tau2Telecom) -> None:
    episode = world.open(world.tasks("test")[0])
    with fake.FakeEndpoint(fake.in_turn(fake.hang())) as server:
        maker = agents(server, timeout_s=1)
        began = time.monotonic()
        with pytest.raises(EndpointError) as caught:
            play(maker, episode)
    assert caught.value.cause == "timeout"
    assert time.monotonic() - began < 8
    assert episode.stop is None, "the world must not have been told anything"


def test_a_reply_cut_by_the_token_limit_is_asked_for_again(world: Tau2Telecom) -> None:
    cut = fake.choice(
        {"role": "assistant", "content": "", "reasoning_content": "let me think for long"},
        finish_reason="length",
    )
    episode = world.open(world.tasks("test")[0])
    with fake.FakeEndpoint(fake.in_turn(cut, fake.call(("done", {})))) as server:
        agent = play(agents(server), episode)
    assert episode.stop == "agent_stop"
    assert agent.cut_replies == 1

    episode = world.open(world.tasks("test")[0])
    with fake.FakeEndpoint(fake.in_turn(cut)) as server:
        agent = play(agents(server), episode)
    assert episode.stop == "agent_error", "twice cut, the reply is the agent's own"
    assert (agent.cut_replies, agent.usage.requests) == (2, 2)


def test_reasoning_is_kept_but_sent_back_only_on_request(world: Tau2Telecom) -> None:
    thinking = fake.choice(
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "hmm",
            "tool_calls": [
                {"id": "x", "type": "function", "function": {"name": "check_status_bar"}}
            ],
        }
    )
    sent = {}
    for policy in ("drop", "turn", "keep"):
        episode = world.open(world.tasks("test")[0])
        with fake.FakeEndpoint(fake.in_turn(thinking, fake.call(("done", {})))) as server:
            play(agents(server, thinking=policy), episode)
        said = next(m for m in episode.observation if m.role == "assistant")
        assert said.reasoning == "hmm", "the record keeps it whatever is sent"
        sent[policy] = [m.get("reasoning_content") for m in server.requests[1]["messages"]]
    assert sent["drop"] == [None] * 4
    assert sent["turn"] == sent["keep"] == [None, None, "hmm", None]


def test_instructions_join_the_system_message(world: Tau2Telecom) -> None:
    episode = world.open(world.tasks("test")[0])
    with fake.FakeEndpoint(fake.in_turn(fake.call(("done", {})))) as server:
        play(agents(server, instructions="Be quick."), episode)
    sent = server.requests[0]["messages"]
    assert sent[0]["content"].endswith("\n\nBe quick.")
    assert [m["role"] for m in sent] == ["system", "user"]
    assert all("Be quick" not in m.text for m in episode.observation)


def test_a_conversation_without_a_system_message_gets_one() -> None:
    with fake.FakeEndpoint(fake.in_turn(fake.say("hi"))) as server:
        agent = agents(server, instructions="Be quick.").start(_view(), seed=1)
        asyncio.run(agent.act([Message(role="user", text="hello")], []))
    assert [m["role"] for m in server.requests[0]["messages"]] == ["system", "user"]


def _view() -> TaskView:
    return TaskView(id="t", world="w", split="s", level=1, ticket="help")


def thought(text: str, reasoning: str) -> Message:
    return Message(role="assistant", text=text, reasoning=reasoning)


def test_thinking_of_earlier_turns_is_dropped_when_the_user_has_spoken() -> None:
    spoken = [
        Message(role="user", text="one"),
        thought("a", "first"),
        Message(role="user", text="two"),
        thought("b", "second"),
    ]
    assert [m.reasoning for m in thinking_kept(spoken, "turn")] == [None, None, None, "second"]
    assert [m.reasoning for m in thinking_kept(spoken, "keep")][1] == "first"
    call = ToolCall(id="c", name="f")
    silent = Message(role="assistant", tool_calls=(call,))
    assert [m.reasoning for m in thinking_kept([silent], "turn")] == [""]
    assert [m.reasoning for m in thinking_kept([silent], "drop")] == [None]
    tagged = thinking_kept(spoken, "turn", "tags")
    assert [m.text for m in tagged] == ["one", "a", "two", "<think>\nsecond\n</think>\n\nb"]


def overflowing(limit: int, *calls: fake.Reply) -> fake.Script:
    """Answers the calls in turn, and 400 to whatever has more characters of tool results."""

    def reply(request: dict[str, Any], n: int) -> fake.Reply:
        if sum(map(len, fake.texts(request, "tool"))) > limit:
            return fake.fail(400, "This model's maximum context length is 100 tokens")
        turn = sum(m["role"] == "assistant" for m in request["messages"])
        return calls[turn]

    return reply


def test_what_is_too_long_loses_its_oldest_results(world: Tau2Telecom) -> None:
    long = fake.call(("get_customer_by_phone", {"phone_number": "555-123-2002"}))
    calls = (long, long, long, fake.call(("done", {})))
    first = world.open(world.tasks("test")[0])
    with fake.FakeEndpoint(fake.in_turn(long, fake.call(("done", {})))) as server:
        play(agents(server), first)
    size = next(len(m.text) for m in first.observation if m.role == "tool")
    assert size > 400
    for policy, stop in (("stop", None), ("drop", "agent_stop")):
        episode = world.open(world.tasks("test")[0])
        with fake.FakeEndpoint(overflowing(2 * size, *calls)) as server:
            maker = agents(server, overflow=policy)
            if stop is None:
                with pytest.raises(EndpointError) as caught:
                    play(maker, episode)
                assert caught.value.cause == "context_overflow"
                assert "overflow" not in maker.versions
                continue
            agent = play(maker, episode)
        assert episode.stop == stop
        shown = fake.texts(server.requests[-1], "tool")
        assert [text.startswith("[") for text in shown][:1] == [True]
        assert all(len(m.text) > 200 for m in episode.observation[:-2] if m.role == "tool")
        assert agent.usage.dropped_results == sum(t.endswith("needed.]") for t in shown) > 0
        assert maker.versions["overflow"] == "drop"


def test_one_call_a_turn_whatever_the_server_sends(world: Tau2Telecom) -> None:
    both = fake.call(("check_status_bar", {}), ("check_sim_status", {}))
    for one in (False, True):
        episode = world.open(world.tasks("test")[0])
        with fake.FakeEndpoint(fake.in_turn(both, fake.call(("done", {})))) as server:
            play(agents(server, one_call=one), episode)
        made = [c.name for m in episode.observation for c in m.tool_calls]
        assert made == ["check_status_bar", *([] if one else ["check_sim_status"]), "done"]
        assert server.requests[0].get("parallel_tool_calls") is (False if one else None)
