"""A group as the sequence of cells that the embedded judge reads and writes on.

    ticket | step 0, step 1, … end of candidate 0 | … of candidate 1 | … | review |
    mark(0, 0) labels … mark(0, end) labels, mark(0, answer) right/wrong | mark(1, 0) …

Everything up to `review` is read. Then the judge goes through the candidates call by call: after
the mark of a call it writes the defects of that call in ascending order, often none; after the mark
of the end those of the whole; after the mark of the answer, right or wrong. Marks are given, labels
are generated, each in sight of everything before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from telejudge_judges.embedded.reading import CaseText
from telejudge_judges.embedded.spec import EmbeddedSpec

Encode = Callable[[str], Sequence[int]]
"""Text to token ids."""


class Role(IntEnum):
    TICKET, STEP, STOP, REVIEW, MARK, LABEL = range(6)


class Cell(NamedTuple):
    """One place of the sequence; what its role does not use is 0 or empty."""

    role: Role
    piece: tuple[int, ...] = ()
    candidate: int = 0
    step: int = 0
    value: int = 0
    """A label, or the number of a stop."""


class Spot(NamedTuple):
    """Where labels are written: `step` is a call's, or `end` or `answer` of the sheet."""

    candidate: int
    step: int


class Sheet(NamedTuple):
    """What is read, and the spots in the order of writing."""

    read: tuple[Cell, ...]
    spots: tuple[Spot, ...]
    end: int
    answer: int

    def written(self, labels: Callable[[Spot], Iterable[int]]) -> list[Cell]:
        """The cells after `review`, with the labels of each spot."""
        cells: list[Cell] = []
        for spot in self.spots:
            cells.append(Cell(Role.MARK, candidate=spot.candidate, step=spot.step))
            cells += [Cell(Role.LABEL, value=label) for label in labels(spot)]
        return cells


def sheet_of(case: CaseText, spec: EmbeddedSpec, encode: Encode) -> Sheet:
    """Raises ValueError for more candidates or calls than the spec has room for."""
    shape = spec.shape
    end, answer = shape.steps, shape.steps + 1
    if len(case.candidates) > shape.candidates:
        raise ValueError(f"{len(case.candidates)} candidates; room for {shape.candidates}")
    read = [Cell(Role.TICKET, tuple(encode(case.ticket)[: shape.piece]))]
    spots: list[Spot] = []
    for number, one in enumerate(case.candidates):
        if len(one.steps) > shape.steps:
            raise ValueError(f"{len(one.steps)} calls; room for {shape.steps}")
        for step, (call, result) in enumerate(one.steps):
            piece = (*encode(call)[: shape.call], *encode("\n"), *encode(result))[: shape.piece]
            read.append(Cell(Role.STEP, tuple(piece), number, step))
            spots.append(Spot(number, step))
        stop = spec.stops.index(one.stop) if one.stop in spec.stops else len(spec.stops)
        read.append(Cell(Role.STOP, (), number, end, stop))
        spots += [Spot(number, end), Spot(number, answer)]
    return Sheet((*read, Cell(Role.REVIEW)), tuple(spots), end, answer)
