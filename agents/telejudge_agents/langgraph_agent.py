"""An agent that is a LangGraph state graph around any LangChain chat model (see graph.py).

    agents = LangGraphAgents(open_model(endpoint), checkpoints=Path("episodes.sqlite"))
    run(world, tasks, agents, out=Path("rollouts.jsonl"))

With `checkpoints`, an episode survives a restart: worlds are deterministic, so the runner plays it
again from its beginning, and the agent repeats what the checkpoint holds, without asking the model,
until the record ends. A world that answers otherwise than recorded is noticed: then it is played
without the record.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from telejudge_agents.graph import AIMessage, episode_graph
from telejudge_envs.chat_format import parse_arguments, to_openai, tools_to_openai
from telejudge_envs.endpoint import Endpoint, Meter
from telejudge_envs.errors import EndpointError, MissingExtraError
from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import FaultOwner, TokenTrace, Usage
from telejudge_envs.retry import status_trouble

try:
    from langchain_core.messages import BaseMessage, convert_to_messages
    from langgraph.types import Command
except ImportError as missing:
    raise MissingExtraError(missing.name or "langgraph", "langgraph") from missing

STEPS = 1_000
"""LangGraph ends a graph after 10,007 steps of one run; ours has four at most between two stops."""


def open_model(endpoint: Endpoint) -> Any:
    """LangChain's class for OpenAI-compatible servers; sampling parameters go along as they are."""
    try:
        from langchain_openai import ChatOpenAI
    except ImportError as error:
        raise MissingExtraError("langchain-openai", "langgraph") from error
    return ChatOpenAI(
        model=endpoint.model,
        base_url=endpoint.base_url,
        api_key=lambda: endpoint.key(),
        timeout=endpoint.timeout_s,
        max_retries=endpoint.max_retries,
        extra_body=dict(endpoint.sampling) or None,
    )


class LangGraphAgents:
    """Makes one for each episode. `model` is any LangChain chat model that can bind tools.

    `concurrency` bounds the requests under way. `close()` ends the connection to `checkpoints`; the
    runner calls it.
    """

    waits_on: FaultOwner = "endpoint"

    def __init__(
        self,
        model: Any,
        *,
        name: str | None = None,
        checkpoints: Path | None = None,
        concurrency: int = 8,
    ) -> None:
        self.model = model
        model_name = getattr(model, "model_name", type(model).__name__)
        self.name = name or f"langgraph:{model_name}"
        self.versions = {"langgraph": metadata.version("langgraph"), "model": str(model_name)}
        self._path, self._concurrency = checkpoints, concurrency
        self._bound: dict[tuple[str, ...], Any] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, task: TaskView, seed: int) -> LangGraphAgent:
        parts = (self.name, task.world, task.id, task.mode, task.ticket, str(seed))
        return LangGraphAgent(self, hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32])

    async def graph(self) -> Any:
        """The compiled graph of the running loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self.slots = loop, asyncio.Semaphore(self._concurrency)
            self._opening = loop.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> Any:
        self._saver: Any = None
        if self._path is not None:
            import aiosqlite
            from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._saver = AsyncSqliteSaver(await aiosqlite.connect(self._path))
        return episode_graph(self._saver or _in_memory())

    async def close(self) -> None:
        if self._loop is asyncio.get_running_loop():
            await self.graph()
            if self._saver is not None:
                await self._saver.conn.close()
            self._loop = None

    def bound(self, tools: Sequence[ToolSpec]) -> Any:
        key = tuple(tool.name for tool in tools)
        if key not in self._bound:
            self._bound[key] = self.model.bind_tools(tools_to_openai(tools))
        return self._bound[key]


class LangGraphAgent:
    """Acts in one episode; `thread` names it in the checkpoints."""

    trace: TokenTrace | None = None

    def __init__(self, maker: LangGraphAgents, thread: str) -> None:
        self._maker, self._thread = maker, thread
        self._meter = Meter()
        self._recorded: list[BaseMessage] | None = None
        self.repeated = 0
        """Messages that came from a checkpoint."""

    @property
    def usage(self) -> Usage:
        """Of this process: what an earlier one spent on the same episode is not in it."""
        return self._meter.usage

    async def act(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """The graph's next message. Raises EndpointError when the model fails."""
        graph = await self._maker.graph()
        config = self._config(tools)
        lived = convert_to_messages(to_openai(messages))
        if self._recorded is None:
            await self._remember(graph, config)
        said = self._repeat(lived)
        if said is None:
            said = await self._go_on(graph, config, lived)
        return _to_message(said)

    async def _remember(self, graph: Any, config: Any) -> None:
        state = await graph.aget_state(config)
        self._recorded = list(state.values.get("messages", ()))
        if state.next == ("hand_over",):
            self._recorded.append(state.values["draft"])

    def _repeat(self, lived: Sequence[BaseMessage]) -> AIMessage | None:
        """The recorded answer to exactly this conversation; None where the record ends."""
        record = self._recorded or []
        if len(record) <= len(lived) or not _same_start(record[: len(lived)], lived):
            return None
        said = record[len(lived)]
        self.repeated += 1
        return said if isinstance(said, AIMessage) else None

    async def _go_on(self, graph: Any, config: Any, lived: Sequence[BaseMessage]) -> AIMessage:
        state = await graph.aget_state(config)
        if not state.next:
            given: Any = {"messages": list(lived)}
        elif self._follows(state, lived):
            given = Command(resume=list(lived[len(state.values["messages"]) :]))
        elif self._unfinished(state, lived):
            given = None
        else:  # a record of something else: begin anew
            await graph.checkpointer.adelete_thread(self._thread)
            given = {"messages": list(lived)}
        await graph.ainvoke(given, config, durability="sync")
        return (await graph.aget_state(config)).values["draft"]

    def _follows(self, state: Any, lived: Sequence[BaseMessage]) -> bool:
        """Whether the graph waits for the answers to its draft, and `lived` holds them."""
        record = state.values.get("messages", ())
        waits = state.next == ("hand_over",) and len(lived) > len(record)
        return waits and lived[len(record)].type == "ai" and _same_start(record, lived)

    def _unfinished(self, state: Any, lived: Sequence[BaseMessage]) -> bool:
        """Whether the process died while the model was asked about this conversation."""
        record = state.values.get("messages", ())
        return len(record) == len(lived) and _same_start(record, lived)

    def _config(self, tools: Sequence[ToolSpec]) -> Any:
        async def ask(messages: Sequence[Any], with_tools: bool) -> AIMessage:
            model = self._maker.bound(tools) if with_tools else self._maker.model
            async with self._maker.slots:
                return await self._ask(model, messages)

        closing = frozenset(tool.name for tool in tools if tool.effect == "control")
        named = {"thread_id": self._thread, "ask": ask, "closing": closing}
        return {"configurable": named, "recursion_limit": STEPS}

    async def _ask(self, model: Any, messages: Sequence[Any]) -> AIMessage:
        self._meter.add(requests=1)
        try:
            said = await model.ainvoke(messages)
        except Exception as error:
            raise _endpoint_error(error) from error
        spent = said.usage_metadata or {}
        self._meter.add(
            prompt_tokens=spent.get("input_tokens", 0),
            completion_tokens=spent.get("output_tokens", 0),
        )
        return said


def _in_memory() -> Any:
    from langgraph.checkpoint.memory import InMemorySaver

    return InMemorySaver()


def _same_start(record: Sequence[BaseMessage], lived: Sequence[BaseMessage]) -> bool:
    return [_plain(m) for m in record] == [_plain(m) for m in lived[: len(record)]]


def _plain(message: BaseMessage) -> tuple[Any, ...]:
    """What two messages must share to be the same turn; ids are the world's to change."""
    calls = getattr(message, "tool_calls", ()) or ()
    return message.type, str(message.text), [(call["name"], call["args"]) for call in calls]


def _to_message(said: AIMessage) -> Message:
    calls = [
        ToolCall(id=call["id"] or f"call_{i}", name=call["name"], arguments=call["args"])
        for i, call in enumerate(said.tool_calls)
    ]
    for broken in said.invalid_tool_calls:
        _, raw = parse_arguments(broken["args"])
        calls.append(
            ToolCall(id=broken["id"] or f"call_{len(calls)}", name=broken["name"] or "", raw=raw)
        )
    reasoning = said.additional_kwargs.get("reasoning_content")
    return Message(
        role="assistant",
        text=str(said.text),
        tool_calls=tuple(calls),
        reasoning=reasoning if isinstance(reasoning, str) else None,
    )


def _endpoint_error(error: Exception) -> EndpointError:
    """Whatever a chat model raises, as its endpoint's failure."""
    status, response = getattr(error, "status_code", None), getattr(error, "response", None)
    what = f"{type(error).__name__}: {str(error)[:300]}"
    if isinstance(status, int) and response is not None:
        cause = status_trouble(status, response.text, response.headers).cause
    elif "Timeout" in type(error).__name__:
        cause = "timeout"
    else:
        cause = "connection" if "Connect" in type(error).__name__ else "bad_response"
    return EndpointError(f"the chat model failed: {what}", cause=cause)
