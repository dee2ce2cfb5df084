"""RRHF's ranking loss alone, for every judge that scores: reward heads (rrhf.py) and the embedded
judge (embedded_judge/rrhf.py)."""

from __future__ import annotations

import torch


def ranking_loss(scores: torch.Tensor, rewards: torch.Tensor, margin: float) -> torch.Tensor:
    """RRHF's loss of one list: `scores` and `rewards` of shape (n,), a scalar out."""
    better = rewards[:, None] > rewards[None, :]
    gaps = torch.relu(scores[None, :] - scores[:, None] + margin)
    return gaps[better].mean()
