"""What a world may offer beyond the World protocol; who asks gets an answer for any world.

    kind_of(world, task.view)              # "mms": what curricula and summaries sort tasks by
    scripted_user(world, task, seed=0)     # plays the user of a dual-control episode

A world offers kinds by a method `kind(view) -> str` and a user by `scripted_user(task, seed)`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

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
