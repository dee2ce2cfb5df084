"""Users of dual episodes that a model plays, as the runner wants them.

users = ModelUsers(world, ChatClient(endpoint))
run(world, world.tasks("test", "dual"), factory, users=users)
"""

from __future__ import annotations

from dataclasses import dataclass

from telejudge_envs.client import ChatClient
from telejudge_envs.nouns.task import Task
from telejudge_envs.offers import model_user
from telejudge_envs.protocol import User, World


@dataclass(frozen=True)
class ModelUsers:
    """Makes the user of each episode; all ask the same client."""

    world: World
    client: ChatClient

    @property
    def versions(self) -> dict[str, str]:
        """Who played the user belongs to what made a record."""
        return {"user": self.client.endpoint.model}

    def __call__(self, task: Task, seed: int) -> User:
        return model_user(self.world, self.client, task, seed)
