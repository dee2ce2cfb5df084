"""Trajectories of known truth, judged with a group to see how far its judge can be believed.

    def anchors(group):      # the caller's: gold and a corrupted copy of it, for instance
        return [Anchor(gold, answer=1, tools=1.0), Anchor(corrupted, answer=0, tools=0.4)]

    ListwiseJudge(…, anchors=anchors)

An anchor looks like any other candidate: an opaque id, a shuffled place, no word of what it is. It
gets no verdict of its own. When it is missed, every verdict on the group keeps its scores, but its
confidence falls to `LOW` at most, and a note says what was missed. An anchor is missed when its
answer is not the true one, when nobody judged it, or when its `tools` stands on the wrong side of
another anchor's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Literal

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import Verdict
from telejudge_judges.aggregate import Votes
from telejudge_judges.excuse import excuse

LOW = 0.25
"""The confidence that a verdict has at most when an anchor of its group was missed."""

APART = 0.05
"""True `tools` that differ by more must be told apart."""

_PREFIX = "\0anchor "


@dataclass(frozen=True)
class Anchor:
    """A trajectory on the group's own task with what is true of it; `tools` when that is known."""

    trajectory: Trajectory
    answer: Literal[0, 1]
    tools: float | None = None


Anchors = Callable[[Group], Sequence[Anchor]]
"""The anchors of a group; none is as good an answer as any. A source with a `fingerprint` of what
it can give makes that part of a judge's version."""


def placed(anchors: Sequence[Anchor], group: Group) -> dict[str, Anchor]:
    """Anchors by the ids that they have among the group's trajectories.

    Raises UsageError when one is of another task, or a record that nobody could score.
    """
    for anchor in anchors:
        one = anchor.trajectory
        if (one.world, one.task_id) != (group.task.world, group.task.id):
            raise UsageError(
                f"anchor {one.id} is of task {one.task_id} of {one.world}, the group "
                f"{group.id} of {group.task.id} of {group.task.world}"
            )
        if cause := excuse(one):
            raise UsageError(f"anchor {one.id} cannot be scored ({cause}); give another one")
    return {f"{_PREFIX}{number}": anchor for number, anchor in enumerate(anchors)}


def trajectories(anchors: Mapping[str, Anchor]) -> list[Trajectory]:
    """The anchors' trajectories under those ids."""
    return [a.trajectory.model_copy(update={"id": name}) for name, a in anchors.items()]


def missed(anchors: Mapping[str, Anchor], votes: Mapping[str, Votes]) -> list[str]:
    """What the judge got wrong about the anchors, in words; empty when nothing."""
    said = []
    for name, anchor in anchors.items():
        kind = "right" if anchor.answer else "wrong"
        answer = votes[name].answer if name in votes else None
        if answer is None:
            said.append(f"an anchor that is {kind} was not judged")
        elif answer != anchor.answer:
            said.append(f"an anchor that is {kind} was judged {'right' if answer else 'wrong'}")
    known = [(name, a.tools) for name, a in anchors.items() if a.tools is not None]
    for (one, its), (other, others) in combinations(known, 2):
        better, worse = (one, other) if its > others else (other, one)
        if abs(its - others) > APART and not _tools(votes, better) > _tools(votes, worse):
            said.append("the anchor with the better calls was not seen to have them")
    return said


def doubted(verdict: Verdict) -> Verdict:
    """The verdict with the confidence of a group whose anchors were missed."""
    if verdict.confidence is None:
        return verdict
    return verdict.model_copy(update={"confidence": min(verdict.confidence, LOW)})


def _tools(votes: Mapping[str, Votes], name: str) -> float:
    entries = votes[name].entries if name in votes else []
    return fmean(entry.tools for entry in entries) if entries else 0.0
