"""Round after round: the judge spars, and goes on learning from what came of it.

    sparred(parts, train, dev, recipe, run_dir, seed=0, key=key)     # `parts` learn

The groups of all rounds so far are dealt beside the scripted ones, so that nothing is unlearned.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from telejudge_judges.embedded.folder import Parts, save
from telejudge_training.embedded_judge.checking import checked
from telejudge_training.embedded_judge.learning import Learner
from telejudge_training.embedded_judge.pools import LabelledPool, pools_of
from telejudge_training.embedded_judge.settings import (
    EmbeddedJudgeRecipe,
    LearningSettings,
    SparringSettings,
)
from telejudge_training.embedded_judge.sparring import spar
from telejudge_training.events import OnEvent

WARMUP = 30
"""Updates of a round until its learning rate is reached."""

GROUP = 8
"""Candidates that count as a group."""


def sparred(
    parts: Parts,
    train: Sequence[LabelledPool],
    dev: Sequence[LabelledPool],
    recipe: EmbeddedJudgeRecipe,
    run_dir: Path,
    *,
    seed: int,
    key: str,
    on_line: Any = lambda step, steps, line: None,
    on_event: OnEvent = lambda event: None,
) -> None:
    settings, harvest = recipe.sparring, []
    for number in range(settings.rounds):
        before = run_dir / f"judge-{number}"
        save(parts, before)
        for world in settings.worlds:
            folder = run_dir / "sparring" / f"{world}-{number}"
            rows = spar(before, world, settings, folder, seed=seed, number=number, emit=on_event)
            pools = pools_of(rows, "train", recipe.shape.steps)
            harvest += by_groups(pools) if settings.even == "groups" else pools
        Learner(
            parts,
            mixed(train, harvest, settings.share),
            _learning(recipe.learning, settings),
            seed=seed + 1 + number,
            folder=run_dir / f"train-{number + 1}",
            key=f"{key}-{number + 1}",
            checked=lambda now: checked(now, dev),
            on_line=on_line,
        ).learn()


def mixed(
    scripted: Sequence[LabelledPool], harvest: Sequence[LabelledPool], share: float
) -> list[LabelledPool]:
    """All pools, those of one side over and over until `share` are of the harvest."""
    wanted = len(scripted) * share / (1 - share)
    if not harvest:
        return list(scripted)
    if wanted >= len(harvest):
        return [*scripted, *_repeated(harvest, round(wanted))]
    return [*_repeated(scripted, round(len(harvest) * (1 - share) / share)), *harvest]


def _repeated(pools: Sequence[LabelledPool], count: int) -> list[LabelledPool]:
    return [pools[n % len(pools)] for n in range(count)]


def by_groups(pools: Sequence[LabelledPool]) -> list[LabelledPool]:
    """A pool as often as it would fill groups."""
    return [pool for pool in pools for _ in range(-(-len(pool.members) // GROUP))]


def _learning(learning: LearningSettings, settings: SparringSettings) -> LearningSettings:
    noise = learning.noise if settings.noise is None else settings.noise
    return learning.model_copy(
        update={
            "noise": noise,
            "strewn": settings.strewn or learning.strewn,
            "steps": settings.updates,
            "learning_rate": settings.learning_rate,
            "warmup": WARMUP,
            "alone": 0.0,
            "floor": 0.03,
        }
    )
