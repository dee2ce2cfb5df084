"""TRL's own GRPO trainer on a world of ours: whole groups, masks, abstention, a few steps."""

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

pytest.importorskip("trl", reason="TRL is not installed: pip install 'telejudge[trl]'")
pytestmark = pytest.mark.slow

RECIPE = Path(__file__).parents[1] / "recipes" / "trl" / "grpo.py"
GROUP, GROUPS, STEPS = 4, 2, 3


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


def test_it_trains_on_whole_groups_and_leaves_out_who_was_not_scored(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from telejudge_training.tiny.model import save

    monkeypatch.setitem(os.environ, "TRL_EXPERIMENTAL_SILENCE", "1")
    save(bench.model, bench.tokenizer, tmp_path / "model")
    seen: list[tuple[Group, Sequence[Rollout], GroupReward]] = []
    trainer = runpy.run_path(str(RECIPE))["trainer"](
        tmp_path / "model",
        tmp_path / "run",
        world="tau2-telecom",
        judge=Forgetful(bench.judge),
        steps=STEPS,
        group=GROUP,
        groups=GROUPS,
        on_group=lambda *told: seen.append(told),
        use_cpu=True,
        disable_tqdm=True,
    )
    gave: list[dict[str, Any]] = []
    ours = trainer.rollout_func
    trainer.rollout_func = lambda prompts, who: gave.append(ours(prompts, who)) or gave[-1]
    before = [p.detach().clone() for p in trainer.model.parameters()]
    trainer.train()

    assert any(
        bool((p != q).any()) for p, q in zip(before, trainer.model.parameters(), strict=True)
    )
    assert len(seen) == STEPS * GROUPS
    for group, rollouts, reward in seen:
        assert len(group.trajectories) == len(rollouts) == GROUP
        assert len({t.task_id for t in group.trajectories}) == 1
        assert reward.abstained == 1
    for step in gave:
        assert step["reward"][GROUP - 1 :: GROUP] == [None] * GROUPS
        for ids, mask, logprobs in zip(
            step["completion_ids"], step["env_mask"], step["logprobs"], strict=True
        ):
            assert len(ids) == len(mask) == len(logprobs)
            assert all(lp == 0.0 for lp, m in zip(logprobs, mask, strict=True) if not m)
    rollout = seen[0][1][0]
    trace = rollout.trajectory.trace
    assert trace is not None
    assert list(trace.ids) == gave[0]["prompt_ids"][0] + gave[0]["completion_ids"][0]
    said = [m for m in rollout.trajectory.messages if m.role == "assistant"]
    starts = sum(bool(m) and not trace.mask[i - 1] for i, m in enumerate(trace.mask))
    assert starts in (len(said), len(said) - 1)
