"""Recipes of the embedded pipeline: every number in one frozen record, with presets.

    main().with_(grpo={"steps": 20})        # derive a recipe by editing another

Longer experiments are short Python files in training/recipes/ that define `recipe`; `load_recipe`
takes a preset's name or such a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import Field

from telejudge_envs.errors import UsageError
from telejudge_training.settings import (
    DemonstrationSettings,
    EvaluationSettings,
    GrpoSettings,
    Recipe,
    RolloutSettings,
    SftSettings,
    ShapeSettings,
    TokenizerSettings,
    recipe_of_file,
)
from telejudge_training.shorthand import CUTS, SLOTS


class EmbeddedRecipe(Recipe):
    """What `train_embedded` does. `warm_start="none"` is zero RL: demonstrations then only give
    the tokenizer its vocabulary, and GRPO starts from random weights."""

    WHOLE = frozenset({"mix"})
    world: str = "tau2-telecom"
    """The world that it is for; its kinds, splits, levels and flaws are named below."""
    warm_start: Literal["sft", "none"] = "sft"
    train_split: str = "train"
    train_levels: tuple[int, ...] = ()
    """Levels of the tasks to train on; all without any."""
    mix: dict[str, float] = Field(default_factory=dict)
    """Shares of the world's kinds among training tasks and demonstrations (see curriculum.py);
    without any, tasks are drawn as they come."""
    by_level: bool = False
    """Whether tasks are drawn the more often the higher their level."""
    adaptive: bool = True
    """Whether GRPO draws tasks that are still failed more often than others."""
    processes: int = Field(default=2, ge=1)
    """Processes that work at the same time. The result does not depend on it."""
    shares: int = Field(default=2, ge=1)
    """Parts that a step's work is cut into; no more processes than these are of use. The result
    depends on it, as on a seed."""
    threads: int = Field(default=1, ge=1)
    """Torch's threads in each process."""
    demonstrations: DemonstrationSettings = DemonstrationSettings()
    tokenizer: TokenizerSettings = TokenizerSettings()
    shape: ShapeSettings = ShapeSettings()
    sft: SftSettings = SftSettings()
    grpo: GrpoSettings = GrpoSettings()
    rollout: RolloutSettings = RolloutSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    def key(self, seed: int) -> str:
        """Names a run: the same for the same settings and seed, whatever the recipe is called."""
        text = self.model_dump_json(exclude={"name", "processes"})
        return f"{hashlib.sha256(text.encode()).hexdigest()[:16]}-{seed}"


LONG_CALL = 100
"""A report says too much to come twice in the same words; most calls are shorter than this."""

SELDOM = 0.01
"""How often the hasty expert slips where he does not have the habit."""

HASTY: dict[str, float] = {
    **dict.fromkeys(
        (
            "reset_first",
            "redundant_read",
            "idle_read",
            "failed_call",
            "wrong_sector",
            "misdiagnose",
            "wrong_class",
            "forget_parts",
            "skip_read",
            "overlook",
            "skip_kpi",
            "stop_early",
            "skip_verify",
            "skip_sweep",
            "close_on_quiet",
            "ignore_error",
            "forget_lock",
            "forget_isolation",
            "forget_impact",
            "forget_approval",
            "forget_mitigation",
            "forget_evidence",
        ),
        SELDOM,
    ),
    "escalate_early": 0.32,
    "never_escalate": 0.4,
    "false_claim": 0.4,
    "forget_unlock": 0.4,
}
"""The expert of the warm start on base-station: he knows what is wrong, and has bad habits. He
hands over what he could repair and keeps what he should not, leaves cells locked, and claims too
much."""

TAU2, BASE_STATION = "tau2-telecom", "base-station"


def tau2_base(name: str) -> EmbeddedRecipe:
    """What all recipes for tau2-telecom share.

    The mix is about that of the test split, since 89% of the tasks outside base are MMS tickets;
    long procedures come more often, since of the 18 service tickets to train on only 2 need the
    payment of a bill, seven calls in the right order.
    """
    return EmbeddedRecipe(
        name=name,
        world=TAU2,
        train_split="extra",
        mix={"mms": 4.0, "data": 2.5, "service": 4.0},
        by_level=True,
    )


def main() -> EmbeddedRecipe:
    """The main job on tau2-telecom: at most 8 minutes on two cores (docs/training.md).

    The expert hands over only a third of the cases that must be handed over, so that the warm
    start is wrong about them most of the time and not only now and then.
    """
    return tau2_base("main").with_(demonstrations={"flaws": {"no_handover": 0.65}})


def base_station(name: str = "basestation") -> EmbeddedRecipe:
    """The main job on base-station: one or two faults, neither masking the other."""
    return EmbeddedRecipe(name=name, world=BASE_STATION, train_levels=(1, 2), by_level=True).with_(
        demonstrations={"count": 6000, "flaws": HASTY},
        tokenizer={
            "bpe_tokens": 400,
            "max_phrases": 1500,
            "min_count": 4,
            "long_call": LONG_CALL,
            "slots": SLOTS,
            "cuts": CUTS,
        },
        sft={"epochs": 3, "observation_weight": 0.0},
        grpo={
            "steps": 60,
            "learning_rate": 2e-4,
            "temperature": 0.7,
            "negative": 0.5,
            "updates_per_batch": 2,
        },
        rollout={"max_tokens": 600, "max_turn_tokens": 48},
        evaluation={"levels": (1, 2), "tasks": 60, "rollouts": 4, "temperature": 0.7},
    )


def smoke(world: str = TAU2) -> EmbeddedRecipe:
    """Every stage at its smallest, for tests: half a minute; learns next to nothing."""
    return _base(world, "smoke").with_(
        demonstrations={"count": 60},
        sft={"epochs": 1, "batch_size": 16},
        grpo={"steps": 4, "tasks_per_step": 3, "group_size": 4, "checkpoint_every": 2},
        evaluation={"rollouts": 2, "bootstrap": 200},
    )


def _base(world: str, name: str) -> EmbeddedRecipe:
    """A world's settings without the experiment; a world unknown here trains on its `train`."""
    made = {TAU2: tau2_base, BASE_STATION: base_station}.get(world)
    return made(name) if made else EmbeddedRecipe(name=name, world=world)


PRESETS: dict[str, Callable[[], EmbeddedRecipe]] = {
    "main": main,
    "basestation": base_station,
    "smoke": smoke,
}

DEFAULTS = {TAU2: main, BASE_STATION: base_station}
"""The recipe that a world is trained by when none is named."""


def load_recipe(name: str | None = None, world: str | None = None) -> EmbeddedRecipe:
    """A preset by name, or the `recipe` of a Python file; without a name the world's own, and
    without a world tau2-telecom's.

    Raises UsageError naming the choices, or when the recipe is for another world.
    """
    if name is None:
        known = DEFAULTS.get(world or TAU2)
        return known() if known else _base(world or TAU2, "main")
    if name == "smoke":
        return smoke(world or TAU2)
    if name in PRESETS:
        recipe = PRESETS[name]()
    else:
        *others, last = PRESETS
        recipe = recipe_of_file(Path(name), EmbeddedRecipe, f"{', '.join(others)} or {last}")
    if world not in (None, recipe.world):
        raise UsageError(f"recipe {name} is for world {recipe.world}, not {world}")
    return recipe
