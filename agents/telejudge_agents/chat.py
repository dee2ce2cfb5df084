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

from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Completion, Meter
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import FaultOwner, TokenTrace, Usage


class ChatAgents:
    """Makes a `ChatAgent` for each episode; they share the client's limits.

    `instructions` are added to the system message. `send_reasoning` gives the model its own earlier
    thinking back. A reply cut off by the token limit before it said or called anything whole is
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
        send_reasoning: bool = False,
        length_retries: int = 1,
    ) -> None:
        self.client = client
        self.name = name or client.endpoint.model
        self.instructions = instructions
        self.send_reasoning = send_reasoning
        self.length_retries = length_retries

    @property
    def versions(self) -> dict[str, str]:
        return {"openai": _openai_version(), "model": self.client.endpoint.model}

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
        self.cut_replies = 0
        """Replies that the token limit cut off."""

    @property
    def usage(self) -> Usage:
        return self._meter.usage.model_copy(update={"calls": self._calls})

    async def act(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """The model's next message. Raises EndpointError when the endpoint fails."""
        conversation = self._instructed(messages)
        completion = await self._ask(conversation, tools)
        for _ in range(self._maker.length_retries):
            if completion.finish_reason != "length" or _says_something_whole(completion.message):
                break
            completion = await self._ask(conversation, tools)
        self._calls += len(completion.message.tool_calls)
        return completion.message

    async def _ask(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Completion:
        self._asked += 1
        completion = await self._maker.client.complete(
            conversation,
            tools,
            seed=self._seed(),
            meter=self._meter,
            send_reasoning=self._maker.send_reasoning,
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
def _openai_version() -> str:
    return metadata.version("openai")  # reads and parses a file


def _says_something_whole(message: Message) -> bool:
    return any(call.raw is None for call in message.tool_calls)
