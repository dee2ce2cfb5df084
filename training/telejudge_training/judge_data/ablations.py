"""Poorer data on purpose, to show what the full data is good for.

one_against_one(row, seed=0)     # a group of one right and one wrong candidate, or None
"""

from __future__ import annotations

import random

from telejudge_judges.opaque import digest
from telejudge_training.judge_data.rows import GroupRow


def one_against_one(row: GroupRow, seed: int = 0) -> GroupRow | None:
    """One right and one wrong candidate of the group; None when it has not both. The reports'
    ablation: does a judge gain from several negatives, and from groups with no winner or many?"""
    dice = random.Random(f"{seed}|one against one|{row.id}")
    right = sorted(name for name, truth in row.truths.items() if truth.answer)
    wrong = sorted(name for name, truth in row.truths.items() if not truth.answer)
    if not right or not wrong:
        return None
    kept = {dice.choice(right), dice.choice(wrong)}
    trajectories = tuple(t for t in row.group.trajectories if t.id in kept)
    name = "g" + digest("one against one", *(t.id for t in trajectories))[:12]
    return row.model_copy(
        update={
            "id": name,
            "form": "one_against_one",
            "group": row.group.model_copy(update={"id": name, "trajectories": trajectories}),
            "truths": {t.id: row.truths[t.id] for t in trajectories},
        }
    )
