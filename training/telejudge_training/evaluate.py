"""A model and tasks in, judged groups out; summary.py makes figures of them.

judged = evaluate(crew, world.tasks("test"), EvaluationSettings(), seed=0, phase="after")
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.task import Task
from telejudge_training.crew import Crew
from telejudge_training.grouping import Round, judged_group, play_and_judge
from telejudge_training.settings import EvaluationSettings, RolloutSettings


def evaluate(
    crew: Crew,
    tasks: Sequence[Task],
    settings: EvaluationSettings,
    *,
    seed: int,
    phase: str,
    bounds: RolloutSettings | None = None,
    temperature: float | None = None,
) -> list[JudgedGroup]:
    """Roll every task out `settings.rollouts` times (once if greedy) and judge the groups; order as
    in `tasks`. The model is the one that the crew was last given; where the crew has an auditor,
    the verdicts are the auditor's."""
    warmth = settings.temperature if temperature is None else temperature
    size = settings.rollouts if warmth > 0 else 1
    at_once = max(1, settings.batch // size)
    dice = random.Random(f"evaluate|{seed}|{phase}|{warmth}")
    judged: list[JudgedGroup] = []
    for i in range(0, len(tasks), at_once):
        how = Round(
            size=size,
            temperature=warmth,
            seed=dice.getrandbits(40),
            label=f"{phase}/{i}/",
            agent=f"tiny-{phase}",
            bounds=bounds or RolloutSettings(),
        )
        scored = play_and_judge(crew, tasks[i : i + at_once], how)
        judged += [
            judged_group(one, phase=phase, audited=True).model_copy(update={"advantages": {}})
            for one in scored
        ]
    return judged
