"""The embedded judge's network: calls become vectors, a small Llama reads and writes the sheet.

In: rows of cells. Out: logits over the labels at every cell.

A call with its result is a few dozen tokens of which all matter at once: windows of three tokens
are mixed and summed into one vector, so that a group of eight is some 200 cells long instead of
several thousand tokens, and a laptop trains and runs it. A mark is told from others by the sum of
its candidate's and its step's embedding, which the cell of the call carries too: that is how the
judge finds the call that it writes about.

With `own` layers each candidate is first read by itself (ticket, calls, end), the same whoever it
stands among; what was understood of a call is added to its cell before all are read together.
Without, much of what the judge sees in a candidate alone it no longer sees among seven others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import LlamaConfig, LlamaModel

from telejudge_judges.embedded.sheet import Cell, Role
from telejudge_judges.embedded.spec import EmbeddedSpec, Shape

SPREAD = 0.06
"""Standard deviation of initial weights: with the usual 0.02 a model this small learns later."""

LOUD = 3 * SPREAD
"""What a call is must be heard beside where it is: without, it is a fifth of its cell."""

LONGEST = 4096
"""Cells of a sheet."""


class Network(nn.Module):
    """Raises nothing for any sheet of its spec."""

    def __init__(self, spec: EmbeddedSpec, vocabulary: int) -> None:
        super().__init__()
        shape, self.spec = spec.shape, spec
        width = shape.hidden
        self.token = nn.Embedding(vocabulary, width)
        self.place = nn.Embedding(shape.piece, width)
        self.mix = nn.Linear(3 * width, width)
        self.join = nn.Linear(width, width)
        self.loud = nn.RMSNorm(width)
        self.candidate = nn.Embedding(shape.candidates, width)
        self.step = nn.Embedding(shape.steps + 2, width)
        self.stop = nn.Embedding(len(spec.stops) + 1, width)
        self.label = nn.Embedding(spec.labels, width)
        self.role = nn.Embedding(len(Role), width)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=SPREAD)
        nn.init.constant_(self.loud.weight, LOUD)
        self.body = _llama(shape, shape.layers)
        self.head = nn.Linear(width, spec.labels)
        if shape.own:
            self.own = _llama(shape, shape.own)
            nn.init.constant_(self.own.norm.weight, LOUD)

    def hidden(self, rows: Sequence[Sequence[Cell]], *, past: Any = None) -> torch.Tensor:
        """[rows, longest row, hidden]; cells after a row's end are padding."""
        vectors = self._cells(rows)
        if past is None:
            return self.body(inputs_embeds=vectors, use_cache=False).last_hidden_state
        start = past.get_seq_length()
        places = torch.arange(start, start + vectors.shape[1])[None]
        return self.body(
            inputs_embeds=vectors, past_key_values=past, position_ids=places, use_cache=True
        ).last_hidden_state

    def pieces(self, pieces: Sequence[tuple[int, ...]]) -> torch.Tensor:
        """[pieces, hidden]: one vector for each text."""
        lengths = torch.tensor([len(piece) for piece in pieces])
        tokens = torch.tensor([token for piece in pieces for token in piece])
        places = torch.tensor([place for piece in pieces for place in range(len(piece))])
        owner = torch.repeat_interleave(torch.arange(len(pieces)), lengths)
        each = self.token(tokens) + self.place(places)
        padded = functional.pad(each, (0, 0, 1, 1))
        inner = (places > 0)[:, None]
        more = torch.ones_like(inner)
        more[lengths.cumsum(0) - 1] = False
        window = torch.cat([padded[:-2] * inner, each, padded[2:] * more], dim=-1)
        mixed = functional.gelu(self.mix(window))
        summed = mixed.new_zeros(len(pieces), mixed.shape[1]).index_add(0, owner, mixed)
        return self.loud(self.join(summed / lengths[:, None].sqrt()))

    def _cells(self, rows: Sequence[Sequence[Cell]]) -> torch.Tensor:
        known: dict[tuple[int, ...], int] = {(0,): 0}  # equal texts are computed once
        width = max(map(len, rows))
        blank = (len(Role), 0, 0, 0, 0)
        table = []
        for row in rows:
            filled = [
                (cell.role, known.setdefault(cell.piece or (0,), len(known)), *cell[2:])
                for cell in row
            ]
            table.append(filled + [blank] * (width - len(row)))
        role, piece, candidate, step, value = torch.tensor(table).unbind(-1)

        def where(*roles: Role) -> torch.Tensor:
            return torch.isin(role, torch.tensor(roles))[..., None]

        placed = where(Role.STEP, Role.STOP, Role.MARK)
        spec = self.spec
        roles = self.role(role.clamp(max=len(Role) - 1))
        texts = _rows(self.pieces(list(known)), piece) * where(Role.TICKET, Role.STEP)
        stops = self.stop(value.clamp(max=len(spec.stops))) * where(Role.STOP)
        cells = (
            roles
            + texts
            + (self.candidate(candidate) + self.step(step)) * placed
            + stops
            + self.label(value.clamp(max=spec.labels - 1)) * where(Role.LABEL)
        )
        if not spec.shape.own:
            return cells
        return self._with_own(cells, roles + texts + self.step(step) * placed + stops, rows)

    def _with_own(
        self, cells: torch.Tensor, bare: torch.Tensor, rows: Sequence[Sequence[Cell]]
    ) -> torch.Tensor:
        """`cells`, and at calls and ends what is understood of each candidate by itself from
        `bare`, in which nothing says which candidate it is. Both [rows, longest row, hidden]."""
        alone = [(row, places) for row, line in enumerate(rows) for places in _by_candidate(line)]
        if not alone:
            return cells
        width, longest = cells.shape[1], max(len(places) for _, places in alone)
        place = torch.tensor([p + [0] * (longest - len(p)) for _, p in alone])
        where = torch.tensor([[row * width] for row, _ in alone]) + place
        read = self.own(inputs_embeds=_rows(bare.flatten(0, 1), where), use_cache=False)
        its_own = place > 0  # neither the ticket, which all share, nor padding
        understood = torch.zeros_like(cells).flatten(0, 1)
        understood[where[its_own]] = read.last_hidden_state[its_own]
        return cells + understood.view_as(cells)


def _rows(table: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """`table[which]`, of which the gradient adds in the same order every time: that of indexing
    adds in whatever order torch's threads come to it."""
    return functional.embedding(which, table)


def _by_candidate(cells: Sequence[Cell]) -> Iterable[list[int]]:
    """The places of the ticket and of a candidate's calls and end, for each candidate."""
    found: dict[int, list[int]] = {}
    for place, cell in enumerate(cells):
        if cell.role in (Role.STEP, Role.STOP):
            found.setdefault(cell.candidate, [0]).append(place)
    return found.values()


def _llama(shape: Shape, layers: int) -> LlamaModel:
    return LlamaModel(
        LlamaConfig(
            vocab_size=1,  # it is given vectors
            hidden_size=shape.hidden,
            num_hidden_layers=layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.heads,
            intermediate_size=shape.intermediate,
            max_position_embeddings=LONGEST,
            initializer_range=SPREAD,
            bos_token_id=None,
            eos_token_id=None,
            attn_implementation="sdpa",  # pyright: ignore[reportCallIssue]
        )
    )
