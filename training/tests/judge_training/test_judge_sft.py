"""Distillation: it learns, stops where it should, and survives a kill with the same bytes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from telejudge_envs.errors import DataError, UsageError
from telejudge_training.judge_training.recipes import load_recipe
from telejudge_training.judge_training.run import Sources, train_judge
from telejudge_training.judge_training.settings import JudgeRecipe

LEARNING: dict[str, Any] = {
    "max_steps": -1,
    "epochs": 12,
    "batch": 8,
    "learning_rate": 1e-2,
    "checks": 5,
    "dev_replies": 100,
}


def recipe(**loop: Any) -> JudgeRecipe:
    return load_recipe("sft", "smoke").with_(loop=loop)


def weights(run: Path) -> bytes:
    return (run / "model" / "model.safetensors").read_bytes()


def sources(job: Any) -> Sources:
    return Sources(rows=job.file("rows"), model=job.model)


def test_learns_verdicts_of_unseen_groups(job: Any, tmp_path: Path, pictures: None) -> None:
    summary = train_judge(recipe(**LEARNING), sources(job), tmp_path / "run", seed=0)
    assert summary["dev"]["verdicts"] > 0.9
    assert summary["dev"]["unreadable"] == 0
    lines = [json.loads(x) for x in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    dev = [line["loss"] for line in lines if line["phase"] == "dev"]
    assert summary["best_dev_loss"] == min(dev) < 0.1 * lines[0]["loss"]
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["seed"] == 0
    assert record["recipe"]["loop"]["warmup_ratio"] == 0.02
    assert record["versions"]["trl"] == "1.16.0"
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")


KILLED = """
import os, signal, sys
from pathlib import Path
from telejudge_training.judge_training.recipes import load_recipe
from telejudge_training.judge_training.run import Sources, train_judge

rows, model, run = map(Path, sys.argv[1:4])
def kill(step, steps, line):
    if step == 5 and line["phase"] == "train":
        os.kill(os.getpid(), signal.SIGKILL)
recipe = load_recipe("sft", "smoke").with_(loop={"max_steps": 8, "checks": 4})
train_judge(recipe, Sources(rows=rows, model=model), run, 0, on_line=kill)
"""


def test_a_kill_changes_nothing(job: Any, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    asked = recipe(max_steps=8, checks=4)
    train_judge(asked, sources(job), whole, seed=0)
    command = [sys.executable, "-c", KILLED, job.file("rows"), job.model, killed]
    died = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert not (killed / "summary.json").exists()
    (killed / "work" / "checkpoint-6").mkdir()  # half of the one that the kill came upon
    summary = train_judge(asked, sources(job), killed, seed=0)
    assert summary["resumed"]
    assert weights(killed) == weights(whole)
    assert (killed / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


def test_a_kill_after_an_early_stop_trains_no_further(job: Any, tmp_path: Path) -> None:
    asked = recipe(max_steps=12, checks=12, patience=2, learning_rate=3.0)
    first = train_judge(asked, sources(job), tmp_path, seed=0)
    assert first["steps"] < 12
    assert first["best_step"] == first["steps"] - 2
    kept = weights(tmp_path)
    (tmp_path / "summary.json").unlink()
    again = train_judge(asked, sources(job), tmp_path, seed=0)
    assert (again["steps"], again["best_step"]) == (first["steps"], first["best_step"])
    assert weights(tmp_path) == kept


def test_same_seed_same_bytes_and_another_seed_others(job: Any, tmp_path: Path) -> None:
    asked = recipe(max_steps=2).with_(lora={"rank": 4})
    runs = [(tmp_path / str(i), seed) for i, seed in enumerate((0, 0, 1))]
    for run, seed in runs:
        train_judge(asked, sources(job), run, seed=seed)
    first, same, other = (weights(run) for run, _ in runs)
    assert first == same != other
    assert weights(tmp_path / "0") != (job.model / "model.safetensors").read_bytes()


def test_a_run_folder_is_of_one_run(job: Any, tmp_path: Path) -> None:
    train_judge(recipe(max_steps=1), sources(job), tmp_path, seed=0)
    with pytest.raises(UsageError, match="another run"):
        train_judge(recipe(max_steps=1), sources(job), tmp_path, seed=1)


def test_broken_rows_are_named(job: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    lines = job.file("rows").read_text().splitlines()
    bad.write_text("\n".join([*lines[:2], '{"id": "x"}', lines[3]]) + "\n")
    with pytest.raises(DataError, match=r"bad\.jsonl.*3"):
        train_judge(recipe(), Sources(rows=bad, model=job.model), tmp_path / "run", seed=0)


def test_rows_that_are_too_long_are_counted_not_cut(job: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none of .* rows fits 8 tokens"):
        train_judge(recipe(max_tokens=8), sources(job), tmp_path / "run", seed=0)
