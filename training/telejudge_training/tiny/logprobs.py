"""Token sequences in, log-probabilities of the chosen tokens out, with gradients.

Only positions that carry weight go through the output layer: in an episode that is every third
token or fewer, and the output layer is the larger part of a tiny model's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


@dataclass(frozen=True)
class Chosen:
    """Values for every weighted token of a batch, flat; `row` says whose token it is."""

    logprobs: torch.Tensor
    weights: torch.Tensor
    row: torch.Tensor
    entropy: torch.Tensor


def chosen_logprobs(
    model: LlamaForCausalLM,
    ids: Sequence[Sequence[int]],
    weights: Sequence[Sequence[float]],
    *,
    temperature: float = 1.0,
) -> Chosen:
    """Log-probabilities of the tokens whose weight is not 0, given all before them.

    `ids[i][t]` is predicted from `ids[i][:t]`, so the weight of the first token is ignored. Rows
    may differ in length: they are padded on the right, which causal attention never looks at.
    """
    longest = max(map(len, ids))
    pad = int(getattr(model.config, "pad_token_id", None) or 0)
    tokens = torch.full((len(ids), longest), pad)
    weight = torch.zeros(len(ids), longest)
    for i, (row, row_weights) in enumerate(zip(ids, weights, strict=True)):
        tokens[i, : len(row)] = torch.tensor(row)
        weight[i, : len(row)] = torch.tensor(row_weights, dtype=torch.float)
    inner: Any = model.model
    hidden = inner(input_ids=tokens[:, :-1], use_cache=False).last_hidden_state
    row, at = weight[:, 1:].nonzero(as_tuple=True)
    logits = F.linear(hidden[row, at], model.lm_head.weight) / temperature
    spread = torch.log_softmax(logits, -1)
    picked = spread.gather(1, tokens[row, at + 1][:, None]).squeeze(1)
    with torch.no_grad():
        entropy = -(spread.exp() * spread).sum(-1)
    return Chosen(picked, weight[row, at + 1], row, entropy)
