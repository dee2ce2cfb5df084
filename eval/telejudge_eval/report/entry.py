"""A trajectory together with what is known about it.

In: a judged group. Out: its trajectories, each with its verdict and its outcome, found by id.

    [entry.solved for entry in entries(judged)]    # [True, None, False]
"""

from __future__ import annotations

from dataclasses import dataclass

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.trajectory import Outcome, Trajectory
from telejudge_envs.nouns.verdict import Verdict


@dataclass(frozen=True)
class Entry:
    """One trajectory with what is known about it."""

    trajectory: Trajectory
    verdict: Verdict | None
    outcome: Outcome | None

    @property
    def scored(self) -> Verdict | None:
        verdict = self.verdict
        return verdict if verdict is not None and verdict.abstained is None else None

    @property
    def foreign_failure(self) -> bool:
        """Did someone else than the agent fail?"""
        failure = self.trajectory.failure
        return bool(self.outcome and self.outcome.faults) or (
            failure is not None and failure.owner != "agent"
        )

    @property
    def solved(self) -> bool | None:
        """By the world's own evaluator; None when unknown or not the agent's fault."""
        if self.outcome is None or self.foreign_failure:
            return None
        return self.outcome.world_reward >= 1.0

    @property
    def calls(self) -> int:
        """Calls that the agent made."""
        return sum(len(m.tool_calls) for m in self.trajectory.messages if m.role == "assistant")


def entries(judged: JudgedGroup) -> list[Entry]:
    """The group's trajectories in their order."""
    verdicts = {verdict.trajectory_id: verdict for verdict in judged.verdict.verdicts}
    return [
        Entry(t, verdicts.get(t.id), judged.outcomes.get(t.id)) for t in judged.group.trajectories
    ]
