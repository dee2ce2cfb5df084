"""Objectives that know nothing but which candidate of a task is better: reward models.

| objective | loss of candidates of one task, read alone |
|---|---|
| `bt` | -log sigmoid(better - worse) of one pair (Bradley-Terry) |
| `rrhf` | mean over all pairs of max(0, worse - better + margin) (judge_training/ranking.py) |

What is compared is the margin of right over wrong where the answer would be written (embedded/
scoring.py); "better" is a higher true reward, ties are not compared. Such a margin has no zero of
its own: a threshold is fitted on the dev candidates' answers and kept in the spec.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from telejudge_judges.embedded.folder import Parts, encoder
from telejudge_judges.embedded.scoring import margins
from telejudge_judges.embedded.sheet import sheet_of
from telejudge_judges.scalar_threshold import fit
from telejudge_training.embedded_judge.dealing import Dealer, several, unequal, with_rewards
from telejudge_training.embedded_judge.objective import Figures, Objective, Work, reader
from telejudge_training.embedded_judge.pools import LabelledPool, case_from
from telejudge_training.judge_training.ranking import ranking_loss

LISTED = 8
"""Candidates of a list at most."""

MARGIN = 1.0
"""By how much the better must lead: without, equal scores for all would be enough of RRHF."""


OfList = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Scores and true rewards of one list, each (n,), to its loss."""


def bt(work: Work) -> Objective:
    return _ordered(work, 2, lambda scores, rewards: -functional.logsigmoid(_lead(scores, rewards)))


def rrhf(work: Work) -> Objective:
    return _ordered(work, LISTED, lambda scores, rewards: ranking_loss(scores, rewards, MARGIN))


def _lead(scores: torch.Tensor, rewards: torch.Tensor) -> torch.Tensor:
    return (scores[0] - scores[1]) * torch.sign(rewards[0] - rewards[1])


def _ordered(work: Work, most: int, loss_of_list: OfList) -> Objective:
    dealer = Dealer(with_rewards(work.pools), work.settings, work.seed, several(most), unequal)
    read, network = reader(work, dealer, alone=True), work.parts.network

    def loss(step: int) -> tuple[torch.Tensor, Figures]:
        lists = read(step)
        scores = margins(network, [sheet for _, sheets in lists for sheet in sheets])
        each = scores.split([len(dealt) for dealt, _ in lists])
        losses = [
            loss_of_list(own, torch.tensor([one.truth.reward for one in dealt]))
            for own, (dealt, _) in zip(each, lists, strict=True)
        ]
        return torch.stack(losses).mean(), {}

    return Objective(loss, fitted)


@torch.inference_mode()
def fitted(parts: Parts, dev: Sequence[LabelledPool]) -> Parts:
    """With the threshold of highest accuracy on dev candidates. Raises UsageError unless right and
    wrong ones are among them."""
    encode, spec = encoder(parts.tokenizer), parts.spec
    sheets = [
        sheet_of(case_from(pool.view, [one], spec.kinds(pool.view.world)), spec, encode)
        for pool in dev
        for one in pool.members
    ]
    scores = [float(margins(parts.network, [sheet])) for sheet in sheets]
    answers = [one.truth.answer for pool in dev for one in pool.members]
    spec = spec.model_copy(update={"threshold": fit(scores, answers, fitted_on="dev")})
    parts.network.spec = spec
    return parts._replace(spec=spec)
