"""GRPO's advantage for verl, with masks: the same function that the other trainers call.

In: verl's padded tensors. Out: (advantages, returns), (rows, tokens), 0 outside the loss mask.

A rollout whose mask is all zeros was not scored: it takes no part in its group's mean and spread,
and its advantage is 0. verl's own `grpo` would count the number that stands in for its reward.
"""

from __future__ import annotations

from typing import Any

import torch

from telejudge_training.group_reward import masked_advantages
from telejudge_training.settings import Scaling

STD_OR_MEAN = "telejudge_grpo"
"""`algorithm.norm_adv_by_std_in_grpo` chooses between GRPO's advantage and Dr. GRPO's."""

RANK = "telejudge_grpo_rank"


def group_advantage(
    token_level_rewards: torch.Tensor,
    response_mask: torch.Tensor,
    index: Any,
    config: Any = None,
    **_: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows with the same `index` (uid) are a group."""
    by_std = config is None or config.get("norm_adv_by_std_in_grpo", True)
    return _advantage(token_level_rewards, response_mask, index, "std" if by_std else "mean")


def group_rank_advantage(
    token_level_rewards: torch.Tensor, response_mask: torch.Tensor, index: Any, **_: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same from ranks, for judges that order better than they score."""
    return _advantage(token_level_rewards, response_mask, index, "rank")


@torch.no_grad()
def _advantage(
    token_level_rewards: torch.Tensor, response_mask: torch.Tensor, index: Any, scaling: Scaling
) -> tuple[torch.Tensor, torch.Tensor]:
    scores = token_level_rewards.sum(-1).tolist()
    counts = response_mask.sum(-1).tolist()
    groups: dict[str, dict[str, float | None]] = {}
    for row, uid in enumerate(index):
        groups.setdefault(str(uid), {})[str(row)] = scores[row] if counts[row] else None
    advantages = [0.0] * len(scores)
    for rewards in groups.values():
        for row, advantage in masked_advantages(rewards, scaling).items():
            advantages[int(row)] = advantage or 0.0
    column = torch.tensor(advantages, dtype=torch.float32, device=response_mask.device)
    spread = column.unsqueeze(-1) * response_mask
    return spread, spread
