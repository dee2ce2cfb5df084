"""How often a ticket's words find a similar case: the rubric judge's search, with its own index.

    python benchmarks/rubric_search.py

Every wording of base-station tickets, of all splits, is looked up once among the cases that ship
with telejudge, which were written with these wordings known. Chance is what cases drawn blindly
would get. Needs the extra `rubric` and the model that it embeds with, and no network.
"""

from __future__ import annotations

import asyncio
from statistics import fmean

from telejudge_envs.base_station.names import SPLITS
from telejudge_envs.nouns.task import Task
from telejudge_envs.registry import open_world
from telejudge_judges.rubric.embed import MiniLM
from telejudge_judges.rubric.index import RubricIndex
from telejudge_judges.rubric.items import starter_sets
from telejudge_judges.rubric.retrieve import retrieve

ITEMS = 12
CASES_OF = {
    "outage": {"bs-case-outage", "bs-case-many-sites"},
    "sector_outage": {"bs-case-sector", "bs-case-sleeping"},
    "slow": {"bs-case-slow"},
    "mobility": {"bs-case-mobility"},
    "coverage": {"bs-case-coverage"},
    "noise": {"bs-case-noise"},
    "alarm": {"bs-case-routine", "bs-case-power"},
}
"""The cases that a symptom should find."""


async def main() -> None:
    index = await RubricIndex.build(starter_sets(), MiniLM())
    first, any_, chance = [], [], []
    cases = index.rubrics.of_world("base-station").cases
    for task in wordings():
        right = CASES_OF[task.hidden["spec"].get("symptom", "alarm")]
        found = [case.id for case in (await retrieve(index, task.view, ITEMS)).cases]
        first.append(found[:1] != [] and found[0] in right)
        any_.append(bool(right.intersection(found)))
        chance.append(1 - (1 - len(right) / len(cases)) ** len(found))
    print(f"{len(first)} wordings, {len(cases)} cases")
    print(f"the first case found has the right symptom: {sum(first)}")
    print(f"one of those found has it: {sum(any_)} (by chance {fmean(chance):.0%})")


def wordings() -> list[Task]:
    """One task for each complaint."""
    world, known = open_world("base-station"), dict[str, Task]()
    for split in SPLITS:
        for task in world.tasks(split):
            known.setdefault(task.view.ticket.splitlines()[4], task)
    return list(known.values())


if __name__ == "__main__":
    asyncio.run(main())
