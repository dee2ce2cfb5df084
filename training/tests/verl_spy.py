"""Loaded by verl beside our plugin in the slow test: an estimator that notes what verl gives ours.

It is entered in verl's own registry and calls ours, so nothing of verl is changed for the test.
"""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from verl.trainer.ppo.core_algos import register_adv_est

from telejudge_training.verl_backend.advantage import group_advantage

NAME, FILE = "telejudge_grpo_spied_on", "TELEJUDGE_SPY"


@register_adv_est(NAME)
def spied_on(
    token_level_rewards: torch.Tensor, response_mask: torch.Tensor, index: Any, **others: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """One line a step: for each row its group, reward, loss tokens, and the advantages on it."""
    advantages, returns = group_advantage(token_level_rewards, response_mask, index, **others)
    rows = [
        {
            "uid": str(uid),
            "reward": rewards.sum().item(),
            "tokens": int(mask.sum().item()),
            "on_mask": sorted(set(row[mask.bool()].tolist())),
            "off_mask": sorted(set(row[~mask.bool()].tolist())),
        }
        for uid, rewards, mask, row in zip(
            index, token_level_rewards, response_mask, advantages, strict=True
        )
    ]
    with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(rows) + "\n")
    return advantages, returns
