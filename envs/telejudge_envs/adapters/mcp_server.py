"""A task of a world as an MCP server: any MCP client can try it by hand.

    table = Table(world, task, score=score)             # who plays here, and by which rules
    asyncio.run(serve_stdio(table))                     # one client, one episode
    serve_http(table, host="127.0.0.1", port=8765, token=None)

Tools are the world's own, unchanged, and `finish_episode`, which ends the episode and tells how it
went; in dual mode `say_to_user` too. Policy and ticket are resources, and the prompt `task`. Over
HTTP each path /mcp/NAME is an episode of its own (a path, not an MCP session: the protocol of
2026-07-28 has no sessions any more). An episode is single use, and nothing of its truth is told
before it is over.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio

from telejudge_envs.adapters.hosting import Door, Limits, Sessions, checked_host
from telejudge_envs.adapters.seat import Ending, Score, Seat
from telejudge_envs.errors import MissingExtraError, TelejudgeError, UsageError
from telejudge_envs.nouns.message import ToolSpec
from telejudge_envs.nouns.task import Task
from telejudge_envs.protocol import World

try:
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server
    from mcp.shared.exceptions import MCPError
except ImportError as error:
    raise MissingExtraError("mcp", "mcp") from error

FINISH, SAY = "finish_episode", "say_to_user"
POLICY, TICKET = "telejudge://task/policy", "telejudge://task/ticket"
ALONE = "stdio"
LONGEST_NAME = 64

_OBJECT: dict[str, Any] = {"type": "object", "properties": {}}
_OWN = {
    FINISH: types.Tool(
        name=FINISH,
        description="End the episode as it stands (nothing can be done after that), and see how "
        "it went: whether the task is solved, and what was unreasonable.",
        input_schema=_OBJECT,
    ),
    SAY: types.Tool(
        name=SAY,
        description="Say something to the user and hear the answer.",
        input_schema={
            "type": "object",
            "properties": {"text": {"type": "string"}},
            "required": ["text"],
        },
    ),
}


@dataclass
class Table:
    """One task, and the seats at which it is played; `score` judges each at its end."""

    world: World
    task: Task
    seed: int = 0
    score: Score | None = None
    limits: Limits = field(default_factory=Limits)
    seats: Sessions[Seat] = field(init=False)

    def __post_init__(self) -> None:
        self.seats = Sessions(self.limits)
        taken = {tool.name for tool in self.new_seat().tools} & set(_OWN)
        if taken:
            raise UsageError(f"world {self.world.name} has a tool called {', '.join(taken)} itself")

    def new_seat(self) -> Seat:
        return Seat(self.world, self.task, seed=self.seed, player="mcp", score=self.score)


def server(table: Table, seat_of: Callable[[Any], Seat]) -> Server[Any]:
    """The MCP server; `seat_of` finds the seat of a request."""

    async def tools(ctx: Any, _: Any) -> types.ListToolsResult:
        seat = seat_of(ctx)
        own = (FINISH, SAY) if seat.view.mode == "dual" else (FINISH,)
        return types.ListToolsResult(
            tools=[*map(offered, seat.tools), *(_OWN[name] for name in own)]
        )

    async def call(ctx: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        seat = seat_of(ctx)
        if params.name == FINISH:
            seat.close()
            ending = await anyio.to_thread.run_sync(lambda: seat.ending)
            return said(json.dumps(told(ending), ensure_ascii=False, indent=1))
        try:
            return await anyio.to_thread.run_sync(_played, seat, params)
        except UsageError as error:
            return said(str(error), error=True)

    async def resources(ctx: Any, _: Any) -> types.ListResourcesResult:
        named = {POLICY: "policy", TICKET: "ticket"}
        return types.ListResourcesResult(
            resources=[
                types.Resource(uri=uri, name=name, mime_type="text/plain")
                for uri, name in named.items()
            ]
        )

    async def read(ctx: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        seat = seat_of(ctx)
        texts = {POLICY: seat.policy, TICKET: seat.view.ticket}
        if params.uri not in texts:
            raise MCPError(types.INVALID_PARAMS, f"no resource {params.uri}")
        content = types.TextResourceContents(
            uri=params.uri, text=texts[params.uri], mime_type="text/plain"
        )
        return types.ReadResourceResult(contents=[content])

    async def prompts(ctx: Any, _: Any) -> types.ListPromptsResult:
        prompt = types.Prompt(name="task", description="The policy, and the ticket to work on.")
        return types.ListPromptsResult(prompts=[prompt])

    async def prompt(ctx: Any, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        if params.name != "task":
            raise MCPError(types.INVALID_PARAMS, f"no prompt {params.name}")
        text = "\n\n".join(m.text for m in seat_of(ctx).opening if m.role != "tool")
        message = types.PromptMessage(
            role="user", content=types.TextContent(type="text", text=text)
        )
        return types.GetPromptResult(messages=[message])

    return Server(
        f"telejudge {table.world.name}",
        instructions="Read the prompt `task`, then repair the fault with the tools; "
        f"`{FINISH}` tells how it went.",
        on_list_tools=tools,
        on_call_tool=call,
        on_list_resources=resources,
        on_read_resource=read,
        on_list_prompts=prompts,
        on_get_prompt=prompt,
    )


async def serve_stdio(table: Table) -> None:
    """Serve the program that started this one until it hangs up; one episode."""
    alone = table.new_seat()
    here = server(table, lambda _: alone)
    async with stdio_server() as (incoming, outgoing):
        await here.run(incoming, outgoing, here.create_initialization_options())


def http_app(table: Table, *, host: str, token: str | None) -> Door:
    """The ASGI application behind `serve_http`. Raises UsageError for an open address."""

    def seat_of(ctx: Any) -> Seat:
        name = ctx.request.path_params["name"].strip("/")
        if len(name) > LONGEST_NAME:
            raise MCPError(types.INVALID_PARAMS, f"at most {LONGEST_NAME} characters after /mcp/")
        try:
            return table.seats.get(name, table.new_seat)
        except TelejudgeError as error:
            raise MCPError(types.INVALID_REQUEST, str(error)) from error

    app = server(table, seat_of).streamable_http_app(
        streamable_http_path="/mcp{name:path}",
        json_response=True,
        stateless_http=True,
        host=host,
    )
    return Door(app, host=checked_host(host, token), token=token, limits=table.limits)


def serve_http(table: Table, *, host: str, port: int, token: str | None) -> None:
    """Serve until interrupted."""
    import uvicorn

    uvicorn.run(http_app(table, host=host, token=token), host=host, port=port, log_level="warning")


def told(ending: Ending) -> dict[str, Any]:
    """An ending as a player reads it."""
    outcome, verdict = ending.outcome, ending.verdict
    told: dict[str, Any] = {
        "stop": ending.stop,
        "solved": outcome.answer == 1,
        "checks": {check.name: check.passed for check in outcome.checks},
    }
    if verdict is not None and verdict.abstained is not None:
        return {**told, "abstained": verdict.abstained}
    if verdict is not None:
        told |= {"tools": verdict.tools, "reward": verdict.reward}
        told["defects"] = [d.model_dump(exclude={"evidence"}) for d in verdict.defects]
    return told


def _played(seat: Seat, params: types.CallToolRequestParams) -> types.CallToolResult:
    given = params.arguments or {}
    if params.name == SAY and seat.view.mode == "dual":
        answers = seat.say(str(given.get("text", "")))
    else:
        answers = seat.call(params.name, given)
    texts = [answer.text for answer in answers]
    if seat.stop is not None:
        texts.append(f"The episode is over ({seat.stop}); {FINISH} tells how it went.")
    return said(*texts, error=any(answer.error for answer in answers))


def said(*texts: str, error: bool = False) -> types.CallToolResult:
    content: list[Any] = [types.TextContent(type="text", text=text) for text in texts]
    return types.CallToolResult(content=content, is_error=error)


def offered(spec: ToolSpec) -> types.Tool:
    return types.Tool(
        name=spec.name,
        description=spec.description,
        input_schema={"type": "object", **spec.parameters},
        annotations=types.ToolAnnotations(read_only_hint=spec.effect == "read"),
    )
