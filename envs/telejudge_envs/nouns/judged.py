"""A group with everything that was said about it: what reports show and trainers log."""

from __future__ import annotations

from pydantic import Field

from telejudge_envs.nouns.base import Noun
from telejudge_envs.nouns.trajectory import Group, Outcome
from telejudge_envs.nouns.verdict import Defect, GroupVerdict


class JudgedGroup(Noun):
    """A group, its verdict, the world's truth and the advantages training used (by trajectory id).

    `advantages` has None for abstained trajectories and is empty outside training; `phase` is
    where the group came from, such as `before`, `train` or `after`; `step` the training step.
    `true_defects` are those known to be there, by trajectory id: an empty tuple is a trajectory
    known to be clean, an absent id one of which nothing is known.
    """

    phase: str
    step: int | None = None
    group: Group
    verdict: GroupVerdict
    outcomes: dict[str, Outcome] = Field(default_factory=dict)
    advantages: dict[str, float | None] = Field(default_factory=dict)
    true_defects: dict[str, tuple[Defect, ...]] = Field(default_factory=dict)
