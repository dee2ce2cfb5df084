"""Stray tokens among what a judge learns to read, so that they come to mean nothing.

    strew = Strewer(parts, settings)
    strew(cells, dice)          # changes some of the cells

An agent may write what it likes into the arguments of a call: praise, orders to the judge, fake
verdicts. Random tokens stand for all of it, so that no list of such texts is learned by heart.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from telejudge_judges.embedded.folder import Parts, encoder
from telejudge_judges.embedded.sheet import Cell, Role
from telejudge_training.embedded_judge.settings import LearningSettings

FEW = 24
"""Stray tokens at most, at the head of a call."""

HEAD = 4
"""Places at the head of a call where they may stand."""


class Strewer:
    """Into one call of each candidate with the probability `settings.noise`."""

    def __init__(self, parts: Parts, settings: LearningSettings) -> None:
        self._share, self._anywhere = settings.noise, settings.strewn == "call"
        self._words = parts.tokenizer.get_vocab_size()
        self._shape = parts.spec.shape
        (self._newline,) = encoder(parts.tokenizer)("\n")

    def __call__(self, cells: list[Cell], dice: random.Random) -> None:
        by_candidate: dict[int, list[int]] = {}
        for place, cell in enumerate(cells):
            if cell.role == Role.STEP:
                by_candidate.setdefault(cell.candidate, []).append(place)
        for places in by_candidate.values():
            if dice.random() < self._share:
                place = dice.choice(places)
                strew = self._in_call if self._anywhere else self._at_head
                strewn = strew(cells[place].piece, dice)
                cells[place] = cells[place]._replace(piece=strewn[: self._shape.piece])

    def _at_head(self, piece: tuple[int, ...], dice: random.Random) -> tuple[int, ...]:
        stray = self._stray(FEW, dice)
        where = dice.randrange(min(HEAD, len(piece) + 1))
        return (*piece[:where], *stray, *piece[where:])

    def _in_call(self, piece: tuple[int, ...], dice: random.Random) -> tuple[int, ...]:
        """What no longer fits into a call is not read of it, as when an agent wrote so much."""
        end = piece.index(self._newline) if self._newline in piece else len(piece)
        stray = self._stray(self._shape.call, dice)
        where = dice.randrange(end + 1)
        call = (*piece[:where], *stray, *piece[where:end])
        return (*call[: self._shape.call], *piece[end:])

    def _stray(self, most: int, dice: random.Random) -> Sequence[int]:
        return [dice.randrange(self._words) for _ in range(dice.randint(1, most))]
