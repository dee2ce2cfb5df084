"""Presets of judge training: for a laptop, for a GPU, and a smoke test of each kind.

    load_recipe("sft", "laptop").with_(loop={"epochs": 2})

Longer experiments are Python files in training/recipes/ that define `recipe`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from telejudge_envs.errors import UsageError
from telejudge_training.judge_training.settings import JudgeRecipe, Kind, LoraSettings
from telejudge_training.settings import recipe_of_file

KINDS: tuple[Kind, ...] = get_args(Kind)

SAMPLING = ("grpo", "permutation", "opd")
"""Kinds that learn from replies of their own: they want smaller steps."""


def laptop(kind: Kind) -> JudgeRecipe:
    """Two CPU cores and at most some 100 million parameters: adapters, fp32, short rows."""
    return JudgeRecipe(name="laptop", kind=kind, lora=LoraSettings()).with_(
        loop={"max_tokens": 1536, "accumulate": 4, **_rate(kind, 2e-4, 5e-5)},
        grpo={"group_size": 4, "max_reply_tokens": 256},
        distil={"max_reply_tokens": 256},
    )


def gpu(kind: Kind) -> JudgeRecipe:
    """One GPU and a model of 0.5 to 8 billion parameters, by the reports' settings; `lora: null`
    trains all weights."""
    return JudgeRecipe(name="gpu", kind=kind, lora=LoraSettings(rank=32, alpha=64)).with_(
        loop={
            "max_tokens": 8192,
            "accumulate": 8,
            "checks": 20,
            "dev_replies": 200,
            **_rate(kind, 1e-4, 1e-5),
        },
        device={"cpu": False, "bf16": True, "checkpoint_activations": True},
        grpo={"group_size": 8, "groups_per_step": 4},
    )


def smoke(kind: Kind) -> JudgeRecipe:
    """Every stage at its smallest, for tests and first tries; learns next to nothing."""
    return JudgeRecipe(name="smoke", kind=kind).with_(
        loop={"max_steps": 4, "checks": 2, "dev_replies": 4, **_rate(kind, 1e-3, 1e-3)},
        grpo={"group_size": 4, "max_reply_tokens": 24},
        distil={"max_reply_tokens": 24},
    )


def _rate(kind: Kind, taught: float, sampled: float) -> dict[str, Any]:
    return (
        {"learning_rate": sampled, "epochs": 1} if kind in SAMPLING else {"learning_rate": taught}
    )


PRESETS: dict[str, Callable[[Kind], JudgeRecipe]] = {"laptop": laptop, "gpu": gpu, "smoke": smoke}


def load_recipe(kind: str, name: str = "laptop") -> JudgeRecipe:
    """A preset by name, or the `recipe` of a Python file, for `kind`.

    Raises UsageError naming the choices, or when the file's recipe is of another kind.
    """
    if kind not in KINDS:
        raise UsageError(f"no kind of training '{kind}'; choose {', '.join(KINDS)}")
    if name in PRESETS:
        return PRESETS[name](kind)
    found = recipe_of_file(Path(name), JudgeRecipe, ", ".join(PRESETS))
    if found.kind != kind:
        raise UsageError(f"recipe {name} is for kind {found.kind}, not {kind}")
    return found
