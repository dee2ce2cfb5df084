"""Anchors from a file: recorded rollouts whose outcome is known.

    ListwiseJudge(client, anchors=recorded_anchors(Path("known.jsonl")))

Each group is judged along with one right and one wrong rollout of its own task and mode, as far as
the file has them and they are not in the group themselves. Which of several is decided by their
ids, so the same group always gets the same ones.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Literal

from telejudge_envs import store
from telejudge_envs.errors import UsageError
from telejudge_envs.groups import latest
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_judges.anchors import Anchor, Anchors
from telejudge_judges.excuse import excuse
from telejudge_judges.opaque import digest

Task = tuple[str, str, str]
"""World, task id and mode."""


def recorded_anchors(file: Path) -> Anchors:
    """Raises DataError for a broken file, UsageError when it holds no usable rollout."""
    known: dict[Task, list[Rollout]] = defaultdict(list)
    for rollout in latest(store.read(file, Rollout)).values():
        outcome = rollout.outcome
        if outcome is not None and not outcome.faults and excuse(rollout.trajectory) is None:
            known[rollout.task.world, rollout.task.id, rollout.task.mode].append(rollout)
    if not known:
        raise UsageError(f"{file} holds no rollout of known outcome, so none can be an anchor")

    def anchors(group: Group) -> list[Anchor]:
        own = {one.id for one in group.trajectories}
        task = (group.task.world, group.task.id, group.task.mode)
        others = [r for r in known.get(task, ()) if r.trajectory.id not in own]
        others.sort(key=lambda r: digest(group.id, r.trajectory.id))
        chosen: dict[Literal[0, 1], Rollout] = {}
        for rollout in others:
            if rollout.outcome is not None:
                chosen.setdefault(rollout.outcome.answer, rollout)
        return [Anchor(rollout.trajectory, answer) for answer, rollout in chosen.items()]

    return anchors
