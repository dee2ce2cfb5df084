"""Co-training of judge and agent: one tiny round of it, and what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

RECIPE = """
from telejudge_training.recipe import smoke

recipe = smoke("tau2-telecom").with_(
    name="quick",
    demonstrations={"count": 30},
    rollout={"max_tokens": 100, "max_turn_tokens": 16},
    grpo={"tasks_per_step": 2, "group_size": 2},
)
"""


@pytest.mark.slow
def test_a_round_of_judge_and_agent(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    from telejudge_judges.scalar_threshold import FILE, Threshold
    from telejudge_training.judge_training.adversarial import AdversarialSettings, co_train

    (tmp_path / "quick.py").write_text(RECIPE)
    settings = AdversarialSettings(
        agent=str(tmp_path / "quick.py"),
        rounds=1,
        steps=1,
        pairs=6,
        head_updates=2,
        test_tasks=1,
    )
    summary = co_train(settings, tmp_path / "run", seed=0)
    before, after = summary["rounds"]
    assert "head" not in before
    assert set(after["head"]) == {"best_dev_loss", "threshold_accuracy", "left_out"}
    assert 0 <= after["success"]["mean"] <= 1
    first = tmp_path / "run" / "round-1"
    assert Threshold.load(first / "head" / "model" / FILE).examples > 0
    pairs = [json.loads(line) for line in (first / "pairs.jsonl").read_text().splitlines()]
    assert len({pair["task_id"] for pair in pairs}) == len(pairs)
    assert all(pair["chosen"] != pair["rejected"] for pair in pairs)
    written = (first / "agent" / "model.safetensors").stat().st_mtime_ns
    assert co_train(settings, tmp_path / "run", seed=0) == summary
    assert (first / "agent" / "model.safetensors").stat().st_mtime_ns == written
