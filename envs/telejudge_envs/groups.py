"""From rollouts to the groups that judges receive, and the truths that they do not.

In: rollouts in any order. Out: groups by task and mode, the same for every order.

    groups = groups_of(rollouts)
    outcomes = outcomes_of(rollouts)     # by trajectory id
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Group, Outcome, Rollout, Trajectory


def latest(rollouts: Iterable[Rollout]) -> dict[str, Rollout]:
    """By trajectory id; of several records of one episode the last (a retry) counts."""
    return {rollout.trajectory.id: rollout for rollout in rollouts}


def groups_of(rollouts: Iterable[Rollout]) -> list[Group]:
    """One group for each task and mode, sorted by them; members by agent, rollout, id.

    A task whose ticket differs between rollouts (`ticket_fixes`) counts as two tasks.
    """
    members: dict[tuple[str, str, str, str], list[Rollout]] = defaultdict(list)
    for rollout in latest(rollouts).values():
        task = rollout.task
        members[task.world, task.id, task.mode, task.ticket].append(rollout)
    return [_group(members[key]) for key in sorted(members)]


def outcomes_of(rollouts: Iterable[Rollout]) -> dict[str, Outcome]:
    """Outcomes by trajectory id, for the rollouts whose truth is known."""
    return {
        trajectory_id: rollout.outcome
        for trajectory_id, rollout in latest(rollouts).items()
        if rollout.outcome is not None
    }


def _group(rollouts: list[Rollout]) -> Group:
    trajectories = sorted(
        (rollout.trajectory for rollout in rollouts), key=lambda t: (t.agent, t.rollout, t.id)
    )
    task = min((r.task for r in rollouts), key=lambda view: view.model_dump_json())
    return Group(id=_group_id(task, trajectories), task=task, trajectories=tuple(trajectories))


def _group_id(task: TaskView, trajectories: list[Trajectory]) -> str:
    parts = (task.world, task.id, task.mode, *(t.id for t in trajectories))
    return "g" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
