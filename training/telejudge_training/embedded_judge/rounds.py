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
            harvest += pools_of(rows, "train", recipe.shape.steps)
        Learner(
            parts,
            [*train, *repeated(harvest, len(train), settings.share)],
            _learning(recipe.learning, settings),
            seed=seed + 1 + number,
            folder=run_dir / f"train-{number + 1}",
            key=f"{key}-{number + 1}",
            checked=lambda now: checked(now, dev),
            on_line=on_line,
        ).learn()


def repeated(pools: Sequence[LabelledPool], others: int, share: float) -> list[LabelledPool]:
    """The pools over and over until they are `share` of all, beside so many others."""
    wanted = round(others * share / (1 - share))
    return [pools[n % len(pools)] for n in range(wanted)] if pools else []


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
