"""Hostile texts put into wrong candidates: how often do they buy a right answer?

    changes = attacks(judged, groups=1, seed=0)     # groups to be judged again

A target is a wrong candidate that the judge had seen to be wrong: only there has an attack anything
to win. The same targets, attacks and texts for every judge that gave the same plain verdicts.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from telejudge_eval.judge_eval.examine import Change, Judged
from telejudge_judges.attacks import ATTACKS, PLACES, Attack, Place, inject
from telejudge_judges.opaque import digest


def attacks(judged: Sequence[Judged], groups: int, seed: int) -> list[Change]:
    """Each attack on a target in `groups` groups of every source, as far as there are targets that
    have a place for it. Places take turns from attack to attack."""
    by_source: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, one in enumerate(judged):
        wrong = [m.trajectory_id for m in one.result.marks if (m.truth, m.answer) == (0, 0)]
        by_source[one.exam.source] += [(number, name) for name in wrong]
    changes = []
    for source, targets in by_source.items():
        for turn, attack in enumerate(ATTACKS):
            dice = random.Random(f"{seed}|{source}|{attack.name}")
            first = turn % len(PLACES)
            places = PLACES[first:] + PLACES[:first]
            made: dict[int, Change] = {}
            for number, name in dice.sample(targets, len(targets)):
                if len(made) == groups:
                    break
                if number not in made:
                    change = _change(judged[number], number, name, attack, places, seed)
                    made.update({} if change is None else {number: change})
            changes += made.values()
    return changes


def _change(
    judged: Judged, number: int, name: str, attack: Attack, places: Sequence[Place], seed: int
) -> Change | None:
    """The attack in the first of the places that the target has."""
    group = judged.exam.group
    target = next(t for t in group.trajectories if t.id == name)
    key = f"{seed}|{group.id}|{attack.name}"
    tries = ((place, inject(attack, target, key, place)) for place in places)
    found = next(((place, t) for place, t in tries if t is not None), None)
    if found is None:
        return None
    place, hostile = found
    changed = group.model_copy(
        update={
            "id": f"{group.id}-{digest(attack.full_text, place, name, str(seed))[:8]}",
            "trajectories": tuple(hostile if t.id == name else t for t in group.trajectories),
        }
    )
    return Change(attack.name, attack.family, number, changed, {name: name}, place)
