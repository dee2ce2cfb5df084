"""Recipes for judges: the presets of every kind, and the files that come with the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from telejudge_envs.errors import UsageError
from telejudge_training.judge_training.recipes import PRESETS, load_recipe

FILES = sorted((Path(__file__).parents[2] / "recipes" / "judges").glob("*.py"))
KINDS = ("sft", "pointwise", "pairs", "bt", "rrhf", "grpo", "permutation", "opd")


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_every_preset(kind: str, preset: str) -> None:
    assert load_recipe(kind, preset).kind == kind


def test_recipe_files_load() -> None:
    assert FILES
    for path in FILES:
        assert load_recipe("sft", str(path)).name == path.stem


def test_a_recipe_for_agents_is_refused() -> None:
    agent = FILES[0].parents[1] / "zero_rl.py"
    with pytest.raises(UsageError, match="recipe"):
        load_recipe("sft", str(agent))
