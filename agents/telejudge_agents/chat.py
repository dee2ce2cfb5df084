"""An agent that is a model behind any OpenAI-compatible endpoint.

    client = ChatClient(Endpoint(base_url="http://127.0.0.1:8000/v1", model="qwen3-8b"))
    agent = ChatAgents(client).start(task.view, seed=0)
    message = await agent.act(episode.observation, episode.tools)

The episode's own first message (policy and rules) is the system prompt; nothing is added to it
unless `instructions` are given. A call whose arguments are no JSON object goes to the world as it
is, which answers it with an error that the model can read.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from importlib import metadata

from telejudge_agents.context import Form, Overflow, Thinking, drop_oldest, thinking_kept
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Completion, Meter
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import FaultOwner, TokenTrace, Usage


class ChatAgents:
    """Makes a `ChatAgent` for each episode; they share the client's limits.

    `instructions` are added to the system message. `thinking` says which of its own thinking the
    model gets back, and in what form; `overflow` what happens when the conversation is too long for
    it (context.py); `one_call` asks for a single call a turn, and takes the first from a server
    that sends more. A reply cut off by the token limit before it said or called anything whole is
    asked for `length_retries` times more; then it goes to the world as it is, as the agent's own.
    """

    waits_on: FaultOwner = "endpoint"
    """A deadline that passes while one of them waits is the endpoint's fault."""

    def __init__(
        self,
        client: ChatClient,
        *,
        name: str | None = None,
        instructions: str = "",
        thinking: Thinking = "drop",
        thinking_as: Form = "field",
        overflow: Overflow = "stop",
        one_call: bool = False,
        length_retries: int = 1,
    ) -> None:
        self.client = client
        self.name = name or client.endpoint.model
        self.instructions = instructions
        self.thinking: Thinking = thinking
        self.thinking_as: Form = thinking_as
        self.overflow: Overflow = overflow
        self.one_call = one_call
        self.length_retries = length_retries

    @property
    def versions(self) -> dict[str, str]:
        """Settings that change what an agent says belong to what made a record."""
        ours = {"thinking": self.thinking, "overflow": self.overflow, "one_call": self.one_call}
        usual = {"thinking": "drop", "overflow": "stop", "one_call": False}
        changed = {name: str(value) for name, value in ours.items() if value != usual[name]}
        return {"aiohttp": _aiohttp_version(), "model": self.client.endpoint.model, **changed}

    def start(self, task: TaskView, seed: int) -> ChatAgent:
        return ChatAgent(self, task.id, seed)

    async def close(self) -> None:
        await self.client.close()


class ChatAgent:
    """Acts in one episode."""

    trace: TokenTrace | None = None

    def __init__(self, maker: ChatAgents, task_id: str, seed: int) -> None:
        self._maker = maker
        self._key = f"{task_id}|{seed}"
        self._meter = Meter()
        self._asked = 0
        self._calls = 0
        self._dropped = 0
        self.cut_replies = 0
        """Replies that the token limit cut off."""

    @property
    def usage(self) -> Usage:
        own = {"calls": self._calls, "dropped_results": self._dropped}
        return self._meter.usage.model_copy(update=own)

    async def act(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """The model's next message. Raises EndpointError when the endpoint fails."""
        maker = self._maker
        shown = thinking_kept(self._instructed(messages), maker.thinking, maker.thinking_as)
        completion = await self._ask_shorter(shown, tools)
        for _ in range(maker.length_retries):
            if completion.finish_reason != "length" or _says_something_whole(completion.message):
                break
            completion = await self._ask_shorter(shown, tools)
        said = completion.message
        if maker.one_call and len(said.tool_calls) > 1:
            said = said.model_copy(update={"tool_calls": said.tool_calls[:1]})
        self._calls += len(said.tool_calls)
        return said

    async def _ask_shorter(
        self, conversation: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> Completion:
        """Asks with ever fewer tool results while the conversation is too long, if it may."""
        shown = list(conversation)
        if self._dropped:
            shown = drop_oldest(conversation) or shown
        while True:
            try:
                completion = await self._ask(shown, tools)
            except EndpointError as error:
                shorter = drop_oldest(shown) if error.cause == "context_overflow" else None
                if shorter is None or self._maker.overflow == "stop":
                    raise
                shown = shorter
            else:
                pairs = zip(shown, conversation, strict=True)
                self._dropped = sum(a.text != b.text for a, b in pairs)
                return completion

    async def _ask(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Completion:
        self._asked += 1
        completion = await self._maker.client.complete(
            conversation,
            tools,
            seed=self._seed(),
            meter=self._meter,
            send_reasoning=self._maker.thinking != "drop",
            one_call=self._maker.one_call,
        )
        self.cut_replies += completion.finish_reason == "length"
        return completion

    def _seed(self) -> int:
        """Another seed for each request of each episode, the same in every run."""
        digest = hashlib.sha256(f"{self._key}|{self._asked}".encode()).digest()
        return int.from_bytes(digest[:4], "big") >> 1

    def _instructed(self, messages: Sequence[Message]) -> Sequence[Message]:
        if not self._maker.instructions:
            return messages
        extra = self._maker.instructions
        if messages and messages[0].role == "system":
            head = messages[0].model_copy(update={"text": f"{messages[0].text}\n\n{extra}"})
            return (head, *messages[1:])
        return (Message(role="system", text=extra), *messages)


@functools.cache
def _aiohttp_version() -> str:
    return metadata.version("aiohttp")  # reads and parses a file


def _says_something_whole(message: Message) -> bool:
    return any(call.raw is None for call in message.tool_calls)
