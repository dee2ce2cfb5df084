"""GroupRows in, pools of labelled candidates of one task out, from which groups are dealt anew.

    pools = pools_of(read_groups(path, GroupRow), split="train")
    deal = pools[0].deal(4, dice)          # four candidates in random order

A group as it was written shows one mixture of a task's candidates; dealing anew from all of them
shows many.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.slots import Kinds
from telejudge_judges.embedded.reading import CaseText, Told, case_of, told
from telejudge_judges.excuse import excuse
from telejudge_training.judge_data.rows import CandidateTruth, GroupRow, Split


@dataclass(frozen=True)
class Labelled:
    trajectory: Trajectory
    truth: CandidateTruth
    _told: dict[tuple[object, ...], Told] = field(default_factory=dict, compare=False, repr=False)

    def told(self, kinds: Kinds) -> Told:
        """What is read of it. Kept: an update after the other reads it, among others each time."""
        key = tuple(kinds)
        if key not in self._told:
            self._told[key] = told(self.trajectory, kinds)
        return self._told[key]

    @property
    def calls(self) -> int:
        return sum(len(message.tool_calls) for message in self.trajectory.messages)


@dataclass(frozen=True)
class LabelledPool:
    view: TaskView
    members: list[Labelled] = field(default_factory=list)

    def deal(self, size: int, dice: random.Random) -> list[Labelled]:
        """`size` different candidates, or all there are."""
        return dice.sample(self.members, min(size, len(self.members)))


def case_from(view: TaskView, dealt: Sequence[Labelled], kinds: Kinds) -> CaseText:
    """What the judge reads of these candidates."""
    return case_of(view.ticket, [one.told(kinds) for one in dealt], kinds)


def pools_of(rows: Iterable[GroupRow], split: Split, most_calls: int) -> list[LabelledPool]:
    """By world, task and mode, in the order of their first rows. Candidates whose defects nobody
    knows, who are not to be scored, or who made more than `most_calls` calls are left out."""
    pools: dict[tuple[str, str, str], LabelledPool] = {}
    for row in rows:
        if row.split != split:
            continue
        view = row.group.task
        pool = pools.setdefault((view.world, view.id, view.mode), LabelledPool(view))
        pool.members.extend(_usable(row.group.trajectories, row.truths, most_calls))
    return [pool for pool in pools.values() if pool.members]


def _usable(
    trajectories: Iterable[Trajectory], truths: Mapping[str, CandidateTruth], most_calls: int
) -> Iterable[Labelled]:
    for trajectory in trajectories:
        truth = truths.get(trajectory.id)
        if truth is None or truth.defects is None or excuse(trajectory) is not None:
            continue
        labelled = Labelled(trajectory, truth)
        if labelled.calls <= most_calls:
            yield labelled
