"""The truth of whole groups, label by label: cross-entropy of what is to be written.

`pointwise` is the same on sheets of one candidate, `pairs` on one right and one wrong candidate
only (the seed reports' ablations).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from telejudge_judges.embedded.folder import encoder
from telejudge_judges.embedded.network import Network
from telejudge_training.embedded_judge.dealing import (
    Dealer,
    growing,
    right_and_wrong,
    with_answers,
)
from telejudge_training.embedded_judge.lessons import Lesson, lesson_of
from telejudge_training.embedded_judge.objective import Figures, Objective, Work
from telejudge_training.embedded_judge.strewing import Strewer


def listwise(work: Work) -> Objective:
    """Groups of one or two at first, then of any size that the spec has room for."""
    size = growing(work.settings, work.parts.spec.shape.candidates)
    return _taught(work, Dealer(work.pools, work.settings, work.seed, size))


def pairs(work: Work) -> Objective:
    pools = with_answers(work.pools)
    dealer = Dealer(pools, work.settings, work.seed, lambda step, dice: 2, right_and_wrong)
    return _taught(work, dealer)


def _taught(work: Work, dealer: Dealer) -> Objective:
    parts, settings, spec = work.parts, work.settings, work.parts.spec
    encode, strew = encoder(parts.tokenizer), Strewer(parts, settings)

    def loss(step: int) -> tuple[torch.Tensor, Figures]:
        dice, deals = dealer.deal(step)
        lessons = []
        for pool, dealt in deals:
            lesson = lesson_of(pool.view, dealt, spec, encode, settings)
            strew(lesson.cells, dice)
            lessons.append(lesson)
        return loss_of(parts.network, lessons), {}

    return Objective(loss)


def loss_of(network: Network, lessons: Sequence[Lesson]) -> torch.Tensor:
    """Weighted mean cross-entropy of all labels of all lessons."""
    hidden = network.hidden([lesson.cells for lesson in lessons])
    labels = [(row, *label) for row, lesson in enumerate(lessons) for label in lesson.labels]
    rows, places, values, weights = zip(*labels, strict=True)
    logits = network.head(hidden[torch.tensor(rows), torch.tensor(places)])
    each = functional.cross_entropy(logits, torch.tensor(values), reduction="none")
    weighed = torch.tensor(weights)
    return (each * weighed).sum() / weighed.sum()
