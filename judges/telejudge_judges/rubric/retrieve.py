"""The rubric items for a ticket, from both indexes.

    chosen = await retrieve(index, group.task, count=12)
    chosen.items            # core items of the world first, then the nearest others
    chosen.cases            # the tickets that were found similar, for the generator

A ticket is looked up line by line, so that names and boilerplate do not drown the complaint; a
line's cosine counts only where it is the best of all lines. Each index gives a ranking of items
(those of a similar case stand where their case stands), and the two are taken in turns: their
cosines have no common scale, and each index finds what the other cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import zip_longest

from telejudge_envs.nouns.task import TaskView
from telejudge_judges.rubric.index import RubricIndex
from telejudge_judges.rubric.items import RubricCase, RubricItem

CASES = 3
"""Similar tickets whose items are taken, at most."""
ALIKE = 0.2
"""Cosine from which a ticket is similar; unrelated sentences lie below it with MiniLM."""
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
    similar = index.nearest_cases(vectors, task.world, CASES)
    cases = [case for case, cosine in similar if cosine >= ALIKE]
    from_cases = [name for case in cases for name in case.items]
    from_items = [item.id for item, _ in index.nearest_items(vectors, task.world, len(known.items))]
    by_id = {item.id: item for item in known.items if not item.core and not drops(item)}
    best = [
        by_id[name]
        for name in in_turns(
            [name for name in from_cases if name in by_id],
            [name for name in from_items if name in by_id],
        )
    ]
    return Retrieved(items=(*core, *best[:count]), cases=tuple(cases))


def lines_of(ticket: str) -> list[str]:
    """The sentences of a ticket; the whole of one that has none."""
    parts = [part.strip() for part in _SENTENCE.split(ticket)]
    return [part for part in parts if part][:LONGEST_LINES] or [ticket]


def in_turns(one: Iterable[str], other: Iterable[str]) -> list[str]:
    """The first of one, the first of the other, the second of one, …, each id once."""
    pairs = zip_longest(one, other)
    return list(dict.fromkeys(name for pair in pairs for name in pair if name is not None))
