"""Rollouts with advantages in, the clipped policy-gradient loss out (GRPO and its variants).

    samples = [Sample(trace, advantage=0.7), …]
    loss, stats = policy_loss(model, samples, token_weights(samples, settings), settings)

Only tokens that the agent generated carry loss: a tool's result is context. The ratio is taken
against the logprobs recorded at sampling, so no second forward pass is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from telejudge_envs.nouns.trajectory import TokenTrace
from telejudge_training.settings import GrpoSettings
from telejudge_training.tiny.logprobs import chosen_logprobs

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


@dataclass(frozen=True)
class Sample:
    """One trajectory as the loss sees it."""

    trace: TokenTrace
    advantage: float

    @property
    def length(self) -> int:
        """Tokens that carry loss."""
        return sum(self.trace.mask)


@dataclass(frozen=True)
class LossStats:
    """Sums over the agent's tokens of one minibatch."""

    tokens: int
    clipped: float
    kl: float
    entropy: float

    @classmethod
    def total(cls, parts: Sequence[LossStats]) -> LossStats:
        return cls(
            sum(p.tokens for p in parts),
            sum(p.clipped for p in parts),
            sum(p.kl for p in parts),
            sum(p.entropy for p in parts),
        )


def token_weights(samples: Sequence[Sample], settings: GrpoSettings) -> list[float]:
    """Each sample's weight on every one of its tokens; the minibatches of a step share them."""
    if settings.loss == "sequence_mean":
        return [1.0 / (max(s.length, 1) * len(samples)) for s in samples]
    if settings.loss == "dr_grpo":
        return [1.0 / (settings.nominal_tokens * len(samples))] * len(samples)
    return [1.0 / max(sum(s.length for s in samples), 1)] * len(samples)


def policy_loss(
    model: LlamaForCausalLM,
    samples: Sequence[Sample],
    weights: Sequence[float],
    settings: GrpoSettings,
    reference: LlamaForCausalLM | None = None,
) -> tuple[torch.Tensor, LossStats]:
    """The loss of a minibatch, already weighted, so that minibatch gradients simply add up."""
    ids = [s.trace.ids for s in samples]
    masks = [s.trace.mask for s in samples]
    now = chosen_logprobs(model, ids, masks, temperature=settings.temperature)
    old = torch.tensor(
        [
            p
            for s in samples
            for p, m in zip(s.trace.logprobs[1:], s.trace.mask[1:], strict=True)
            if m
        ]
    )
    advantages = [s.advantage * (1.0 if s.advantage > 0 else settings.negative) for s in samples]
    advantage = torch.tensor(advantages)[now.row]
    weight = torch.tensor(list(weights))[now.row]
    ratio = (now.logprobs - old).exp()
    bounded = ratio.clamp(1 - settings.clip_low, 1 + settings.clip_high)
    gain = torch.minimum(ratio * advantage, bounded * advantage)
    clipped = (ratio * advantage > bounded * advantage).float().sum().item()
    kl = torch.zeros_like(gain)
    if reference is not None and settings.kl > 0:
        with torch.no_grad():
            anchor = chosen_logprobs(reference, ids, masks, temperature=settings.temperature)
        gap = anchor.logprobs - now.logprobs
        kl = gap.exp() - gap - 1  # the k3 estimator: never negative, unbiased
    loss = ((settings.kl * kl - gain) * weight).sum()
    stats = LossStats(len(gain), clipped, kl.detach().sum().item(), now.entropy.sum().item())
    return loss, stats
