"""On-policy distillation: a smaller judge writes by chance, and learns what its teacher would have
written after every label of it.

    loss = mean over what was written of KL(student || teacher), over the labels that may follow

(reverse KL on the student's own texts: Agarwal et al. 2024, arXiv:2306.13649). The teacher's
tokenizer, labels and limits are the student's too, so that both read the same sheets; only the
sizes of the network are the recipe's. Nothing is learned from the truth.
"""

from __future__ import annotations

import torch

from telejudge_judges.embedded.spec import EmbeddedSpec, Shape
from telejudge_training.embedded_judge.dealing import Dealer, growing
from telejudge_training.embedded_judge.grpo import dice_of
from telejudge_training.embedded_judge.objective import Figures, Objective, Work, reader
from telejudge_training.embedded_judge.sampling import choices, log_probabilities, sample

SIZES = ("hidden", "layers", "heads", "intermediate")


def opd(work: Work) -> Objective:
    assert work.start is not None, "run.py asks for the teacher"
    parts, settings, teacher = work.parts, work.settings, work.start.network
    dealer = Dealer(work.pools, settings, work.seed, growing(settings, parts.spec.shape.candidates))
    read, network, spec = reader(work, dealer), parts.network, parts.spec

    def loss(step: int) -> tuple[torch.Tensor, Figures]:
        sheets = [sheet for _, (sheet,) in read(step)]
        told = choices(sheets, sample(network, sheets, dice_of(work.seed, step)), spec)
        own = log_probabilities(network, told)
        with torch.no_grad():
            wanted = log_probabilities(teacher, told)
        apart = torch.where(told.allowed, own.exp() * (own - wanted), 0.0).sum(1)
        answers = told.label >= spec.wrong
        weights = torch.where(answers, settings.answer, 1.0)
        return (apart * weights).sum() / weights.sum(), {}

    return Objective(loss)


def student(teacher: EmbeddedSpec, shape: Shape) -> EmbeddedSpec:
    """The teacher's languages and limits in a network of `shape`'s sizes."""
    sizes = {name: getattr(shape, name) for name in SIZES}
    return teacher.model_copy(update={"shape": teacher.shape.model_copy(update=sizes)})
