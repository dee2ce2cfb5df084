"""Tasks in, a stream of training tasks out, balanced by their kinds.

    mix = TaskMix(world, training_tasks(world), {"mms": 4, "data": 3, "service": 3})
    mix.draw(8, random.Random(0))

Kinds are the world's own sorting of its tasks by what is public of them (offers.py). They are
seldom equally frequent: of the 2,171 tasks outside tau2's base set 1,935 are MMS tickets and 18 are
service tickets, so drawing them alike would hardly ever show a service ticket.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.task import Task
from telejudge_envs.offers import kind_of
from telejudge_envs.protocol import World


def select(tasks: Sequence[Task], levels: Sequence[int] = (), limit: int = 0) -> tuple[Task, ...]:
    """The tasks of these levels (all without any), thinned evenly to at most `limit` (0: all)."""
    fit = [task for task in tasks if not levels or task.view.level in levels]
    if not limit or len(fit) <= limit:
        return tuple(fit)
    return tuple(fit[i * len(fit) // limit] for i in range(limit))


def training_tasks(world: World, split: str, levels: Sequence[int] = ()) -> tuple[Task, ...]:
    """The tasks of `split` at `levels`, after making sure that none of them is a test task.

    Raises UsageError when the split holds a test task (they are never trained on), or when no
    task is left.
    """
    tasks = tuple(world.tasks(split))
    held_out = {task.id for task in world.tasks("test")} if "test" in world.splits else set()
    leaked = [task.id for task in tasks if task.id in held_out]
    if leaked:
        raise UsageError(
            f"split '{split}' holds {len(leaked)} test tasks ({leaked[0]} …); "
            f"train on a split without them (splits: {', '.join(world.splits)})"
        )
    chosen = select(tasks, levels)
    if not chosen:
        raise UsageError(f"split '{split}' of {world.name} has no task of the levels {levels}")
    return chosen


FLOOR = 0.15
"""Weight that a task keeps when it is always solved, so that it is not unlearned unnoticed."""

MEMORY = 0.6
"""Share of the old estimate when a task's success is seen again."""


class TaskMix:
    """Draws tasks: first the kind by `weights`, then a task of that kind.

    With `adaptive`, tasks that were solved when last seen are drawn less often (never below
    FLOOR); unseen ones count as half solved. With `by_level`, a task is drawn the more often the
    higher its level: long procedures need more showing. Kinds without a weight are never drawn;
    without any weights tasks are drawn as they come.
    """

    def __init__(
        self,
        world: World,
        tasks: Sequence[Task],
        weights: Mapping[str, float] | None = None,
        *,
        adaptive: bool = False,
        by_level: bool = False,
    ) -> None:
        self._of: dict[str, list[Task]] = {}
        for task in tasks:
            self._of.setdefault(kind_of(world, task.view), []).append(task)
        wanted = weights or {kind: len(members) for kind, members in self._of.items()}
        self._kinds = [kind for kind in sorted(self._of) if wanted.get(kind, 0) > 0]
        self._weights = [wanted[kind] for kind in self._kinds]
        self._adaptive, self._by_level = adaptive, by_level
        self.solved: dict[str, float] = {}
        """Estimated success by task id: the state that a checkpoint keeps."""
        if not self._kinds:
            raise UsageError(f"no tasks of the kinds {sorted(wanted)} to train on")

    def draw(self, count: int, dice: random.Random) -> list[Task]:
        """`count` tasks; within one draw a task comes twice only when its kind runs out."""
        drawn: list[Task] = []
        taken: set[str] = set()
        for kind in dice.choices(self._kinds, self._weights, k=count):
            fresh = [task for task in self._of[kind] if task.id not in taken] or self._of[kind]
            task = dice.choices(fresh, [self._weight(task) for task in fresh])[0]
            taken.add(task.id)
            drawn.append(task)
        return drawn

    def saw(self, task_id: str, success: float) -> None:
        """Take note of how often a group solved its task (0..1)."""
        old = self.solved.get(task_id, 0.5)
        self.solved[task_id] = MEMORY * old + (1 - MEMORY) * success

    def _weight(self, task: Task) -> float:
        weight = float(max(task.view.level, 1)) if self._by_level else 1.0
        if self._adaptive:
            weight *= FLOOR + 1.0 - self.solved.get(task.id, 0.5)
        return weight
