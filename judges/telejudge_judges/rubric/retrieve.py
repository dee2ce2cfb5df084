"""The rubric items for a ticket, from both indexes.

    chosen = await retrieve(index, group.task, count=12)
    chosen.items            # core items of the world first, then the nearest others
    chosen.cases            # the tickets that were found similar, for the generator

A ticket is looked up line by line, so that names and boilerplate do not drown the complaint; a
line's cosine counts only where it is the best of all lines. Each index gives a ranking of items
(an item of a case stands where its case stands); the two are merged by reciprocal ranks, which
needs no common scale: 1/(60 + rank), summed (Cormack, Clarke and Büttcher, SIGIR 2009).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from telejudge_envs.nouns.task import TaskView
from telejudge_judges.rubric.index import RubricIndex
from telejudge_judges.rubric.items import RubricCase, RubricItem

SMOOTHING = 60
"""Of the reciprocal ranks: the constant of the paper."""
CASES = 3
"""Similar tickets whose items are taken."""
LONGEST_LINES = 40
"""Lines of a ticket that are looked up."""

_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+|(?<=[。！？])")


@dataclass(frozen=True)
class Retrieved:
    """What was found for a ticket. `items` are distinct, core items first."""

    items: tuple[RubricItem, ...]
    cases: tuple[RubricCase, ...]


async def retrieve(
    index: RubricIndex,
    task: TaskView,
    count: int,
    drops: Callable[[RubricItem], bool] = lambda _: False,
) -> Retrieved:
    """Core items of the task's world and the `count` others that fit its ticket best.

    `drops` says which items are not to be used; the next best take their places. Raises
    EndpointError when the embedder is an endpoint that fails.
    """
    lines = lines_of(task.ticket)
    vectors = await index.embedder.embed(lines)
    known = index.rubrics.of_world(task.world)
    core = [item for item in known.items if item.core and not drops(item)]
    cases = [case for case, _ in index.nearest_cases(vectors, task.world, CASES)]
    from_items = [item.id for item, _ in index.nearest_items(vectors, task.world, len(known.items))]
    from_cases = [dict.fromkeys(case.items) for case in cases]
    by_id = {item.id: item for item in known.items if not item.core and not drops(item)}
    best = [by_id[name] for name in merged((from_items, *from_cases)) if name in by_id]
    return Retrieved(items=(*core, *best[:count]), cases=tuple(cases))


def lines_of(ticket: str) -> list[str]:
    """The sentences of a ticket; the whole of one that has none."""
    parts = [part.strip() for part in _SENTENCE.split(ticket)]
    return [part for part in parts if part][:LONGEST_LINES] or [ticket]


def merged(rankings: Iterable[Iterable[str]]) -> Sequence[str]:
    """Ids by the sum of their reciprocal ranks, best first; ties by id."""
    scores: dict[str, float] = defaultdict(float)
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            scores[name] += 1.0 / (SMOOTHING + rank)
    return sorted(scores, key=lambda name: (-scores[name], name))
