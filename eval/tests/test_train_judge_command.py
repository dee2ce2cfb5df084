"""`telejudge train judge`: its kinds, its settings, its errors. The training itself is not run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from telejudge_envs.errors import UsageError
from telejudge_eval.cli.app import app
from telejudge_eval.cli.train_judge import Kind, with_settings
from telejudge_training.judge_training import run
from telejudge_training.judge_training.recipes import KINDS, PRESETS, load_recipe

DONE = {"left_out": {"too long": 3}, "best_dev_loss": 0.25}


def test_the_command_knows_every_kind() -> None:
    assert [kind.value for kind in Kind] == list(KINDS) == list(run.TRAINERS)


def test_flags_reach_the_trainer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def train(recipe: Any, sources: Any, folder: Path, seed: int, on_line: Any) -> dict[str, Any]:
        seen.update(recipe=recipe, sources=sources, folder=folder, seed=seed)
        on_line(2, 2, {"phase": "dev", "loss": 0.25})
        return DONE

    monkeypatch.setattr(run, "train_judge", train)
    said = CliRunner().invoke(
        app,
        "train judge --kind bt --rows pairs.parquet --model m --recipe gpu --seed 3 "
        "--set loop.epochs=2 --set lora=null --set head.margin=0.5",
    )
    assert said.exit_code == 0, said.output
    assert (seen["recipe"].kind, seen["recipe"].lora) == ("bt", None)
    assert (seen["recipe"].loop.epochs, seen["recipe"].head.margin) == (2.0, 0.5)
    assert (seen["seed"], seen["folder"]) == (3, Path("runs/judge-bt-seed3"))
    assert "rows left out: 3 too long" in said.output
    assert "loss 0.2500" in said.output


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_preset_fits_together(kind: str, name: str) -> None:
    recipe = load_recipe(kind, name)
    assert recipe.kind == kind
    assert recipe.loop.warmup_ratio == 0.02
    assert recipe.grpo.group_size * recipe.grpo.groups_per_step % recipe.loop.batch == 0
    assert recipe.grpo.max_reply_tokens < recipe.loop.max_tokens


def test_settings_that_do_not_exist_are_named() -> None:
    recipe = load_recipe("sft", "smoke")
    with pytest.raises(UsageError, match=r"loop\.speed"):
        with_settings(recipe, ["loop.speed=1"])
    with pytest.raises(UsageError, match="--set kind"):
        with_settings(recipe, ["kind=bt"])
    with pytest.raises(UsageError, match="laptop, gpu, smoke"):
        load_recipe("sft", "nonsense")
    with pytest.raises(UsageError, match="no kind"):
        load_recipe("nonsense")


def test_a_file_gives_a_recipe(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from telejudge_training.judge_training.recipes import laptop\n"
        "recipe = laptop('rrhf').with_(name='mine', loop={'epochs': 1})\n"
    )
    assert load_recipe("rrhf", str(file)).name == "mine"
    with pytest.raises(UsageError, match="is for kind rrhf, not bt"):
        load_recipe("bt", str(file))
