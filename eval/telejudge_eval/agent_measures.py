"""Rollouts of agents in; judged groups of each agent by the verifier out.

    judged_by_verifier(rollouts)["gpt-4.1, dual"]

What is measured of them is in agent_eval/.
"""

from __future__ import annotations

from collections.abc import Sequence

from telejudge_envs.groups import groups_of, latest
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier


def judged_by_verifier(rollouts: Sequence[Rollout]) -> dict[str, list[JudgedGroup]]:
    """Judged groups by agent and mode (`gpt-4.1, dual`), so that no group mixes agents."""
    verifier = Verifier(open_world)
    records = latest(rollouts)
    judged: dict[str, list[JudgedGroup]] = {}
    for name in sorted({_name(r) for r in records.values()}):
        judged[name] = []
        for group in groups_of(r for r in records.values() if _name(r) == name):
            verdict = verifier.judge_now(group)
            truths = {t.id: records[t.id].outcome for t in group.trajectories}
            outcomes = {key: truth for key, truth in truths.items() if truth is not None}
            judged[name].append(
                JudgedGroup(phase=name, group=group, verdict=verdict, outcomes=outcomes)
            )
    return judged


def _name(rollout: Rollout) -> str:
    return f"{rollout.trajectory.agent}, {rollout.trajectory.mode}"
