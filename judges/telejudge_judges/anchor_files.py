"""Anchors from a file: recorded rollouts whose outcome is known.

    ListwiseJudge(client, anchors=recorded_anchors(Path("known.jsonl")))

Each group is judged along with one right and one wrong rollout of its own task and mode, as far as
the file has them and they are not in the group themselves. Which of several is decided by their
ids, so the same group always gets the same ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Literal

from telejudge_envs import store
from telejudge_envs.errors import UsageError
from telejudge_envs.groups import latest
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_judges.anchors import Anchor
from telejudge_judges.excuse import excuse
from telejudge_judges.opaque import digest

Task = tuple[str, str, str]
"""World, task id and mode."""


class RecordedAnchors:
    """Anchors from rollouts of known outcome."""

    def __init__(self, rollouts: Iterable[Rollout]) -> None:
        self._known: dict[Task, list[Rollout]] = defaultdict(list)
        for rollout in rollouts:
            task = rollout.task
            self._known[task.world, task.id, task.mode].append(rollout)

    @cached_property
    def fingerprint(self) -> str:
        """Of all that can be an anchor, in whatever order the file holds it."""
        rollouts = (one for task in self._known.values() for one in task)
        return digest(*sorted(one.model_dump_json() for one in rollouts))

    def __call__(self, group: Group) -> list[Anchor]:
        own = {one.id for one in group.trajectories}
        task = (group.task.world, group.task.id, group.task.mode)
        others = [r for r in self._known.get(task, ()) if r.trajectory.id not in own]
        others.sort(key=lambda r: digest(group.id, r.trajectory.id))
        chosen: dict[Literal[0, 1], Rollout] = {}
        for rollout in others:
            if rollout.outcome is not None:
                chosen.setdefault(rollout.outcome.answer, rollout)
        return [Anchor(rollout.trajectory, answer) for answer, rollout in chosen.items()]


def recorded_anchors(file: Path) -> RecordedAnchors:
    """Raises DataError for a broken file, UsageError when it holds no usable rollout."""
    usable = [
        rollout
        for rollout in latest(store.read(file, Rollout)).values()
        if rollout.outcome is not None
        and not rollout.outcome.faults
        and excuse(rollout.trajectory) is None
    ]
    if not usable:
        raise UsageError(f"{file} holds no rollout of known outcome, so none can be an anchor")
    return RecordedAnchors(usable)
