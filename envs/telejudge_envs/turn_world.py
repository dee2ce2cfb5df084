"""How a world opens its episodes and plays a record of one again, alike for every TurnEpisode.

class MyWorld(TurnWorld[MyEpisode]):
    name = "my-world"
    def _episode(self, task, seed, user): return MyEpisode(task, seed, user)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.protocol import User
from telejudge_envs.turns import TurnEpisode

E = TypeVar("E", bound=TurnEpisode)


class TurnWorld(ABC, Generic[E]):
    """The half of a World that deals with episodes; tasks and policy are the world's own."""

    name: str
    partner: str = "user"
    """Who the user is in this world, for messages to the caller."""

    def open(self, task: Task, seed: int = 0, user: User | None = None) -> E:
        """A fresh episode. Raises UsageError for a task of another world and for dual mode without
        a `user`, DataError for a broken task."""
        if task.view.world != self.name:
            raise UsageError(f"task {task.id} belongs to world {task.view.world}, not {self.name}")
        if task.view.mode == "dual" and user is None:
            raise UsageError(f"dual mode needs a {self.partner} to talk to: open(task, user=…)")
        return self._episode(task, seed, user)

    def replay(self, task: Task, trajectory: Trajectory) -> E:
        """Make a trajectory's calls again on a fresh episode, the user's own among them."""
        episode = self._episode(task, trajectory.seed, None)
        for message in trajectory.messages:
            if message.tool_calls:
                episode.call_all(message.tool_calls)
        episode.finish(trajectory.stop, trajectory.failure)
        return episode

    @abstractmethod
    def _episode(self, task: Task, seed: int, user: User | None) -> E:
        """An episode at its start; raises DataError for a broken task."""
