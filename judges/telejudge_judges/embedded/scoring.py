"""An embedded judge that only scores: how much more likely right is than wrong, in one pass.

    margins(network, sheets)      # logit(right) - logit(wrong) of each candidate of each sheet

The marks of the answers follow `review` with no label between them. Such a judge is trained on
orderings alone (Bradley-Terry, RRHF), so its margin means nothing without the threshold that its
spec holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from telejudge_judges.embedded.network import Network
from telejudge_judges.embedded.sheet import Cell, Role, Sheet


def margins(network: Network, sheets: Sequence[Sheet]) -> torch.Tensor:
    """[candidates of all sheets], in their order, with gradients."""
    rows, places = [], []
    for row, sheet in enumerate(sheets):
        cells = list(sheet.read)
        for spot in sheet.spots:
            if spot.step == sheet.answer:
                places.append((row, len(cells)))
                cells.append(Cell(Role.MARK, candidate=spot.candidate, step=spot.step))
        rows.append(cells)
    number, place = torch.tensor(places).unbind(-1)
    logits = network.head(network.hidden(rows)[number, place])
    return logits[:, network.spec.right] - logits[:, network.spec.wrong]
