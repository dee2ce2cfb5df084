"""A Llama forward pass with a preallocated KV cache in which every row has its own position.

transformers' cache grows all rows together; in multi-turn rollouts each row is somewhere else.
Here a chunk of tokens is fed to all rows at once, each from its own position on, and nothing is
ever computed twice. fp32, no gradients; weights are read from the model when it is constructed,
so construct a new one after every update. Checked against transformers by a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


ROOM = 192
"""Positions to begin with; the cache doubles when they do not suffice."""


class FastLlama:
    """`rows` sequences that grow as they are fed; `feed` gives logits at each row's last token."""

    def __init__(self, model: LlamaForCausalLM, rows: int) -> None:
        config: Any = model.config
        self.heads: int = config.num_attention_heads
        self.width: int = config.hidden_size // self.heads
        if config.num_key_value_heads != self.heads:
            raise ValueError("FastLlama has no grouped-query attention; use as many KV heads")
        self._eps: float = config.rms_norm_eps
        inner: Any = model.model
        self._embed = inner.embed_tokens.weight
        self._norm = inner.norm.weight
        self._head = model.lm_head.weight
        self._layers = [
            (
                layer.input_layernorm.weight,
                torch.cat([getattr(layer.self_attn, f"{p}_proj").weight for p in "qkv"]),
                layer.self_attn.o_proj.weight,
                layer.post_attention_layernorm.weight,
                torch.cat([layer.mlp.gate_proj.weight, layer.mlp.up_proj.weight]),
                layer.mlp.down_proj.weight,
            )
            for layer in inner.layers
        ]
        self._frequencies: torch.Tensor = inner.rotary_emb.inv_freq
        self._used = 0
        nothing = torch.zeros(rows, self.heads, 0, self.width)
        self._keys = [nothing for _ in self._layers]
        self._values = [nothing for _ in self._layers]
        self._make_room(ROOM)

    def keep(self, rows: list[int]) -> None:
        """Drop all rows but these; the kept ones are renumbered from 0."""
        index = torch.tensor(rows)
        self._keys = [_taken(k, index, self._used, self._room) for k in self._keys]
        self._values = [_taken(v, index, self._used, self._room) for v in self._values]

    def _make_room(self, positions: int) -> None:
        """Lengthen the cache, which is the longest episode's length and mostly far less."""
        self._room = positions
        angles = torch.arange(positions)[:, None] * self._frequencies[None]
        angles = torch.cat([angles, angles], -1)
        self._cos, self._sin = angles.cos(), angles.sin()
        every = torch.arange(len(self._keys[0]))
        self._keys = [_taken(k, every, self._used, positions) for k in self._keys]
        self._values = [_taken(v, every, self._used, positions) for v in self._values]

    def feed(
        self,
        tokens: torch.Tensor,
        start: torch.Tensor,
        last: torch.Tensor,
        rows: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Feed `tokens` (rows, n; right-padded) from position `start` (rows) on.

        `last` (rows) is the index of each row's last real token; `rows` says which rows are fed
        (all without). Returns logits (rows, vocab). What padding writes into the cache lies behind
        every real token, so it is never attended to and later overwritten; that holds for a row
        that only takes part as padding, too.
        """
        count, n = tokens.shape
        every = torch.arange(count)
        fed = every if rows is None else rows
        position = start[:, None] + torch.arange(n)
        seen = int(position.max()) + 1
        if seen > self._room:
            self._make_room(max(2 * self._room, seen))
        self._used = max(self._used, seen)
        hidden = torch.zeros(count, 1, n, seen)
        hidden.masked_fill_(torch.arange(seen) > position[:, None, :, None], -torch.inf)
        hidden = hidden.expand(-1, self.heads, -1, -1).reshape(-1, n, seen)
        cos, sin = self._cos[position][:, None], self._sin[position][:, None]
        x = F.embedding(tokens, self._embed)
        for weights, keys, values in zip(self._layers, self._keys, self._values, strict=True):
            norm1, qkv, out, norm2, gate_up, down = weights
            y = F.linear(F.rms_norm(x, (x.shape[-1],), norm1, self._eps), qkv)
            q, k, v = y.view(count, n, 3, self.heads, self.width).unbind(2)
            q = _rotate(q.transpose(1, 2), cos, sin)
            keys[fed[:, None], :, position] = _rotate(k.transpose(1, 2), cos, sin).transpose(1, 2)
            values[fed[:, None], :, position] = v
            k, v = keys[:, :, :seen], values[:, :, :seen]
            if rows is not None:
                k, v = k[rows], v[rows]
            attended = _attend(q.flatten(0, 1), k.flatten(0, 1), v.flatten(0, 1), hidden)
            attended = attended.view(count, self.heads, n, self.width).transpose(1, 2)
            x = x + F.linear(attended.reshape(count, n, -1), out)
            y = F.rms_norm(x, (x.shape[-1],), norm2, self._eps)
            gate, up = F.linear(y, gate_up).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, down)
        x = F.rms_norm(x[every, last], (x.shape[-1],), self._norm, self._eps)
        return F.linear(x, self._head)


def _attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, hidden: torch.Tensor
) -> torch.Tensor:
    """Attention over (rows x heads, positions, width); `hidden` is -inf where nothing is seen.

    For a single query torch's fused kernel takes three times as long as these two products.
    """
    scores = torch.baddbmm(hidden, q, k.transpose(1, 2), alpha=q.shape[-1] ** -0.5)
    return torch.bmm(scores.softmax(-1), v)


def _taken(cache: torch.Tensor, rows: torch.Tensor, used: int, room: int) -> torch.Tensor:
    """A cache with these rows and this much room; the first `used` positions are kept."""
    longer = torch.zeros(len(rows), cache.shape[1], room, cache.shape[3])
    kept = min(used, cache.shape[2])
    longer[:, :, :kept] = cache[rows, :, :kept]
    return longer


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin
