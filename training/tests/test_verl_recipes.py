"""Recipes for verl: each is held against the installed verl; the data that they make; commands."""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from verl_harness import needs_verl

from telejudge_envs.errors import UsageError
from telejudge_training.verl_backend.data import row_of, tasks_of, write_data
from telejudge_training.verl_backend.recipe import base, load_recipe, shipped
from telejudge_training.verl_backend.settings import loop_settings

NAMES = ("cpu_basestation", "cpu_smoke", "qwen3_4b_1gpu_lora_tau2", "qwen3_8b_8xh100_basestation")


def command(*arguments: str) -> Any:
    from telejudge_eval.cli.app import app

    return CliRunner().invoke(app, list(arguments))


def dry(name: str, tmp_path: Path, **changes: Any) -> list[str]:
    from telejudge_training.verl_backend.configure import check, compose

    recipe = load_recipe(name).with_(**changes)
    return check(compose(recipe.overrides(tmp_path / "data", tmp_path, 0)))


def test_the_shipped_recipes_are_these():
    assert shipped() == NAMES
    assert [load_recipe(name).name for name in NAMES] == list(NAMES)


def test_an_unknown_recipe_names_the_choices(tmp_path: Path):
    with pytest.raises(UsageError, match="cpu_basestation, cpu_smoke"):
        load_recipe("qwen9")
    other = tmp_path / "mine.py"
    other.write_text("recipe = 3")
    with pytest.raises(UsageError, match="does not define `recipe` as a VerlRecipe"):
        load_recipe(str(other))


@needs_verl
@pytest.mark.parametrize("name", NAMES)
def test_verl_takes_every_recipe(name: str, tmp_path: Path):
    looked = dry(name, tmp_path)
    assert "actor_rollout_ref.rollout" in looked
    assert "verl.utils.config.validate_config" in looked


@needs_verl
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"verl": {"actor_rollout_ref.rollout.gpu_memory_utilisation": 0.5}},
            "did you mean actor_rollout_ref.rollout.gpu_memory_utilization",
        ),
        ({"verl": {"trainer.n_gpus": 8}}, "verl has no setting trainer.n_gpus"),
        ({"verl": {"+trainer.nnodes": 2}}, "leave out the +"),
        ({"verl": {"algorithm.adv_estimator": "grpoo"}}, "grpoo"),
        ({"verl": {"actor_rollout_ref.actor.loss_agg_mode": "mean"}}, "loss_agg_mode"),
        ({"verl": {"+actor_rollout_ref.actor.clip": 0.2}}, "actor_rollout_ref.actor: .*clip"),
        ({"verl": {"+actor_rollout_ref.model.lora": {"rang": 8}}}, "leave out the +"),
        ({"verl": {"actor_rollout_ref.rollout.n": 1}}, "group's size: at least 2"),
        ({"verl": {"trainer.use_v1": False}}, "needs True"),
        ({"verl": {"actor_rollout_ref.rollout.calculate_log_probs": False}}, "needs True"),
        ({"loop": {"judge": {"judge": "listwize"}}}, "no judge 'listwize'"),
        ({"loop": {"judge": {"judge": "listwise", "ordres": 2}}}, "no setting ordres"),
        ({"loop": {"judge": {"judge": "listwise", "api_key": "x"}}}, "TELEJUDGE_API_KEY"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_starts(
    changes: dict[str, Any], why: str, tmp_path: Path
):
    with pytest.raises(UsageError, match=why):
        dry("cpu_smoke", tmp_path, **changes)


def test_a_wrong_setting_of_ours_is_told():
    with pytest.raises(UsageError, match=r"loop\.turn_token"):
        base("mine").with_(loop={"turn_token": 3})
    with pytest.raises(UsageError, match=r"rollout\.custom\.telejudge\.turn_tokens"):
        loop_settings({"telejudge": {"turn_tokens": 0}})


@pytest.mark.parametrize("name", NAMES)
def test_a_row_names_its_task_and_never_shows_what_is_hidden(name: str):
    recipe = load_recipe(name).with_(data={"train_tasks": 3, "val_tasks": 3})
    for split, tasks in tasks_of(recipe).items():
        assert len(tasks) == 3
        made = row_of(tasks[0], split, 0)
        assert made["extra_info"]["task_id"] == tasks[0].id
        assert made["extra_info"]["split"] == split
        assert made["agent_name"] == "telejudge"
        shown = json.dumps(made)
        assert not any(key in made for key in ("hidden", "gold"))
        assert made["reward_model"]["ground_truth"] == ""
        assert tasks[0].view.ticket[:20] in json.loads(shown)["prompt"][0]["content"]


def test_the_same_recipe_writes_the_same_bytes(tmp_path: Path):
    recipe = load_recipe("cpu_smoke")
    counts = write_data(recipe, tmp_path / "a")
    assert write_data(recipe, tmp_path / "b") == counts == {"train": 16, "val": 4}
    for file in ("train.parquet", "val.parquet"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_nothing_is_trained_on_test_tasks(tmp_path: Path):
    with pytest.raises(UsageError, match="test tasks"):
        write_data(load_recipe("cpu_smoke").with_(data={"train_split": "test"}), tmp_path)


def test_data_verl_says_what_it_wrote(tmp_path: Path):
    done = command("data", "verl", "--recipe", "cpu_smoke", "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert "16 tasks" in done.output
    assert (tmp_path / "val.parquet").is_file()


@needs_verl
def test_a_dry_run_by_command_starts_nothing(tmp_path: Path):
    done = command(
        *("train", "agent", "--backend", "verl", "--recipe", "qwen3_4b_1gpu_lora_tau2"),
        *("--run-dir", str(tmp_path / "run"), "--dry-run"),
        *("--set", "data.train_tasks=7", "--set", "judge.orders=4", "--set", "trainer.nnodes=2"),
    )
    assert done.exit_code == 0, done.output
    assert "7 to train on" in done.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--backend", "verl"), "needs a --recipe"),
        (("--backend", "verl", "--recipe", "cpu_smoke", "--steps", "3"), "--steps"),
        (("--dry-run",), "--backend verl"),
    ],
)
def test_options_of_the_other_backend_are_refused(arguments: tuple[str, ...], why: str):
    done = command("train", "agent", *arguments)
    assert done.exit_code != 0
    assert why in str(done.exception)


@needs_verl
def test_a_judge_without_admission_is_refused(tmp_path: Path):
    done = command(
        *("train", "agent", "--backend", "verl", "--recipe", "qwen3_4b_1gpu_lora_tau2"),
        *("--run-dir", str(tmp_path / "run")),
    )
    assert "is not admitted as a reward" in str(done.exception)
    assert not (tmp_path / "run").exists()


@needs_verl
def test_what_a_run_needs_is_written_and_belongs_to_one_recipe_and_seed(tmp_path: Path):
    from omegaconf import OmegaConf

    from telejudge_training.verl_backend.launch import prepare

    recipe, run = load_recipe("cpu_smoke"), tmp_path / "run"
    plan = prepare(recipe, run, 0, admission={"judge": "verifier"})
    assert plan.tasks == {"train": 16, "val": 4}
    assert plan.command[1:4] == ("-m", "verl.trainer.main_ppo", "--config-path")
    config: Any = OmegaConf.load(run / "verl.yaml")
    assert config.actor_rollout_ref.rollout.custom.telejudge.world == "base-station"
    workers = config.ray_kwargs.ray_init.runtime_env.env_vars
    assert workers.VERL_USE_EXTERNAL_MODULES == "telejudge_training.verl_backend.plugin"
    assert json.loads((run / "run.json").read_text())["admission"] == {"judge": "verifier"}
    prepare(recipe, run, 0)
    with pytest.raises(UsageError, match="holds another run"):
        prepare(recipe, run, 1)
    with pytest.raises(UsageError, match="data verl"):
        prepare(recipe, tmp_path / "other", 0, data=tmp_path / "nothing")
