"""A judge by its name as the `score` of a seat: one finished rollout in, a verdict out.

    score = score_by("verifier")
    verdict = score(seat.rollout)            # a group of one

An abstention stays one: adapters hand on that there is no score, they never make one up.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from telejudge_envs.groups import groups_of
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.nouns.verdict import Verdict
from telejudge_envs.protocol import World
from telejudge_envs.registry import open_world
from telejudge_judges.protocol import Judge
from telejudge_judges.registry import open_judge
from telejudge_judges.settings import JudgeSettings

NO_SCORE = math.nan
"""The reward where a number must stand and the judge abstained."""


def judge_for(world: World, name: str = "verifier", **settings: Any) -> Judge:
    """The judge, looking at this very world (with its options) and not at a fresh one.

    `settings` are those of JudgeSettings, such as base_url and model. UsageError for unknown ones.
    """
    asked = JudgeSettings().with_({"judge": name, **settings})
    return open_judge(
        None, asked, open_world=lambda other: world if other == world.name else open_world(other)
    )


def score_by(judge: Judge) -> Callable[[Rollout], Verdict]:
    """Ask the judge about single rollouts, from ordinary code and from inside an event loop."""

    def score(rollout: Rollout) -> Verdict:
        (group,) = groups_of([rollout])
        verdict = _waited_for(lambda: asyncio.run(judge.judge(group)))
        (only,) = verdict.verdicts
        return only

    return score


def reward_of(verdict: Verdict | None) -> float:
    """Its reward, or not-a-number where the judge abstained."""
    return NO_SCORE if verdict is None or verdict.reward is None else verdict.reward


def _waited_for(work: Callable[[], Any]) -> Any:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()
