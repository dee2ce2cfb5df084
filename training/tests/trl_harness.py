"""What tests of TRL's part share: a judge that abstains, the recipe's trainer on a tiny model."""

from __future__ import annotations

import os
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_judges.verifier import Verifier
from telejudge_training.group_reward import GroupReward

RECIPE = Path(__file__).parents[1] / "recipes" / "trl" / "grpo.py"

Seen = list[tuple[Group, Sequence[Rollout], GroupReward]]
"""Every group with its truth."""


class Forgetful:
    """The verifier, which abstains on the last of every group."""

    name, version = "forgetful", "1"

    def __init__(self, inner: Verifier) -> None:
        self.inner = inner

    async def judge(self, group: Group) -> GroupVerdict:
        verdict = await self.inner.judge(group)
        *others, last = verdict.verdicts
        blank = last.model_copy(
            update={"answer": None, "tools": None, "reward": None, "abstained": "forgot"}
        )
        return verdict.model_copy(update={"verdicts": (*others, blank)})


def tiny_trainer(
    bench: Any, folder: Path, by: str, monkeypatch: pytest.MonkeyPatch, **arguments: Any
) -> tuple[Any, Seen]:
    """TRL's trainer on tau2, played in the recipe's way `by`, and what its judge will have seen."""
    from telejudge_training.tiny.model import save

    monkeypatch.setitem(os.environ, "TRL_EXPERIMENTAL_SILENCE", "1")
    save(bench.model, bench.tokenizer, folder / "model")
    seen: Seen = []
    recipe = runpy.run_path(str(RECIPE))
    trainer = recipe["trainer"](
        folder / "model",
        folder / "run",
        world="tau2-telecom",
        by=recipe[by],
        judge=Forgetful(bench.judge),
        options={"on_group": lambda *told: seen.append(told)},
        use_cpu=True,
        disable_tqdm=True,
        **arguments,
    )
    return trainer, seen


def train(trainer: Any) -> bool:
    """Train; returns whether any weight changed."""
    before = [p.detach().clone() for p in trainer.model.parameters()]
    trainer.train()
    after = list(trainer.model.parameters())
    return any(bool((p != q).any()) for p, q in zip(before, after, strict=True))


def check_groups(seen: Seen, groups: int, size: int) -> None:
    """Each group whole, of one task, with one member abstained on."""
    assert len(seen) == groups
    for group, rollouts, reward in seen:
        assert len(group.trajectories) == len(rollouts) == size
        assert len({t.task_id for t in group.trajectories}) == 1
        assert reward.abstained == 1
