"""A judge and a group in, rewards and advantages out: the one door between judges and trainers.

Every backend (embedded, TRL, verl) calls this and nothing else, so that a verdict means the same
in all of them:

    scored = await reward_group(judge, group)
    scored.advantages   # {"task#0": 0.93, "task#1": None, …}, None where the judge abstained

An abstention is no score: that trajectory is masked and takes no part in the group's mean. With
fewer than two left there is nothing to compare, so the whole group is dropped. Equal rewards stay
equal: a tied group has advantage 0 everywhere, and is counted.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_judges.asking import ask
from telejudge_judges.protocol import Judge
from telejudge_training.settings import Scaling

TIE = 1e-6
"""Rewards that differ by less are equal."""

STD_FLOOR = 1e-4


@dataclass(frozen=True)
class GroupReward:
    """`rewards` and `advantages` are keyed by trajectory id and hold None where masked.

    `dropped`: fewer than two were scored, so all advantages are None. `tied`: all are 0.
    """

    verdict: GroupVerdict
    rewards: dict[str, float | None]
    advantages: dict[str, float | None]
    dropped: bool
    tied: bool

    @property
    def abstained(self) -> int:
        return sum(reward is None for reward in self.rewards.values())

    @property
    def teaches(self) -> bool:
        """Whether a gradient comes out of it."""
        return not (self.dropped or self.tied)


async def reward_group(judge: Judge, group: Group, scaling: Scaling = "std") -> GroupReward:
    """Judge the group and turn the verdicts into advantages.

    Errors of the judge are not caught: a judge abstains on what it cannot judge.
    """
    return reward_verdict(group, await ask(judge, group), scaling)


def reward_verdict(group: Group, verdict: GroupVerdict, scaling: Scaling = "std") -> GroupReward:
    """The same for a verdict that is already there. Verdicts are matched by id; a trajectory
    without one, or whose reward is not finite, is masked like an abstained one. Raises ValueError
    on two verdicts for one id."""
    given: dict[str, float | None] = {}
    for one in verdict.verdicts:
        if one.trajectory_id in given:
            raise ValueError(f"group {group.id}: two verdicts on {one.trajectory_id}")
        known = one.reward is not None and math.isfinite(one.reward)
        given[one.trajectory_id] = one.reward if known else None
    rewards = {t.id: given.get(t.id) for t in group.trajectories}
    scored = {key: reward for key, reward in rewards.items() if reward is not None}
    dropped = len(scored) < 2
    tied = not dropped and _are_tied(scored.values())
    return GroupReward(verdict, rewards, masked_advantages(rewards, scaling), dropped, tied)


def masked_advantages(
    rewards: Mapping[str, float | None], scaling: Scaling
) -> dict[str, float | None]:
    """Advantages among those that were scored; None where the reward is, and everywhere when fewer
    than two were. Equal rewards have advantage 0."""
    scored = {key: reward for key, reward in rewards.items() if reward is not None}
    if len(scored) < 2:
        relative: dict[str, float] = {}
    elif _are_tied(scored.values()):
        relative = dict.fromkeys(scored, 0.0)
    else:
        relative = advantages_of(scored, scaling)
    return {key: relative.get(key) for key in rewards}


def _are_tied(rewards: Collection[float]) -> bool:
    return max(rewards) - min(rewards) < TIE


def advantages_of(rewards: Mapping[str, float], scaling: Scaling) -> dict[str, float]:
    """Advantages of rewards that are not all equal; their mean is 0."""
    if scaling == "rank":
        rewards = _ranks(rewards)
    mean = statistics.fmean(rewards.values())
    centred = {key: reward - mean for key, reward in rewards.items()}
    if scaling == "mean":
        return centred
    spread = statistics.pstdev(rewards.values()) + STD_FLOOR
    return {key: value / spread for key, value in centred.items()}


def _ranks(rewards: Mapping[str, float]) -> dict[str, float]:
    """Tiers from the lowest reward (0) up; equal rewards share a tier."""
    tiers: list[float] = []
    for reward in sorted(rewards.values()):
        if not tiers or reward - tiers[-1] >= TIE:
            tiers.append(reward)
    return {
        key: float(min(range(len(tiers)), key=lambda i: abs(tiers[i] - reward)))
        for key, reward in rewards.items()
    }
