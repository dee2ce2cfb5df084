"""TRL's own GRPO trainer with our loop as its rollout function: masks, abstention, a few steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from trl_harness import check_groups, tiny_trainer, train

pytest.importorskip("trl", reason="TRL is not installed: pip install 'telejudge[trl]'")
pytestmark = pytest.mark.slow

GROUP, GROUPS, STEPS = 4, 2, 3


def test_it_trains_on_whole_groups_and_leaves_out_who_was_not_scored(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    trainer, seen = tiny_trainer(
        bench, tmp_path, "by_rollouts", monkeypatch, steps=STEPS, group=GROUP, groups=GROUPS
    )
    gave: list[dict[str, Any]] = []
    ours = trainer.rollout_func
    trainer.rollout_func = lambda prompts, who: gave.append(ours(prompts, who)) or gave[-1]

    assert train(trainer)
    check_groups(seen, STEPS * GROUPS, GROUP)
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
