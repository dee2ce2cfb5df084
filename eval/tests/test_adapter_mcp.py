"""The MCP server against MCP's own client, over stdin and stdout and over HTTP."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from adapter_harness import BASE_STATION, TAU2, TOKEN, free_port, gold_calls, secrets, serving, told

from telejudge_envs.adapters.seat import find_task
from telejudge_envs.errors import UsageError
from telejudge_envs.registry import open_world

mcp = pytest.importorskip("mcp")
httpx2 = pytest.importorskip("httpx2")

from mcp.client.streamable_http import streamable_http_client  # noqa: E402

from telejudge_envs.adapters.mcp_server import (  # noqa: E402
    FINISH,
    SAY,
    Table,
    http_app,
)
from telejudge_envs.adapters.mcp_server import server as mcp_server  # noqa: E402


def stdio(world: str, task: str, *more: str) -> Any:
    given = ["-m", "telejudge_eval.cli.app", "serve", "mcp", "--world", world, "--task", task]
    return mcp.Client(mcp.StdioServerParameters(command=sys.executable, args=[*given, *more]))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "which"), [BASE_STATION, TAU2])
def test_gold_calls_solve_a_task_over_stdio_and_nothing_is_told_before_the_end(
    name: str, which: str
) -> None:
    world = open_world(name)
    task = find_task(world, which)
    calls = gold_calls(world, task)

    async def play() -> tuple[list[Any], dict[str, Any]]:
        async with stdio(name, which) as client:
            heard: list[Any] = [client.instructions, client.server_info]
            tools = await client.list_tools()
            assert {t.name for t in tools.tools} == {
                *(t.name for t in world.open(task).tools),
                FINISH,
            }
            heard.append(tools.model_dump_json())
            for resource in (await client.list_resources()).resources:
                heard.append((await client.read_resource(resource.uri)).contents[0].text)
            heard.append((await client.get_prompt("task")).messages[0].content.text)
            assert task.view.ticket in heard[-1]
            assert task.view.ticket in heard[-2]
            for tool, arguments in calls:
                heard.append((await client.call_tool(tool, arguments)).model_dump_json())
            assert "episode is over (agent_stop)" in heard[-1]
            late = await client.call_tool(*calls[0])
            assert late.is_error
            assert "is over" in late.content[0].text
            ending = (await client.call_tool(FINISH, {})).content[0].text
            return heard, json.loads(ending)

    heard, ending = asyncio.run(play())
    assert ending["solved"] is True
    assert ending["stop"] == "agent_stop"
    assert "reward" in ending
    kept = secrets(world, task)
    for payload in heard:
        assert not told(payload, kept)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    port = free_port()
    limits = ("--sessions", "4", "--idle", "2", "--body", "3000")
    which = ("--world", "base-station", "--task", "dev:0")
    with serving("mcp", "--http", *which, *limits, port=port, token=TOKEN):
        yield f"http://127.0.0.1:{port}/mcp"


def http(url: str, wire: list[bytes] | None = None) -> Any:
    async def keep(response: Any) -> None:
        await response.aread()
        if wire is not None:
            wire.append(response.content)

    client = httpx2.AsyncClient(
        headers={"Authorization": f"Bearer {TOKEN}"}, event_hooks={"response": [keep]}, timeout=30
    )
    return streamable_http_client(url, http_client=client)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_over_http_every_path_is_an_episode_of_its_own(server: str, mode: str) -> None:
    world = open_world("base-station")
    task = find_task(world, "dev:0")
    wire: list[bytes] = []

    async def play() -> tuple[dict[str, Any], dict[str, Any]]:
        anna, ben = (mcp.Client(http(f"{server}/{n}-{mode}", wire), mode=mode) for n in "ab")
        async with anna, ben:
            await anna.list_tools()
            for tool, arguments in gold_calls(world, task):
                await anna.call_tool(tool, arguments)
            assert not told(b" ".join(wire).decode(), secrets(world, task))
            ends = [(await c.call_tool(FINISH, {})).content[0].text for c in (anna, ben)]
            return json.loads(ends[0]), json.loads(ends[1])

    solved, untouched = asyncio.run(play())
    assert solved["solved"] is True
    assert untouched["solved"] is False
    assert untouched["reward"] < 0.1


@pytest.mark.slow
def test_strangers_other_sites_pages_and_large_requests_are_refused(server: str) -> None:
    ours = {"Authorization": f"Bearer {TOKEN}"}

    def status(body: str = "{}", **headers: str) -> int:
        return httpx2.post(server, content=body, headers={**ours, **headers}).status_code

    assert httpx2.post(server, content="{}").status_code == 401
    assert status(Authorization="Bearer not the token we gave") == 401
    assert status(Host="evil.example") == 403
    assert status(Origin="http://evil.example") == 403
    assert status("x" * 3001) == 413
    assert status() not in (401, 403, 413)


@pytest.mark.slow
def test_crowds_and_idlers_are_refused(server: str) -> None:
    async def tools(name: str) -> int:
        async with mcp.Client(http(f"{server}/{name}")) as one:
            return len((await one.list_tools()).tools)

    async def refused(name: str, why: str) -> None:
        async with mcp.Client(http(f"{server}/{name}")) as one:
            with pytest.raises(mcp.MCPError, match=why):
                await one.list_tools()

    async def play() -> None:
        await asyncio.sleep(2.5)  # seats of other tests expire
        for name in ("first", "second", "third", "fourth"):
            assert await tools(name) > 60
        await refused("fifth", "4 sessions are open")
        await refused("n" * 65, "at most 64 characters")
        await asyncio.sleep(2.5)
        assert await tools("fifth") > 60
        await refused("first", "was idle for more than 2 s")

    asyncio.run(play())


def test_in_dual_mode_the_user_talks_and_his_own_calls_stay_his() -> None:
    world = open_world("base-station")
    table = Table(world, find_task(world, "dev:0", "dual"))
    seat = table.new_seat()
    alone = world.open(find_task(world, "dev:0"))
    fields_own = {tool.name for tool in alone.tools} - {tool.name for tool in seat.tools}

    async def play() -> str:
        async with mcp.Client(mcp_server(table, lambda _: seat)) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert SAY in names
            assert fields_own
            assert not fields_own & names
            said = await client.call_tool(SAY, {"text": "Where are you now?"})
            assert not said.is_error
            return said.content[0].text

    assert asyncio.run(play())
    assert all(call.owner == "agent" for m in seat.opening for call in m.tool_calls)


def test_no_address_that_others_reach_without_a_token() -> None:
    world = open_world("base-station")
    table = Table(world, find_task(world, "dev:0"))
    with pytest.raises(UsageError, match="can be reached from elsewhere"):
        http_app(table, host="0.0.0.0", token=None)
    with pytest.raises(UsageError, match="too short"):
        http_app(table, host="0.0.0.0", token="123")
    http_app(table, host="0.0.0.0", token=TOKEN)
