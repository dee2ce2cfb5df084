"""Two judges on the same groups: differences with intervals and paired tests.

    for line in compare(first, second):
        line.metric, line.difference.value, line.difference.p

Groups that only one of the two judged are left out, and counted. Many lines are many tests: one p
of 0.04 among forty is what chance gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telejudge_envs.errors import DataError
from telejudge_eval.judge_eval.measure import SAMPLES, of_source, sources
from telejudge_eval.judge_eval.metrics import metrics
from telejudge_eval.judge_eval.records import GroupResult, Result
from telejudge_eval.judge_eval.resample import Difference, mcnemar, paired, point


@dataclass(frozen=True)
class Line:
    """One metric; the difference is the second judge's value minus the first's."""

    source: str
    metric: str
    title: str
    groups: int
    first: float
    second: float
    difference: Difference


@dataclass(frozen=True)
class Discordant:
    """Groups that only one of the two got wholly right, with the exact p of McNemar's test."""

    source: str
    groups: int
    only_first: int
    only_second: int
    p: float


@dataclass(frozen=True)
class Comparison:
    lines: tuple[Line, ...]
    whole_groups: tuple[Discordant, ...]
    left_out: int
    """Groups that only one of the two judged."""


def compare(first: Result, second: Result, *, samples: int = SAMPLES, seed: int = 0) -> Comparison:
    """Every metric that both have. Raises DataError when the two do not share a group, or do not
    agree about what is true."""
    pairs = _pairs(first, second)
    left = [a for a, _ in pairs]
    lines: list[Line] = []
    whole: list[Discordant] = []
    for source in sources(left):
        own = [(a, b) for a, b in pairs if a in of_source([a], source)]
        ours, theirs = [a for a, _ in own], [b for _, b in own]
        lines += _lines(source, ours, theirs, samples, seed)
        whole.append(_whole(source, ours, theirs))
    alone = len(first.groups) + len(second.groups) - 2 * len(pairs)
    return Comparison(tuple(lines), tuple(whole), alone)


def _pairs(first: Result, second: Result) -> list[tuple[GroupResult, GroupResult]]:
    others = {group.group_id: group for group in second.groups}
    pairs = [(g, others[g.group_id]) for g in first.groups if g.group_id in others]
    if not pairs:
        raise DataError("the two results share no group; judge the same files with the same --seed")
    for a, b in pairs:
        if _truth(a) != _truth(b):
            raise DataError(
                f"group {a.group_id}: the two results differ in what is true; evaluate both "
                "judges again with this version"
            )
    return pairs


def _truth(result: GroupResult) -> dict[str, tuple[object, ...]]:
    return {m.trajectory_id: (m.truth, m.true_reward, m.true_spots) for m in result.marks}


def _lines(
    source: str,
    ours: Sequence[GroupResult],
    theirs: Sequence[GroupResult],
    samples: int,
    seed: int,
) -> list[Line]:
    lines = []
    for metric in metrics([*ours, *theirs]):
        a, b = metric.table(ours), metric.table(theirs)
        before, after = point(a, metric.combine), point(b, metric.combine)
        if before is not None and after is not None:
            difference = paired(a, b, metric.combine, samples=samples, seed=seed)
            lines.append(
                Line(source, metric.name, metric.title, len(ours), before, after, difference)
            )
    return lines


def _whole(source: str, ours: Sequence[GroupResult], theirs: Sequence[GroupResult]) -> Discordant:
    right = [
        tuple(all(m.answer == m.truth for m in result.marks) for result in pair)
        for pair in zip(ours, theirs, strict=True)
    ]
    only_first, only_second = right.count((True, False)), right.count((False, True))
    return Discordant(source, len(right), only_first, only_second, mcnemar(only_first, only_second))
