"""Tasks in, groups of rollouts out; groups with verdicts in, records and averages out.

scored = play_and_judge(crew, tasks, Round(size=8, temperature=1.0, seed=3, label="grpo-3/"))
step_metrics(scored)       # {"reward": …, "success": …, "tools": …, "calls": …, …}
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_judges.protocol import Judge
from telejudge_training.crew import Crew
from telejudge_training.group_reward import TIE, GroupReward, reward_group
from telejudge_training.policy_loss import Sample
from telejudge_training.seat import Seat, rejoin, split
from telejudge_training.settings import RolloutSettings, Scaling
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
    audit: GroupReward | None = None
    """What the auditor would have paid; nothing is learned from it."""

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


@dataclass(frozen=True)
class Round:
    """How tasks are rolled out: `size` times each, and who is said to have done it."""

    size: int
    temperature: float
    seed: int
    label: str
    agent: str = "tiny"
    bounds: RolloutSettings = field(default_factory=RolloutSettings)
    scaling: Scaling = "std"


def play_and_judge(crew: Crew, tasks: Sequence[Task], how: Round) -> list[Scored]:
    """Roll every task out and have the groups judged, in the tasks' order."""
    numbered = split(list(enumerate(tasks)), crew.shares)
    return rejoin(crew.each(play_share, [(part, how) for part in numbered]))


def play_share(
    seat: Seat, share: int, request: tuple[list[tuple[int, Task]], Round]
) -> list[Scored]:
    """The job behind it: one share's tasks, with their numbers among all."""
    numbered, how = request
    if not numbered:
        return []
    roller = seat.roller(how.agent, how.bounds)
    played = play_groups(roller, numbered, replace(how, seed=how.seed + share))

    async def all_by(judge: Judge) -> list[GroupReward]:
        groups = [one.group for one in played]
        return await asyncio.gather(*(reward_group(judge, g, how.scaling) for g in groups))

    rewards = seat.wait_for(all_by(seat.judge))
    if seat.auditor is None:
        return [Scored(*each) for each in zip(played, rewards, strict=True)]
    audits = seat.wait_for(all_by(seat.auditor))
    return [Scored(*each) for each in zip(played, rewards, audits, strict=True)]


def play_groups(roller: Roller, numbered: Sequence[tuple[int, Task]], how: Round) -> list[Played]:
    """Roll numbered tasks out, all in one batch. Groups keep the tasks' order."""
    size = how.size
    plays = [
        Play(task, rollout=n, seed=(how.seed + i * size + n) % 2**31, label=f"{how.label}{i}/")
        for i, task in numbered
        for n in range(size)
    ]
    rollouts = roller.run(plays, temperature=how.temperature, seed=how.seed)
    groups: list[Played] = []
    for k, (i, task) in enumerate(numbered):
        members = tuple(rollouts[k * size : (k + 1) * size])
        group = Group(
            id=f"{how.label}{i}/{task.id}",
            task=task.view,
            trajectories=tuple(r.trajectory for r in members),
        )
        groups.append(Played(group, members))
    return groups


def judged_group(
    scored: Scored, *, phase: str, step: int | None = None, audited: bool = False
) -> JudgedGroup:
    """The record that reports show; `audited`: with the auditor's verdict, where there is one."""
    told = scored.audit if audited and scored.audit is not None else scored.reward
    return JudgedGroup(
        phase=phase,
        step=step,
        group=scored.played.group,
        verdict=told.verdict,
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
        **audit_metrics(scored),
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


def audit_metrics(scored: Sequence[Scored]) -> dict[str, Any]:
    """How the judge's rewards compare with the auditor's, over rollouts that both scored; empty
    without an auditor.

    `true_reward`: the auditor's mean; `agreement`: share of equal answers; `concordance`: share of
    the pairs within a group, told apart by the auditor, that the judge orders alike (ties: half).
    """
    pairs = [
        (one.reward, one.audit, trajectory.id)
        for one in scored
        if one.audit is not None
        for trajectory in one.played.group.trajectories
    ]
    if not pairs:
        return {}
    answers = [(_answers(given)[name], _answers(true)[name]) for given, true, name in pairs]
    both = [(a, b) for a, b in answers if a is not None and b is not None]
    true = [true.rewards[name] for _, true, name in pairs]
    return {
        "true_reward": _mean([x for x in true if x is not None]),
        "agreement": _mean([float(a == b) for a, b in both]),
        "concordance": _mean(
            [c for one in scored if one.audit for c in _concordance(one.reward, one.audit)]
        ),
    }


def _answers(reward: GroupReward) -> dict[str, int | None]:
    return {one.trajectory_id: one.answer for one in reward.verdict.verdicts}


def _concordance(given: GroupReward, true: GroupReward) -> list[float]:
    known = [
        (ours, theirs)
        for name, ours in given.rewards.items()
        if ours is not None and (theirs := true.rewards[name]) is not None
    ]
    found = []
    for (a, x), (b, y) in itertools.combinations(known, 2):
        if abs(x - y) >= TIE:
            found.append(0.5 if abs(a - b) < TIE else float((a > b) == (x > y)))
    return found


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 5) if values else None
