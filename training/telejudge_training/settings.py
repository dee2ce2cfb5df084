"""Every number of the embedded pipeline, in frozen records. A recipe (recipe.py) is made of them.

    GrpoSettings(steps=20, clip_high=0.28)

Importing this costs pydantic only, so that the command line can show the settings.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from telejudge_envs.errors import UsageError

Scaling = Literal["std", "mean", "rank"]
"""How rewards of a group become advantages: divided by their standard deviation (GRPO), only
centred (Dr. GRPO), or ranks between -1 and 1 (for judges that order better than they score)."""

LossKind = Literal["token_mean", "sequence_mean", "dr_grpo"]
"""What the policy loss is averaged over: all tokens of a step, each trajectory first (GRPO's
paper), or a constant length (Dr. GRPO: long failures are not favoured)."""


class Settings(BaseModel):
    """Frozen, and closed to misspelt names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Recipe(Settings):
    """Settings in sections, from which others are derived. `WHOLE` are fields that hold a dict of
    their own, which a change replaces."""

    WHOLE: ClassVar[frozenset[str]] = frozenset()
    name: str

    def with_(self, **changes: Any) -> Self:
        """A recipe that differs in `changes`; a dict changes single settings of a section.

        Raises UsageError naming the setting that does not exist or does not fit.
        """
        merged = self.model_dump()
        for name, change in changes.items():
            section = merged.get(name)
            if isinstance(change, dict) and isinstance(section, dict) and name not in self.WHOLE:
                merged[name] = {**section, **change}
            else:
                merged[name] = change
        try:
            return type(self).model_validate(merged)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise UsageError(f"recipe setting {where}: {first['msg']}") from error


AnyRecipe = TypeVar("AnyRecipe", bound=Recipe)


def recipe_of_file(path: Path, kind: type[AnyRecipe], otherwise: str) -> AnyRecipe:
    """The `recipe` that a Python file defines. Raises UsageError when there is no such file
    (`otherwise` names the recipes that need none), or when it defines none of this kind."""
    if not path.is_file():
        raise UsageError(
            f"no recipe '{path}'; choose {otherwise}, or a Python file that defines `recipe` as "
            f"{_article(kind.__name__)} (examples in training/recipes/)"
        )
    found = runpy.run_path(str(path)).get("recipe")
    if not isinstance(found, kind):
        raise UsageError(f"{path} does not define `recipe` as {_article(kind.__name__)}")
    return found


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


class DemonstrationSettings(Settings):
    """The expert's episodes that the tokenizer and the warm start see."""

    count: int = Field(default=4000, ge=1)
    mistakes: float = Field(default=1.0, ge=0.0)
    """Scales the probability of each of the expert's mistakes; 0 is a careful engineer."""
    flaws: dict[str, float] = Field(default_factory=dict)
    """Probabilities of single mistakes that differ from the expert's own (expert.Flaws)."""


class TokenizerSettings(Settings):
    bpe_tokens: int = 400
    max_phrases: int = 900
    min_count: int = 6
    long_call: int | None = None
    """Characters from which a tool call is no single phrase; None: it always is."""
    cuts: tuple[tuple[str, str], ...] = ()
    """Regular expressions with what the model reads in place of their matches: noise that no
    decision depends on. They hold for what the model is taught to write as well."""
    slots: tuple[tuple[str, str, int], ...] = ()
    """Kinds of names that the model reads and writes as slots (telejudge_envs/slots.py)."""


class ShapeSettings(Settings):
    """The network's size. `initializer_range` 0.02, as usual, trains far worse this small."""

    hidden: int = 128
    layers: int = 2
    heads: int = 4
    intermediate: int = 384
    max_positions: int = 2048
    initializer_range: float = 0.06


class SftSettings(Settings):
    epochs: int = 1
    batch_size: int = 8
    learning_rate: float = 2.5e-3
    warmup_steps: int = 20
    observation_weight: float = 0.1
    """Weight of a token that the world said, beside 1 for one that the agent said."""


class GrpoSettings(Settings):
    steps: int = Field(default=70, ge=0)
    tasks_per_step: int = 8
    group_size: int = Field(default=8, ge=2)
    learning_rate: float = 1e-3
    warmup_steps: int = 3
    final_rate: float = 0.3
    """The learning rate falls linearly to this share of itself."""
    temperature: float = Field(default=1.0, gt=0.0)
    clip_low: float = 0.2
    clip_high: float = 0.2
    negative: float = Field(default=1.0, ge=0.0)
    """Weight of advantages below 0. A small model that is pushed away from a failed episode's many
    right tokens spreads their probability over nonsense; below 1 it learns more from successes."""
    kl: float = 0.0
    """Weight of the KL divergence from the model that GRPO started from; 0 keeps no copy of it."""
    updates_per_batch: int = 1
    minibatch: int = 32
    scaling: Scaling = "mean"
    loss: LossKind = "token_mean"
    nominal_tokens: int = 64
    """Agent tokens of an episode for `loss="dr_grpo"`."""
    max_resample: int = 0
    """How often a step draws new tasks in place of groups that were tied or unusable."""
    checkpoint_every: int = 10
    sample_every: int = 5
    """Every so many steps one group is written to train/groups.jsonl."""


class EvaluationSettings(Settings):
    rollouts: int = 8
    temperature: float = 1.0
    split: str = "test"
    levels: tuple[int, ...] = ()
    """Levels of the tasks to evaluate on; all without any."""
    tasks: int = Field(default=0, ge=0)
    """How many of them at most, taken at even distances; 0 takes all."""
    batch: int = 160
    bootstrap: int = 2000


class RolloutSettings(Settings):
    max_tokens: int = 1024
    max_turn_tokens: int = 64
