"""Pools in, a judge out that has learned one objective: begun, updated, fitted.

    parts = taught(recipe, train, dev, run / "train", seed=0, key=key)

Killed and called again, it goes on from its last checkpoint. The caller sets torch's threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from telejudge_judges.embedded.folder import Parts, load
from telejudge_judges.embedded.spec import EmbeddedSpec
from telejudge_training.embedded_judge.checking import checked
from telejudge_training.embedded_judge.learning import Learner, OnLine
from telejudge_training.embedded_judge.objective import Work
from telejudge_training.embedded_judge.objectives import begun, objective_of
from telejudge_training.embedded_judge.pools import LabelledPool
from telejudge_training.embedded_judge.settings import EmbeddedJudgeRecipe


def taught(
    recipe: EmbeddedJudgeRecipe,
    train: Sequence[LabelledPool],
    dev: Sequence[LabelledPool],
    folder: Path,
    *,
    seed: int,
    key: str,
    start: Path | None = None,
    languages: tuple[EmbeddedSpec, Tokenizer] | None = None,
    on_line: OnLine = lambda step, steps, line: None,
) -> Parts:
    """`folder` gets metrics and checkpoints; `start` and `languages` are those of `begun`, which
    says what is raised."""
    begin = None if start is None else load(start)
    parts = begun(recipe, train, seed, begin, languages)
    objective = objective_of(Work(parts, train, recipe.learning, seed, begin))
    learner = Learner(
        parts,
        train,
        recipe.learning,
        seed=seed,
        folder=folder,
        key=key,
        checked=lambda now: checked(objective.fitted(now, dev), dev),
        on_line=on_line,
        loss=objective.loss,
    )
    learner.learn()
    return objective.fitted(parts, dev)
