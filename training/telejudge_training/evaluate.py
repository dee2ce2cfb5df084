"""A model and tasks in, judged groups out; summary.py makes figures of them.

judged = evaluate(roller, judge, world.tasks("test"), EvaluationSettings(), seed=0, phase="after")
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.task import Task
from telejudge_judges.protocol import Judge
from telejudge_training.group_reward import reward_group
from telejudge_training.grouping import Played, Scored, judged_group, play_groups
from telejudge_training.settings import EvaluationSettings
from telejudge_training.tiny.rollout import Roller


def evaluate(
    roller: Roller,
    judge: Judge,
    tasks: Sequence[Task],
    settings: EvaluationSettings,
    *,
    seed: int,
    phase: str,
    temperature: float | None = None,
) -> list[JudgedGroup]:
    """Roll every task out `settings.rollouts` times and judge the groups; order as in `tasks`."""
    warmth = settings.temperature if temperature is None else temperature
    size = settings.rollouts if warmth > 0 else 1
    at_once = max(1, settings.batch // size)
    dice = random.Random(f"evaluate|{seed}|{phase}|{warmth}")
    judged: list[JudgedGroup] = []
    for i in range(0, len(tasks), at_once):
        played = play_groups(
            roller,
            tasks[i : i + at_once],
            size,
            temperature=warmth,
            seed=dice.getrandbits(40),
            label=f"{phase}/{i}/",
        )
        judged += asyncio.run(_judge(judge, played, phase))
    return judged


async def _judge(judge: Judge, played: Sequence[Played], phase: str) -> list[JudgedGroup]:
    rewards = await asyncio.gather(*(reward_group(judge, p.group) for p in played))
    return [
        judged_group(Scored(p, reward), phase=phase).model_copy(update={"advantages": {}})
        for p, reward in zip(played, rewards, strict=True)
    ]
