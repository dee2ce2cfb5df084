"""Rollouts of agents in; judged groups of each agent by the verifier out.

    judged_by_verifier(rollouts)["gpt-4.1, dual"]

What is measured of them is in agent_eval/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from telejudge_envs.groups import groups_of, latest
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier

OnRollout = Callable[[int, int], None]
"""Hears how many are judged, of how many."""


def judged_by_verifier(
    rollouts: Sequence[Rollout], on_rollout: OnRollout = lambda done, total: None
) -> dict[str, list[JudgedGroup]]:
    """Judged groups by agent and mode (`gpt-4.1, dual`), so that no group mixes agents."""
    verifier, done = Verifier(open_world), 0
    records = latest(rollouts)
    on_rollout(done, len(records))
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
            done += len(group.trajectories)
            on_rollout(done, len(records))
    return judged


def _name(rollout: Rollout) -> str:
    return f"{rollout.trajectory.agent}, {rollout.trajectory.mode}"
