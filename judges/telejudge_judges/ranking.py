"""Verdicts in, tiers of trajectory ids out, best first; ties are ties."""

from __future__ import annotations

from telejudge_envs.nouns.verdict import Verdict


def tiers(verdicts: tuple[Verdict, ...]) -> tuple[tuple[str, ...], ...]:
    """Trajectory ids in tiers of equal reward, best first, without the abstained."""
    by_reward: dict[float, list[str]] = {}
    for verdict in verdicts:
        if verdict.reward is not None:
            by_reward.setdefault(round(verdict.reward, 12), []).append(verdict.trajectory_id)
    return tuple(tuple(by_reward[reward]) for reward in sorted(by_reward, reverse=True))
