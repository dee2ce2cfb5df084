"""Places in a group, and what those who sat there earned: the records of barrier.py."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_training.group_reward import GroupReward

LATE = "late"


@dataclass(frozen=True)
class Place:
    """Which member of which group: `session` counts from 0 to `size` - 1."""

    uid: str
    session: int
    size: int
    label: str = ""
    """Comes before the group's id in records: split and step."""

    def __post_init__(self) -> None:
        if not 0 <= self.session < self.size:
            raise UsageError(
                f"session {self.session} of a group of {self.size}: the column extra_info.split "
                "says whether rollout.n or rollout.val_kwargs.n holds, and must say it right"
            )


@dataclass(frozen=True)
class Share:
    """What one member gets. `masked` says why it has no reward; None when it has one.

    `neutral` is the mean of the rewards of those that were scored: in its place, a number that
    says nothing. It is None when nobody was scored.
    """

    reward: float | None
    masked: str | None
    neutral: float | None
    judged: JudgedTogether | None


@dataclass(frozen=True)
class JudgedTogether:
    """A group that has been judged, with the rollouts that its verdict is about."""

    place: Place
    group: Group
    rollouts: dict[int, Rollout]
    reward: GroupReward | None
    trouble: str | None
    """Why there is no verdict."""
    missing: tuple[int, ...]
    """Sessions that did not come, or came late."""
    waited_s: float
    """From the first arrival to the last."""
    judged_s: float


def share_of(judged: JudgedTogether, session: int, rollout: Rollout) -> Share:
    """What the member that sat at `session` gets of its group's verdict."""
    if judged.reward is None:
        return Share(None, judged.trouble, None, judged)
    rewards = [reward for reward in judged.reward.rewards.values() if reward is not None]
    neutral = statistics.fmean(rewards) if rewards else None
    if session not in judged.rollouts:
        return Share(None, LATE, neutral, judged)
    reward = judged.reward.rewards[rollout.trajectory.id]
    if reward is not None:
        return Share(reward, None, neutral, judged)
    return Share(None, _cause(judged.reward, rollout.trajectory.id), neutral, judged)


def _cause(reward: GroupReward, trajectory_id: str) -> str:
    for verdict in reward.verdict.verdicts:
        if verdict.trajectory_id == trajectory_id:
            return verdict.abstained or f"judge gave reward {verdict.reward}"
    return "judge said nothing of it"
