"""The whole pipeline at its smallest, and what a kill in the middle of it changes: nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from telejudge_envs import store
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_judges.verifier import Verifier
from telejudge_training.embedded import train_embedded
from telejudge_training.journal import read_metrics
from telejudge_training.recipe import EmbeddedRecipe, smoke

SCRIPT = """
import signal, sys
from pathlib import Path
from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier
from telejudge_training.embedded import train_embedded
from telejudge_training.recipe import EmbeddedRecipe

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
recipe = EmbeddedRecipe.model_validate_json(sys.argv[2])
train_embedded(
    recipe, open_world(recipe.world), Verifier(open_world), Path(sys.argv[1]), 7,
    lambda event: print(event.phase, event.step, flush=True),
)
"""


@pytest.fixture(scope="module")
def recipe() -> EmbeddedRecipe:
    return smoke().with_(
        shape={"hidden": 32, "intermediate": 64, "heads": 2}, evaluation={"rollouts": 1}
    )


@pytest.fixture(scope="module")
def finished(recipe, tmp_path_factory) -> Path:
    """A run that nobody disturbed."""
    run_dir = tmp_path_factory.mktemp("runs") / "whole"
    start(recipe, run_dir).communicate(timeout=300)
    return run_dir


@pytest.mark.slow
def test_a_run_leaves_everything_that_was_promised(finished, recipe):
    for name in ("run.json", "summary.json", "curves.png", "model/model.safetensors"):
        assert (finished / name).stat().st_size > 0
    lines = list(read_metrics(finished / "train" / "metrics.jsonl"))
    assert [x["step"] for x in lines if x["phase"] == "grpo"] == list(range(1, 5))
    assert {x["phase"] for x in lines} == {"sft", "grpo"}
    for phase in ("before", "after"):
        judged = list(store.read(finished / f"{phase}.jsonl", JudgedGroup))
        assert len(judged) == 40
        assert {one.phase for one in judged} == {phase}
    samples = list(store.read(finished / "train" / "groups.jsonl", JudgedGroup))
    assert samples
    assert all(one.phase == "train" and len(one.advantages) == 4 for one in samples)
    summary = json.loads((finished / "summary.json").read_text())
    assert summary["before"]["tasks"] == summary["after"]["tasks"] == 40
    told = json.loads((finished / "run.json").read_text())
    assert told["config"] == recipe.model_dump(mode="json")
    assert told["seed"] == 7


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["sft 2", "grpo 1", "grpo 3"])
def test_a_killed_run_ends_with_the_same_weights(finished, recipe, tmp_path, moment):
    """Killed during the warm start, before the first checkpoint, and after one."""
    run_dir = tmp_path / "killed"
    killed = start(recipe, run_dir)
    assert killed.stdout is not None
    for line in killed.stdout:
        if line.strip() == moment:
            break
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert killed.returncode == -signal.SIGKILL
    assert not (run_dir / "summary.json").exists()
    start(recipe, run_dir).communicate(timeout=300)
    weights = "model/model.safetensors"
    assert (run_dir / weights).read_bytes() == (finished / weights).read_bytes()
    for name in ("before.jsonl", "after.jsonl"):
        assert verdicts(run_dir / name) == verdicts(finished / name)
    assert steps(run_dir) == steps(finished)


@pytest.mark.slow
def test_ctrl_c_ends_the_helper_too_and_the_run_goes_on_later(finished, recipe, tmp_path):
    run_dir = tmp_path / "interrupted"
    stopped = start(recipe, run_dir, start_new_session=True)
    assert stopped.stdout is not None
    for line in stopped.stdout:
        if line.strip() == "grpo 2":
            break
    helpers = Path(f"/proc/{stopped.pid}/task/{stopped.pid}/children").read_text().split()
    assert helpers
    os.killpg(stopped.pid, signal.SIGINT)
    stopped.communicate(timeout=30)
    # 1 where a package that transformers imports runs code at the exit: Python forgets the signal.
    assert stopped.returncode in (-signal.SIGINT, 1)
    assert not (run_dir / "summary.json").exists()
    deadline = time.monotonic() + 20
    while (left := [p for p in helpers if Path(f"/proc/{p}").exists()]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.1)
    assert not left
    start(recipe, run_dir).communicate(timeout=300)
    weights = "model/model.safetensors"
    assert (run_dir / weights).read_bytes() == (finished / weights).read_bytes()


@pytest.mark.slow
def test_one_process_ends_with_the_same_weights(finished, recipe, tmp_path):
    run_dir = tmp_path / "alone"
    start(recipe.with_(processes=1), run_dir).communicate(timeout=300)
    weights = "model/model.safetensors"
    assert (run_dir / weights).read_bytes() == (finished / weights).read_bytes()
    assert [read(path)["processes"] for path in (finished, run_dir)] == [2, 1]


@pytest.mark.slow
def test_a_finished_run_is_not_repeated(finished, recipe):
    world = Tau2Telecom()
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    summary = train_embedded(recipe, world, Verifier(lambda name: world), finished, 7)
    assert summary == json.loads((finished / "summary.json").read_text())
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before


def test_a_directory_of_another_run_is_refused(recipe, tmp_path):
    (tmp_path / "run.json").write_text('{"key": "x", "recipe": "main", "seed": 1}')
    world = Tau2Telecom()
    with pytest.raises(UsageError, match="choose another directory"):
        train_embedded(recipe, world, Verifier(lambda name: world), tmp_path, 7)


def test_a_recipe_for_another_world_is_refused(recipe, tmp_path):
    world = Tau2Telecom()
    other = recipe.with_(world="base-station")
    with pytest.raises(UsageError, match="is for world base-station, not tau2-telecom"):
        train_embedded(other, world, Verifier(lambda name: world), tmp_path, 7)


def test_a_misspelt_flaw_is_named(recipe, tmp_path):
    world = Tau2Telecom()
    wrong = recipe.with_(demonstrations={"flaws": {"sloppiness": 0.5}})
    with pytest.raises(UsageError, match=r"sloppiness.*known are level, overlook"):
        train_embedded(wrong, world, Verifier(lambda name: world), tmp_path, 7)


@pytest.mark.slow
def test_zero_rl_runs_from_random_weights(recipe, tmp_path):
    world = Tau2Telecom()
    zero = recipe.with_(warm_start="none", grpo={"steps": 1})
    summary = train_embedded(zero, world, Verifier(lambda name: world), tmp_path / "zero", 0)
    phases = {x["phase"] for x in read_metrics(tmp_path / "zero" / "train" / "metrics.jsonl")}
    assert phases == {"grpo"}
    assert summary["before"]["success"]["mean"] <= 0.2


def read(run_dir: Path) -> dict:
    return json.loads((run_dir / "summary.json").read_text())


def start(recipe: EmbeddedRecipe, run_dir: Path, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(run_dir), recipe.model_dump_json()],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **options,
    )


def verdicts(path: Path) -> list:
    return [one.verdict.verdicts for one in store.read(path, JudgedGroup)]


def steps(run_dir: Path) -> list:
    timed = {"seconds", "rollout_seconds"}
    lines = read_metrics(run_dir / "train" / "metrics.jsonl")
    return [{k: v for k, v in line.items() if k not in timed} for line in lines]
