"""A judge's own texts, rewarded by the truth: group-relative policy gradient (GRPO).

Each sheet is written several times by chance. A text earns the share of its right verdicts, 0.1 for
each defect of the right call and kind, and loses 0.1 for each other one (the rules of
judge_training/verdict_rewards.py). What it earned beyond the mean of its sheet's texts, in standard
deviations, is how much more likely its labels are made. One update a sample, so there is nothing to
clip. It goes on with a judge that was trained otherwise, and wants a tenth of the learning rate
with which that was learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import torch

from telejudge_judges.embedded.sheet import Sheet
from telejudge_judges.embedded.spec import EmbeddedSpec
from telejudge_judges.embedded.writing import Draft
from telejudge_training.embedded_judge.dealing import Dealer, several
from telejudge_training.embedded_judge.lessons import truths_of
from telejudge_training.embedded_judge.objective import Figures, Objective, Work, reader
from telejudge_training.embedded_judge.pools import Labelled
from telejudge_training.embedded_judge.sampling import choices, log_probabilities, sample
from telejudge_training.judge_training.verdict_rewards import DEEPEST

DEFECT = 0.1
"""What a true defect earns and a false one costs; all right verdicts together earn 1."""

NEARLY_EQUAL = 1e-4
"""Added to the standard deviation."""


def grpo(work: Work) -> Objective:
    parts, settings = work.parts, work.settings
    size = several(parts.spec.shape.candidates)
    dealer = Dealer(work.pools, settings, work.seed, size, share=settings.samples)
    read, network = reader(work, dealer), parts.network

    def loss(step: int) -> tuple[torch.Tensor, Figures]:
        groups = read(step)
        sheets = [sheet for _, (sheet,) in groups for _ in range(settings.samples)]
        dealt = [own for own, _ in groups for _ in range(settings.samples)]
        drafts = sample(network, sheets, dice_of(work.seed, step))
        rewards = [
            reward(sheet, own, draft, parts.spec)
            for sheet, own, draft in zip(sheets, dealt, drafts, strict=True)
        ]
        told = choices(sheets, drafts, parts.spec)
        logs = log_probabilities(network, told).gather(1, told.label[:, None]).squeeze(1)
        weights = advantages(rewards, settings.samples)[told.row]
        return -(weights * logs).mean(), {"reward": fmean(rewards)}

    return Objective(loss)


def reward(sheet: Sheet, dealt: Sequence[Labelled], draft: Draft, spec: EmbeddedSpec) -> float:
    """Of one text. Defects together cost 1 at most."""
    truth = truths_of(sheet, dealt, spec)
    right = sum(draft[s] == truth[s] for s in sheet.spots if s.step == sheet.answer)
    verified = false = 0
    for spot in sheet.spots:
        if spot.step != sheet.answer:
            said = {spec.defect(label)[0] for label in draft[spot]}
            true = {spec.defect(label)[0] for label in truth[spot]}
            verified += len(said & true)
            false += len(said - true)
    return right / len(dealt) + max(DEEPEST, DEFECT * (verified - false))


def advantages(rewards: Sequence[float], samples: int) -> torch.Tensor:
    """[texts]: `samples` texts of one sheet follow each other."""
    each = torch.tensor(rewards).view(-1, samples)
    centred = each - each.mean(1, keepdim=True)
    return (centred / (each.std(1, keepdim=True) + NEARLY_EQUAL)).flatten()


def dice_of(seed: int, step: int) -> torch.Generator:
    """For the samples of one update."""
    return torch.Generator().manual_seed((seed << 32) + step)
