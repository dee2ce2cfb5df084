"""Reward heads: they order what they are taught, and the scalar judge opens their folders."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from telejudge_envs.errors import UsageError
from telejudge_training.judge_training.recipes import load_recipe
from telejudge_training.judge_training.run import Sources, train_judge

LEARNING: dict[str, Any] = {"max_steps": 20, "checks": 2, "batch": 4, "learning_rate": 1e-2}


@pytest.mark.parametrize(("kind", "rows"), [("bt", "pairs"), ("rrhf", "ranked")])
def test_the_scalar_judge_opens_what_was_trained(
    kind: str, rows: str, job: Any, tmp_path: Path
) -> None:
    from telejudge_judges.scalar import RewardHead
    from telejudge_judges.scalar_threshold import FILE, Threshold

    asked = load_recipe(kind, "smoke").with_(loop=LEARNING, head={"margin": 1.0})
    sources = Sources(rows=job.file(rows), model=job.model)
    summary = train_judge(asked, sources, tmp_path, seed=0)
    assert summary["threshold_accuracy"] == 1.0
    head, threshold = RewardHead(tmp_path / "model"), Threshold.load(tmp_path / "model" / FILE)
    assert head.logit("case 999: good") > threshold.threshold > head.logit("case 999: bad")


def test_adapters_are_merged_into_a_head(job: Any, tmp_path: Path) -> None:
    from telejudge_judges.scalar import RewardHead

    asked = load_recipe("bt", "smoke").with_(loop={"max_steps": 2}, lora={"rank": 4})
    train_judge(asked, Sources(rows=job.file("pairs"), model=job.model), tmp_path, seed=0)
    assert not (tmp_path / "model" / "adapter_config.json").exists()
    assert math.isfinite(RewardHead(tmp_path / "model").logit("case 1: good"))


def test_ranking_loss_is_rrhfs() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from telejudge_training.judge_training.rrhf import ranking_loss

    scores, rewards = torch.tensor([1.0, 3.0, 0.0]), torch.tensor([0.9, 0.5, 0.5])
    # Pairs: 1 above 2 (violated by 2), 1 above 3 (kept); the tie of 2 and 3 is no pair.
    assert ranking_loss(scores, rewards, 0.0).item() == pytest.approx((2.0 + 0.0) / 2)
    assert ranking_loss(scores, rewards, 1.5).item() == pytest.approx((3.5 + 0.5) / 2)


def test_a_threshold_needs_right_and_wrong_candidates(job: Any, tmp_path: Path) -> None:
    from telejudge_training.judge_data.rows import PairRow

    lines = job.file("pairs").read_text().splitlines()
    rows = [PairRow.model_validate_json(line) for line in lines]
    right = [row.model_copy(update={"rejected_answer": 1}) for row in rows]
    file = tmp_path / "right.jsonl"
    file.write_text("".join(row.model_dump_json() + "\n" for row in right))
    asked = load_recipe("bt", "smoke").with_(loop={"max_steps": 1})
    with pytest.raises(UsageError, match="both labels"):
        train_judge(asked, Sources(rows=file, model=job.model), tmp_path / "run", seed=0)
