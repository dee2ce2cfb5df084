"""Texts that a judge writes by chance, many at once, and how likely it finds each label of them.

    drafts = sample(network, sheets, generator)
    told = choices(sheets, drafts, network.spec)
    log_probabilities(network, told)         # [choices, labels]; NEVER or less: not allowed

A label drawn from a softmax is the largest of its logits plus Gumbel noise. With noise that is
drawn once for each place, a text by chance is the greedy text of the noisy logits, and the few
passes that find the greedy one (embedded/writing.py) find this one, for all sheets together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from telejudge_judges.embedded.network import Network
from telejudge_judges.embedded.sheet import Cell, Role, Sheet
from telejudge_judges.embedded.spec import CLEAR, EmbeddedSpec
from telejudge_judges.embedded.writing import MOST, Draft, first_draft, following, revised

NEVER = -1e9
"""The logit of what may not be written: minus infinity whose gradient is 0, not NaN."""


class Choices(NamedTuple):
    """Everything that was written on some sheets, a row of cells each. Of every choice: its row,
    the cell after which it was made, the label, [choices] each, and what could have been written,
    [choices, labels] of bool."""

    rows: list[list[Cell]]
    row: torch.Tensor
    place: torch.Tensor
    label: torch.Tensor
    allowed: torch.Tensor


@torch.no_grad()
def sample(network: Network, sheets: Sequence[Sheet], generator: torch.Generator) -> list[Draft]:
    """One text for each sheet, at temperature 1."""
    spec = network.spec
    drafts = [first_draft(sheet, spec) for sheet in sheets]
    noise = [_gumbel((len(sheet.spots), MOST + 1, spec.labels), generator) for sheet in sheets]
    open_ = list(range(len(sheets)))
    while open_:
        cells = [[*sheets[i].read, *sheets[i].written(drafts[i].__getitem__)] for i in open_]
        hidden = network.hidden(cells)
        left = []
        for number, i in enumerate(open_):
            logits = network.head(hidden[number, len(sheets[i].read) : len(cells[number])])
            places = [
                (spot, count)
                for spot, labels in enumerate(drafts[i].values())
                for count in range(len(labels) + 1)
            ]
            spots, counts = torch.tensor(places).unbind(-1)
            rows = (logits + noise[i][spots, counts]).tolist()
            found = revised(sheets[i], drafts[i], rows, spec)
            if found != drafts[i]:
                drafts[i] = found
                left.append(i)
        open_ = left
    return drafts


def choices(sheets: Sequence[Sheet], drafts: Sequence[Draft], spec: EmbeddedSpec) -> Choices:
    """Of every spot: its labels, and that no more follows them (unless there may not)."""
    rows, places, allowed = [], [], []
    for row, (sheet, draft) in enumerate(zip(sheets, drafts, strict=True)):
        cells = list(sheet.read)
        for spot in sheet.spots:
            cells.append(Cell(Role.MARK, candidate=spot.candidate, step=spot.step))
            labels, answers = draft[spot], spot.step == sheet.answer
            for number, label in enumerate(labels):
                places.append((row, len(cells) - 1, label))
                free = (spec.wrong, spec.right) if answers else following(labels[:number], spec)
                allowed.append(free)
                cells.append(Cell(Role.LABEL, value=label))
            if not answers and len(labels) < MOST:
                places.append((row, len(cells) - 1, CLEAR))
                allowed.append(following(labels, spec))
        rows.append(cells)
    mask = torch.zeros(len(places), spec.labels, dtype=torch.bool)
    for number, free in enumerate(allowed):
        mask[number, list(free)] = True
    row, place, label = torch.tensor(places).unbind(-1)
    return Choices(rows, row, place, label, mask)


def log_probabilities(network: Network, told: Choices) -> torch.Tensor:
    """[choices, labels], over what could have been written."""
    logits = network.head(network.hidden(told.rows)[told.row, told.place])
    return logits.masked_fill(~told.allowed, NEVER).log_softmax(-1)


def _gumbel(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    uniform = torch.rand(shape, generator=generator).clamp_min(1e-12)
    return -torch.log(-torch.log(uniform))
