"""Who plays where, from the options of `telejudge rollout`: data that any process can open.

    seating = Seating(world="tau2-telecom", agent="expert")
    tables = seating.open()            # world, agent factory and users, as the runner wants them

Picklable, so that each worker of a Ray cluster opens its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telejudge_envs.errors import UsageError

if TYPE_CHECKING:
    from telejudge_agents.protocol import AgentFactory
    from telejudge_agents.runner import Tables, Users
    from telejudge_envs.endpoint import Endpoint
    from telejudge_envs.protocol import World

NEEDS_ENDPOINT = ("chat", "langgraph")


@dataclass(frozen=True)
class Seating:
    """`endpoint` is the agent's, `user_endpoint` that of a user played by a model (else None)."""

    world: str
    agent: str
    mode: str = "solo"
    world_options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    concurrency: int = 8
    deadline_s: float | None = None
    endpoint: Endpoint | None = None
    user_endpoint: Endpoint | None = None
    chat: dict[str, Any] = field(default_factory=dict)
    """Settings of `ChatAgents`."""
    sampling: dict[str, Any] = field(default_factory=dict)
    """Of a local model; an endpoint has its own."""
    checkpoints: Path | None = None

    def open(self) -> Tables:
        """Raises UsageError for an agent or a world that does not exist."""
        from telejudge_agents.runner import Tables
        from telejudge_envs.registry import open_world

        world = open_world(self.world, **self.world_options)
        users = self._users(world) if self.mode == "dual" else None
        return Tables(world, self._agents(world), users, self.deadline_s)

    def _users(self, world: World) -> Users:
        from telejudge_agents.users import ModelUsers
        from telejudge_envs.client import ChatClient
        from telejudge_envs.offers import scripted_user

        if self.user_endpoint is None:
            return partial(scripted_user, world)
        return ModelUsers(world, ChatClient(self.user_endpoint, seed=self.seed))

    def _agents(self, world: World) -> AgentFactory:
        if self.agent == "chat":
            from telejudge_agents.chat import ChatAgents
            from telejudge_envs.client import ChatClient

            return ChatAgents(ChatClient(self._where(), seed=self.seed), **self.chat)
        if self.agent == "langgraph":
            from telejudge_agents.langgraph_agent import LangGraphAgents, open_model

            model = open_model(self._where())
            return LangGraphAgents(
                model, checkpoints=self.checkpoints, concurrency=self.concurrency
            )
        if self.agent.startswith("local:"):
            from telejudge_agents.batching import Sampling
            from telejudge_agents.local import LocalAgents

            try:
                how = Sampling(**self.sampling)
            except TypeError as error:
                raise UsageError(f"--sampling: {error}") from error
            folder = Path(self.agent.removeprefix("local:"))
            return LocalAgents.load(folder, sampling=how, max_batch=self.concurrency)
        from telejudge_agents.scripted.registry import scripted

        return scripted(self.agent, world)

    def _where(self) -> Endpoint:
        if self.endpoint is None:
            raise UsageError(f"agent {self.agent} needs --base-url and --model")
        return self.endpoint
