"""Tasks in, groups of rollouts out; groups with verdicts in, records and averages out.

groups = play_groups(roller, tasks, 8, temperature=1.0, seed=3, label="grpo-3/")
scored = [Scored(group, await reward_group(judge, group.group)) for group in groups]
step_metrics(scored)       # {"reward": …, "success": …, "tools": …, "calls": …, …}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_training.group_reward import GroupReward
from telejudge_training.policy_loss import Sample
from telejudge_training.tiny.rollout import Play, Roller


@dataclass(frozen=True)
class Played:
    """A group with the truths of its rollouts, which judges never receive."""

    group: Group
    rollouts: tuple[Rollout, ...]


@dataclass(frozen=True)
class Scored:
    """A played group and what it earned."""

    played: Played
    reward: GroupReward

    @property
    def success(self) -> float:
        """Share of its rollouts that solved the task, by the world's own reward."""
        return fmean(r.outcome.world_reward if r.outcome else 0.0 for r in self.played.rollouts)

    def samples(self) -> list[Sample]:
        """What the loss is made of: trajectories whose advantage is neither masked nor 0."""
        return [
            Sample(trajectory.trace, advantage)
            for trajectory in self.played.group.trajectories
            if (advantage := self.reward.advantages[trajectory.id]) and trajectory.trace is not None
        ]


def play_groups(
    roller: Roller,
    tasks: Sequence[Task],
    size: int,
    *,
    temperature: float,
    seed: int,
    label: str,
) -> list[Played]:
    """Roll every task out `size` times, all in one lockstep batch. Groups keep the tasks' order."""
    plays = [
        Play(task, rollout=n, seed=(seed + i * size + n) % 2**31, label=f"{label}{i}/")
        for i, task in enumerate(tasks)
        for n in range(size)
    ]
    rollouts = roller.run(plays, temperature=temperature, seed=seed)
    groups: list[Played] = []
    for i, task in enumerate(tasks):
        members = tuple(rollouts[i * size : (i + 1) * size])
        group = Group(
            id=f"{label}{i}/{task.id}",
            task=task.view,
            trajectories=tuple(r.trajectory for r in members),
        )
        groups.append(Played(group, members))
    return groups


def judged_group(scored: Scored, *, phase: str, step: int | None = None) -> JudgedGroup:
    """The record that reports show."""
    return JudgedGroup(
        phase=phase,
        step=step,
        group=scored.played.group,
        verdict=scored.reward.verdict,
        outcomes={
            r.trajectory.id: r.outcome for r in scored.played.rollouts if r.outcome is not None
        },
        advantages=scored.reward.advantages,
    )


def step_metrics(scored: Sequence[Scored]) -> dict[str, Any]:
    """Averages over all rollouts of a step; abstained ones count for success and calls only."""
    rollouts = [r for one in scored for r in one.played.rollouts]
    verdicts = [v for one in scored for v in one.reward.verdict.verdicts if v.abstained is None]
    rewards = [x for one in scored for x in one.reward.rewards.values() if x is not None]
    return {
        "reward": _mean(rewards),
        "success": _mean([r.outcome.world_reward for r in rollouts if r.outcome is not None]),
        "tools": _mean([v.tools for v in verdicts if v.tools is not None]),
        "calls": _mean([r.trajectory.usage.calls for r in rollouts]),
        "abstained": sum(one.reward.abstained for one in scored),
        "groups": len(scored),
        "tied_groups": sum(one.reward.tied for one in scored),
        "dropped_groups": sum(one.reward.dropped for one in scored),
        "tokens": sum(len(r.trajectory.trace.ids) for r in rollouts if r.trajectory.trace),
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 5) if values else None
