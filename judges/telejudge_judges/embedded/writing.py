"""How the embedded judge writes: the greedy text of labels, found in a few passes.

    for said in write(network, sheet): said.answer, said.certainty, said.defects

Greedy decoding writes label after label, each from everything before it. Most calls have no defect,
so a draft that says so is nearly right: each pass reads the whole draft at once, and every label
that the network would write differently is corrected. A draft that comes back unchanged is the
greedy text, exactly (fixed-point decoding: Song et al. 2021, arXiv:2002.03629). Each pass settles
at least one label more, so it always ends; usually after two to four.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import torch
from transformers import DynamicCache

from telejudge_judges.embedded.network import Network
from telejudge_judges.embedded.scoring import margins
from telejudge_judges.embedded.sheet import Sheet, Spot
from telejudge_judges.embedded.spec import CLEAR, EmbeddedSpec
from telejudge_judges.scalar_threshold import Threshold

MOST = 4
"""Labels written at one spot at most."""

Draft = dict[Spot, tuple[int, ...]]
Row = Sequence[float]


class Said(NamedTuple):
    """What was written of one candidate. `certainty` is the probability of the answer against the
    other one; defects are (step, label), step None for those of the whole."""

    answer: Literal[0, 1]
    certainty: float
    defects: tuple[tuple[int | None, int], ...]


@torch.inference_mode()
def write(network: Network, sheet: Sheet) -> list[Said]:
    """One for each candidate, in the sheet's order."""
    spec = network.spec
    if spec.threshold is not None:
        return [_scored(float(margin), spec.threshold) for margin in margins(network, [sheet])]
    past = DynamicCache()
    network.hidden([sheet.read], past=past)
    draft = first_draft(sheet, spec)
    while True:
        past.crop(len(sheet.read))
        cells = sheet.written(draft.__getitem__)
        rows = network.head(network.hidden([cells], past=past)[0]).tolist()
        found = revised(sheet, draft, rows, spec)
        if found == draft:
            return _said(sheet, draft, _by_spot(draft, rows), spec)
        draft = found


def first_draft(sheet: Sheet, spec: EmbeddedSpec) -> Draft:
    """Nothing is wrong."""
    return {s: (spec.right,) if s.step == sheet.answer else () for s in sheet.spots}


def revised(sheet: Sheet, draft: Draft, rows: Sequence[Row], spec: EmbeddedSpec) -> Draft:
    """What the logits `rows`, one after each written cell of the draft, say in its place."""
    read = _by_spot(draft, rows)
    return {
        spot: _answer(read[spot], spec)
        if spot.step == sheet.answer
        else _defects(read[spot], draft[spot], spec)
        for spot in sheet.spots
    }


def following(labels: Sequence[int], spec: EmbeddedSpec) -> tuple[int, ...]:
    """What may be written after so many labels of a call: nothing more, or a later defect."""
    last = labels[-1] if labels else CLEAR
    return (CLEAR, *range(last + 1, spec.wrong))


def _scored(margin: float, threshold: Threshold) -> Said:
    chance = threshold.chance(margin)
    return Said(1 if margin > threshold.threshold else 0, max(chance, 1 - chance), ())


def _by_spot(draft: Draft, rows: Sequence[Row]) -> dict[Spot, Sequence[Row]]:
    """The logits after a spot's mark and after each of its labels."""
    start, read = 0, {}
    for spot, labels in draft.items():
        stop = start + 1 + len(labels)
        read[spot], start = rows[start:stop], stop
    return read


def _answer(rows: Sequence[Row], spec: EmbeddedSpec) -> tuple[int, ...]:
    row = rows[0]
    return (spec.right,) if row[spec.right] > row[spec.wrong] else (spec.wrong,)


def _defects(rows: Sequence[Row], drafted: Sequence[int], spec: EmbeddedSpec) -> tuple[int, ...]:
    """As far as the draft's prefix holds, and the first label beyond it."""
    written: list[int] = []
    for number, row in enumerate(rows):
        best = max(following(written, spec), key=row.__getitem__)
        if best == CLEAR or len(written) == MOST:
            break
        written.append(best)
        if number < len(drafted) and drafted[number] != best:
            break  # what follows was read in sight of another label
    return tuple(written)


def _said(
    sheet: Sheet, draft: Draft, read: Mapping[Spot, Sequence[Row]], spec: EmbeddedSpec
) -> list[Said]:
    found: list[Said] = []
    defects: list[tuple[int | None, int]] = []
    for spot in sheet.spots:
        if spot.step != sheet.answer:
            step = None if spot.step == sheet.end else spot.step
            defects += [(step, label) for label in draft[spot]]
            continue
        row = read[spot][0]
        margin = torch.tensor(abs(row[spec.right] - row[spec.wrong]))
        answer = 1 if draft[spot] == (spec.right,) else 0
        found.append(Said(answer, float(torch.sigmoid(margin)), tuple(defects)))
        defects = []
    return found
