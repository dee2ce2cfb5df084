"""A toy task whose candidates can be told apart, and an untrained judge that could learn to."""

from __future__ import annotations

import torch

from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.embedded.folder import Parts
from telejudge_judges.embedded.network import Network
from telejudge_judges.testing import SAMPLE_TASK, sample_trajectory
from telejudge_training.embedded_judge.languages import languages_of
from telejudge_training.embedded_judge.pools import Labelled, LabelledPool
from telejudge_training.judge_data.rows import CandidateTruth

BAD = Defect(step=1, kind="failed_call", severity="soft", reason="r")
LEFT = Defect(step=None, kind="left_fault", severity="soft", reason="r")


def labelled(name: str, *calls: str, right: bool, defects: tuple[Defect, ...] = ()) -> Labelled:
    truth = CandidateTruth(
        answer=1 if right else 0,
        tools=1.0,
        reward=(1.0 if right else 0.3) - 0.1 * len(defects),
        defects=defects,
        origin="expert",
    )
    return Labelled(sample_trajectory(name, *calls), truth)


def sample_pool(number: int = 0) -> LabelledPool:
    """Who ends with `fix` is right; `bad` is a failed call; who looks only leaves the fault."""
    view = SAMPLE_TASK.model_copy(update={"id": f"task-{number}"})
    return LabelledPool(
        view,
        [
            labelled("a", "look", "fix", right=True),
            labelled("b", "look", "look", right=False, defects=(LEFT,)),
            labelled("c", "look", "bad", "fix", right=True, defects=(BAD,)),
            labelled("d", "look", "bad", right=False, defects=(BAD, LEFT)),
        ],
    )


def parts_of(pools, recipe, seed=0) -> Parts:
    spec, tokenizer = languages_of(pools, recipe)
    torch.manual_seed(seed)
    return Parts(spec, tokenizer, Network(spec, tokenizer.get_vocab_size()))
