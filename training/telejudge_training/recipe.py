"""Recipes of the embedded pipeline: every number in one frozen record, with presets.

    main().with_(grpo={"steps": 20})        # derive a recipe by editing another

Longer experiments are short Python files in training/recipes/ that define `recipe`; `load_recipe`
takes a preset's name or such a file.
"""

from __future__ import annotations

import hashlib
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from telejudge_envs.errors import UsageError
from telejudge_training.settings import (
    DemonstrationSettings,
    EvaluationSettings,
    GrpoSettings,
    RolloutSettings,
    Settings,
    SftSettings,
    ShapeSettings,
    TokenizerSettings,
)


class EmbeddedRecipe(Settings):
    """What `train_embedded` does. `warm_start="none"` is zero RL: demonstrations then only give
    the tokenizer its vocabulary, and GRPO starts from random weights."""

    name: str
    warm_start: Literal["sft", "none"] = "sft"
    train_split: str = "extra"
    mix: dict[str, float] = Field(default_factory=lambda: {"mms": 4.0, "data": 2.5, "service": 4.0})
    """Shares of ticket kinds among training tasks and demonstrations (see curriculum.py): about
    those of the test split, since 89% of the tasks outside base are MMS tickets."""
    by_level: bool = True
    """Whether tasks that take more actions are drawn more often: of the 18 service tickets to
    train on only 2 need the payment of a bill, seven calls in the right order."""
    adaptive: bool = True
    """Whether GRPO draws tasks that are still failed more often than others."""
    threads: int = Field(default=1, ge=1)
    """Torch's threads. Two save about a quarter of the wall time on two idle cores and cost much
    more than that on busy ones."""
    demonstrations: DemonstrationSettings = DemonstrationSettings()
    tokenizer: TokenizerSettings = TokenizerSettings()
    shape: ShapeSettings = ShapeSettings()
    sft: SftSettings = SftSettings()
    grpo: GrpoSettings = GrpoSettings()
    rollout: RolloutSettings = RolloutSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    def with_(self, **changes: Any) -> EmbeddedRecipe:
        """A recipe that differs in `changes`; a dict changes single settings of a section.

        Raises UsageError naming the setting that does not exist or does not fit.
        """
        merged = self.model_dump()
        for name, change in changes.items():
            section = merged.get(name)
            if isinstance(change, dict) and isinstance(section, dict) and name != "mix":
                merged[name] = {**section, **change}
            else:
                merged[name] = change
        try:
            return EmbeddedRecipe.model_validate(merged)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise UsageError(f"recipe setting {where}: {first['msg']}") from error

    def key(self, seed: int) -> str:
        """Names a run: the same for the same settings and seed, whatever the recipe is called."""
        text = self.model_dump_json(exclude={"name"})
        return f"{hashlib.sha256(text.encode()).hexdigest()[:16]}-{seed}"


def main() -> EmbeddedRecipe:
    """The main job: at most 8 minutes on two cores (docs/training.md has its results).

    The expert hands over only a third of the cases that must be handed over, so that the warm
    start is wrong about them most of the time and not only now and then.
    """
    return EmbeddedRecipe(name="main").with_(demonstrations={"flaws": {"no_handover": 0.65}})


def smoke() -> EmbeddedRecipe:
    """Every stage at its smallest, for tests: half a minute; learns next to nothing."""
    return EmbeddedRecipe(name="smoke").with_(
        demonstrations={"count": 60},
        sft={"epochs": 1, "batch_size": 16},
        grpo={"steps": 4, "tasks_per_step": 3, "group_size": 4, "checkpoint_every": 2},
        evaluation={"rollouts": 2, "bootstrap": 200},
    )


PRESETS: dict[str, Callable[[], EmbeddedRecipe]] = {"main": main, "smoke": smoke}


def load_recipe(name: str) -> EmbeddedRecipe:
    """A preset by name, or the `recipe` of a Python file. Raises UsageError naming the choices."""
    if name in PRESETS:
        return PRESETS[name]()
    path = Path(name)
    if not path.is_file():
        raise UsageError(
            f"no recipe '{name}'; choose {' or '.join(PRESETS)}, or a Python file that defines "
            "`recipe` (examples in training/recipes/)"
        )
    found = runpy.run_path(str(path)).get("recipe")
    if not isinstance(found, EmbeddedRecipe):
        raise UsageError(f"{path} does not define `recipe` as an EmbeddedRecipe")
    return found
