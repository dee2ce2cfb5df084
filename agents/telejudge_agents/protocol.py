"""What an agent is: messages and tools in, one assistant message out.

An `AgentFactory` makes one `Agent` for each episode, so an agent may keep state of its episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import TokenTrace, Usage


class Agent(Protocol):
    """Acts in one episode."""

    async def act(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """Return the next assistant message: text or tool calls.

        Raises `EndpointError` when the model behind it cannot be reached; never because of what
        the world said.
        """
        ...

    @property
    def usage(self) -> Usage:
        """What this episode has cost so far."""
        ...

    @property
    def trace(self) -> TokenTrace | None:
        """Token ids, masks and logprobs when the model is ours; None otherwise."""
        ...


class AgentFactory(Protocol):
    """Makes an agent for each episode. `name` goes into trajectories, `versions` too.

    A factory may say in `waits_on` (a `FaultOwner`) what its agents wait for: `endpoint` for a
    served model, `runner` for one on this machine. A deadline that passes is then blamed on it,
    and on the agent otherwise. It may have an `async close()`, which the runner awaits at the end.
    """

    @property
    def name(self) -> str: ...

    @property
    def versions(self) -> dict[str, str]: ...

    def start(self, task: TaskView, seed: int) -> Agent: ...
