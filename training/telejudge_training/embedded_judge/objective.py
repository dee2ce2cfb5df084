"""What every objective is: a loss for each update, and what is fitted when the updates are done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

from telejudge_judges.embedded.folder import Parts, encoder
from telejudge_judges.embedded.sheet import Sheet
from telejudge_training.embedded_judge.dealing import Dealer, strewn_sheet
from telejudge_training.embedded_judge.pools import Labelled, LabelledPool
from telejudge_training.embedded_judge.settings import LearningSettings
from telejudge_training.embedded_judge.strewing import Strewer

Figures = Mapping[str, float]
"""What else is told of an update beside its loss."""

Loss = Callable[[int], tuple[torch.Tensor, Figures]]
"""Of the update with this number (from 0)."""


class Work(NamedTuple):
    """All that an objective is made from. `start` is a judge that is there already: what `grpo`
    goes on with, or `opd`'s teacher."""

    parts: Parts
    pools: Sequence[LabelledPool]
    settings: LearningSettings
    seed: int
    start: Parts | None = None


class Objective(NamedTuple):
    loss: Loss
    fitted: Callable[[Parts, Sequence[LabelledPool]], Parts] = lambda parts, dev: parts
    """The judge as it is to be kept, from what was learned and dev groups."""


Read = tuple[list[Labelled], list[Sheet]]
"""A deal and its sheets: one of all candidates, or one for each."""


def reader(work: Work, dealer: Dealer, *, alone: bool = False) -> Callable[[int], list[Read]]:
    """What an update reads, for objectives that write or score by themselves."""
    encode, strew = encoder(work.parts.tokenizer), Strewer(work.parts, work.settings)
    spec = work.parts.spec

    def read(step: int) -> list[Read]:
        dice, deals = dealer.deal(step)
        found = []
        for pool, dealt in deals:
            shown = [[one] for one in dealt] if alone else [dealt]
            sheets = [strewn_sheet(pool, some, spec, encode, strew, dice) for some in shown]
            found.append((dealt, sheets))
        return found

    return read
