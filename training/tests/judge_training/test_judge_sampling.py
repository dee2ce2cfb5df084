"""Trainers that learn from replies of their own: GRPO, over orders too, and from a teacher."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from telejudge_envs.errors import UsageError
from telejudge_training.judge_training.recipes import load_recipe
from telejudge_training.judge_training.run import Sources, train_judge


@pytest.fixture(scope="session")
def taught(job: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that writes readable verdicts and is often wrong: distilled for a moment only."""
    run = tmp_path_factory.mktemp("taught")
    loop = {"max_steps": 40, "epochs": 12, "batch": 8, "learning_rate": 1e-2}
    asked = load_recipe("sft", "smoke").with_(loop=loop)
    train_judge(asked, Sources(rows=job.file("rows"), model=job.model), run, seed=0)
    return run / "model"


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_grpo_over_orders_learns_from_rewards(job: Any, taught: Path, tmp_path: Path) -> None:
    asked = load_recipe("permutation", "smoke").with_(
        loop={"max_steps": 18, "epochs": 3, "batch": 32, "learning_rate": 1e-3, "dev_replies": 0},
        grpo={"group_size": 8, "groups_per_step": 4, "max_reply_tokens": 24},
    )
    train_judge(asked, Sources(rows=job.file("rows"), model=taught), tmp_path, seed=0)
    verdicts = [line["verdicts"] for line in lines(tmp_path)]
    assert sum(verdicts[-6:]) / 6 > sum(verdicts[:6]) / 6 + 0.1
    assert {"disagreement", "unreadable", "false_alarms"} <= lines(tmp_path)[0].keys()


def test_grpo_resumes_to_the_same_weights(job: Any, taught: Path, tmp_path: Path) -> None:
    asked = load_recipe("grpo", "smoke").with_(loop={"max_steps": 3, "checks": 3, "dev_replies": 0})
    sources = Sources(rows=job.file("rows"), model=taught)

    def interrupt(step: int, steps: int, line: Any) -> None:
        if step == 3:
            raise KeyboardInterrupt

    train_judge(asked, sources, tmp_path / "whole", seed=0)
    with pytest.raises(KeyboardInterrupt):
        train_judge(asked, sources, tmp_path / "broken", seed=0, on_line=interrupt)
    train_judge(asked, sources, tmp_path / "broken", seed=0)
    whole, resumed = (tmp_path / n / "model" / "model.safetensors" for n in ("whole", "broken"))
    assert whole.read_bytes() == resumed.read_bytes()
    assert whole.read_bytes() != (taught / "model.safetensors").read_bytes()


def test_a_student_comes_nearer_to_its_teacher(job: Any, taught: Path, tmp_path: Path) -> None:
    asked = load_recipe("opd", "smoke").with_(
        loop={"max_steps": 24, "epochs": 9, "batch": 8, "learning_rate": 1e-2, "dev_replies": 0}
    )
    sources = Sources(rows=job.file("rows"), model=job.model, teacher=taught)
    train_judge(asked, sources, tmp_path, seed=0)
    losses = [line["loss"] for line in lines(tmp_path)]
    assert sum(losses[-4:]) / 4 < 0.8 * sum(losses[:4]) / 4


def test_a_teacher_of_another_vocabulary_is_refused(job: Any, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    asked = load_recipe("opd", "smoke")
    with pytest.raises(UsageError, match="--teacher"):
        train_judge(asked, Sources(rows=job.file("rows"), model=job.model), tmp_path / "a", seed=0)
    other = AutoTokenizer.from_pretrained(job.model)
    other.add_tokens(["another"])
    other.save_pretrained(tmp_path / "teacher")
    (tmp_path / "teacher" / "config.json").write_text("{}")
    sources = Sources(rows=job.file("rows"), model=job.model, teacher=tmp_path / "teacher")
    with pytest.raises(UsageError, match="vocabulary"):
        train_judge(asked, sources, tmp_path / "b", seed=0)


def test_blocks_depend_on_seed_and_epoch_alone() -> None:
    pytest.importorskip("torch")
    from telejudge_training.judge_training.sampling import Blocks

    def drawn(seed: int, epoch: int) -> list[int]:
        blocks = Blocks([[0, 1], [2, 3], [4, 5]], size=5, per_batch=2, repeats=3, seed=seed)
        blocks.set_epoch(epoch)
        assert len(list(blocks)) == len(blocks) == 30
        return list(blocks)

    first = drawn(0, 0)
    assert first == drawn(0, 0)
    assert len({tuple(drawn(seed, epoch)) for seed in (0, 1, 2) for epoch in (0, 1, 2)}) > 3
    assert first[:10] == first[10:20] == first[20:]
    for at in range(0, 10, 5):
        (one, often), (other, seldom) = Counter(first[at : at + 5]).most_common()
        assert (often, seldom) == (3, 2)
        assert one // 2 == other // 2


def test_orders_are_needed_for_permutation(job: Any, tmp_path: Path) -> None:
    one_order = tmp_path / "one.jsonl"
    one_order.write_text("".join(r.model_dump_json() + "\n" for r in job.rows if r.order == 0))
    with pytest.raises(UsageError, match="several orders"):
        train_judge(
            load_recipe("permutation", "smoke"),
            Sources(rows=one_order, model=job.model),
            tmp_path / "run",
            seed=0,
        )
