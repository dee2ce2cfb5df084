"""What a world may offer beyond the World protocol; who asks gets an answer for any world.

    kind_of(world, task.view)              # "mms": what curricula and summaries sort tasks by
    scripted_user(world, task, seed=0)     # plays the user of a dual-control episode
    model_user(world, client, task, 0)     # a model plays him

A world offers kinds by a method `kind(view) -> str` and a user by `scripted_user(task, seed)` or
`model_user(task, seed, client)`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.protocol import User, World


@runtime_checkable
class KnowsKinds(Protocol):
    """A world whose tasks come in kinds."""

    def kind(self, view: TaskView) -> str:
        """The task's kind, from its public part alone."""
        ...


@runtime_checkable
class OffersUser(Protocol):
    """A world with a scripted user for its dual-control episodes."""

    def scripted_user(self, task: Task, seed: int) -> User: ...


def kind_of(world: World, view: TaskView) -> str:
    """The kind by the world's own sorting, or `level N` in a world without kinds."""
    return world.kind(view) if isinstance(world, KnowsKinds) else f"level {view.level}"


def scripted_user(world: World, task: Task, seed: int) -> User:
    """The world's own scripted user. Raises UsageError when it has none."""
    if not isinstance(world, OffersUser):
        raise UsageError(
            f"world {world.name} has no scripted user for dual mode; play it with --mode solo"
        )
    return world.scripted_user(task, seed)


@runtime_checkable
class OffersModelUser(Protocol):
    """A world whose user can be played by a model."""

    def model_user(self, task: Task, seed: int, client: ChatClient) -> User: ...


def model_user(world: World, client: ChatClient, task: Task, seed: int) -> User:
    """The world's user, played by a model. Raises UsageError when the world offers none."""
    if not isinstance(world, OffersModelUser):
        raise UsageError(
            f"world {world.name} has no user for a model to play; choose --user scripted"
        )
    return world.model_user(task, seed, client)
