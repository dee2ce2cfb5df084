"""Two agents on the same tasks: differences with intervals and paired permutation tests.

    for line in versus(ours, theirs):
        line.name, line.first, line.second, line.difference.value, line.difference.p

Tasks that only one of them played are left out, and counted. Swapped between the two is a whole
task with all its episodes, because episodes of one task depend on each other; so it takes at least
six tasks for a p below 0.05.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from telejudge_envs.errors import DataError
from telejudge_eval.agent_eval.measures import MEASURES, SAMPLES, by_task, columns, mean_of
from telejudge_eval.agent_eval.records import Episode
from telejudge_eval.judge_eval.resample import Difference, paired, point


class Line(NamedTuple):
    """One measure over the tasks where both have it; `difference` is second minus first."""

    name: str
    title: str
    tasks: int
    first: float
    second: float
    difference: Difference


class Versus(NamedTuple):
    lines: tuple[Line, ...]
    tasks: int
    left_out: int
    """Tasks that only one of the two has scored episodes of."""


def versus(
    first: Sequence[Episode], second: Sequence[Episode], *, samples: int = SAMPLES, seed: int = 0
) -> Versus:
    """Every measure that both have on common tasks. Raises DataError when no task is common."""
    ours, theirs = by_task(first), by_task(second)
    common = [task for task in ours if task in theirs]
    if not common:
        raise DataError(
            "the two agents share no task (world, id, mode, ticket); play the same split in the "
            "same mode with both, and with the same --ticket-fixes"
        )
    lines = []
    for name, measure in MEASURES.items():
        a = columns(name, [ours[task] for task in common])
        b = columns(name, [theirs[task] for task in common])
        both = (a[:, 1] > 0) & (b[:, 1] > 0)
        a, b = a[both], b[both]
        before, after = point(a, mean_of), point(b, mean_of)
        if before is not None and after is not None:
            difference = paired(a, b, mean_of, samples=samples, seed=seed)
            lines.append(Line(name, measure.title, len(a), before, after, difference))
    alone = len(ours) + len(theirs) - 2 * len(common)
    return Versus(tuple(lines), len(common), alone)
