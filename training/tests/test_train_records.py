"""Journal, checkpoint, recipe, summary and curves: what is written about a run."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from telejudge_envs.errors import DataError, UsageError
from telejudge_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from telejudge_training.crew import Crew
from telejudge_training.curves import draw_curves, smooth
from telejudge_training.evaluate import evaluate
from telejudge_training.journal import Journal, read_metrics
from telejudge_training.recipe import PRESETS, load_recipe, main
from telejudge_training.settings import EvaluationSettings
from telejudge_training.summary import summarise

RECIPES = Path(__file__).resolve().parents[1] / "recipes"


def test_a_journal_can_be_rewound(tmp_path):
    journal = Journal(tmp_path / "a" / "metrics.jsonl")
    journal.append({"step": 1})
    offset = journal.offset
    journal.append({"step": 2})
    journal.rewind(offset)
    journal.append({"step": 3})
    journal.rewind(10_000)
    assert [line["step"] for line in read_metrics(journal.path)] == [1, 3]


def test_an_unfinished_line_is_not_read(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2, "lo')
    assert list(read_metrics(path)) == [{"step": 1}]


def test_a_checkpoint_comes_back_and_a_strange_or_broken_one_is_refused(tmp_path):
    path = tmp_path / "checkpoint" / "state.pt"
    assert load_checkpoint(path, "run") is None
    kept = Checkpoint("run", 3, {"w": torch.ones(2)}, {"state": {}}, {"metrics": 5}, {"t": 0.5})
    save_checkpoint(path, kept)
    found = load_checkpoint(path, "run")
    assert found is not None
    assert (found.step, found.journals, found.solved) == (3, {"metrics": 5}, {"t": 0.5})
    assert found.model["w"].equal(torch.ones(2))
    with pytest.raises(DataError, match="another recipe or seed"):
        load_checkpoint(path, "other")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="cannot be read"):
        load_checkpoint(path, "run")


STOPPED_WHILE_SAVING = """
import random, signal, sys
from pathlib import Path
import torch
from telejudge_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

def stop(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, stop)
path, dice, stops = Path(sys.argv[1]), random.Random(0), 0
model = {f"w{i}": torch.ones(40, 40) for i in range(60)}
for step in range(400):
    last = load_checkpoint(path, "run")
    try:
        signal.setitimer(signal.ITIMER_REAL, dice.uniform(1e-4, 6e-3))
        save_checkpoint(path, Checkpoint("run", step, model, {}, {}))
        signal.setitimer(signal.ITIMER_REAL, 0)
    except BaseException:  # torch turns some interrupts into a RuntimeError
        stops += 1
        found = load_checkpoint(path, "run")
        assert (found and found.step) in (last and last.step, step)
print("stops", stops)
"""


def test_a_stop_at_any_moment_of_saving_leaves_a_whole_checkpoint(tmp_path):
    """In a process of its own: torch aborts it when an interrupt takes its open file away."""
    words = [sys.executable, "-c", STOPPED_WHILE_SAVING, str(tmp_path / "state.pt")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.removeprefix("stops ")) > 10


def test_recipes_are_derived_and_named():
    short = main().with_(name="short", grpo={"steps": 3}, mix={"mms": 1.0})
    assert short.grpo.steps == 3
    assert short.grpo.group_size == main().grpo.group_size
    assert short.mix == {"mms": 1.0}
    assert short.key(0) != main().key(0) != main().key(1)
    assert main().with_(name="other").key(0) == main().key(0)
    with pytest.raises(UsageError, match=r"grpo\.step"):
        main().with_(grpo={"step": 3})


def test_recipe_files_load():
    files = sorted(RECIPES.glob("*.py"))
    assert files
    for path in files:
        assert load_recipe(str(path)).name == path.stem
    for name in PRESETS:
        assert load_recipe(name).name == name


def test_each_world_has_its_recipes():
    assert load_recipe() == main()
    assert load_recipe(world="tau2-telecom") == main()
    assert load_recipe(world="base-station").world == "base-station"
    assert load_recipe("smoke", "base-station").world == "base-station"
    assert load_recipe("smoke").mix == main().mix
    assert load_recipe(world="elsewhere").train_split == "train"
    with pytest.raises(UsageError, match="for world tau2-telecom, not base-station"):
        load_recipe("main", "base-station")


def test_a_wrong_recipe_explains_itself(tmp_path):
    with pytest.raises(UsageError, match="choose main, basestation or smoke"):
        load_recipe("mian")
    (tmp_path / "empty.py").write_text("recipe = 3\n")
    with pytest.raises(UsageError, match="does not define `recipe`"):
        load_recipe(str(tmp_path / "empty.py"))


def test_curves_are_a_picture(tmp_path):
    metrics, picture = tmp_path / "metrics.jsonl", tmp_path / "curves.png"
    metrics.write_text('{"phase": "sft", "step": 1, "loss": 2.0}\n')
    with pytest.raises(DataError, match="no GRPO step"):
        draw_curves(metrics, picture)
    with metrics.open("a") as file:
        for step in range(1, 6):
            line = {"phase": "grpo", "step": step, "success": step / 5, "tools": None}
            file.write(json.dumps(line) + "\n")
    draw_curves(metrics, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_smoothing_averages_what_there_is():
    assert smooth([0.0, 3.0, 6.0], window=3) == [1.5, 3.0, 4.5]
    assert smooth([]) == []


def test_an_evaluation_counts_what_happened(bench):
    settings = EvaluationSettings(rollouts=3, batch=12)
    lacking = [task for task in bench.world.tasks("test") if task.view.marks]
    tasks = [*(t for t in bench.world.tasks("test")[::6] if not t.view.marks), lacking[0]]
    with Crew(bench.world, bench.judge) as crew:
        crew.equip(bench.model, bench.tokenizer)
        judged = evaluate(crew, tasks, settings, seed=0, phase="before")
    assert [one.group.task.id for one in judged] == [task.id for task in tasks]
    ids = [t.id for one in judged for t in one.group.trajectories]
    assert len(set(ids)) == len(ids) == 3 * len(tasks)
    summary = summarise(judged, bootstrap=50, kind=bench.world.kind)
    rewards = [o.world_reward for one in judged for o in one.outcomes.values()]
    assert summary["success"]["mean"] == pytest.approx(sum(rewards) / len(rewards), abs=1e-4)
    assert summary["success"]["low"] <= summary["success"]["mean"] <= summary["success"]["high"]
    assert sum(kind["tasks"] for kind in summary["by_kind"].values()) == len(tasks)
    assert sum(level["tasks"] for level in summary["by_level"].values()) == len(tasks)
    assert summary["by_mark"]["ticket_lacks_refuel_amount"]["tasks"] == 1
    assert summary["unmarked"]["tasks"] == len(tasks) - 1
    again = [asyncio.run(bench.judge.judge(one.group)).verdicts for one in judged]
    assert again == [one.verdict.verdicts for one in judged]
    assert json.loads(json.dumps(summary)) == summary
