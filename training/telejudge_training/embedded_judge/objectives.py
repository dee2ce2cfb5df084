"""All objectives by name, and the untrained judge that each begins with.

    parts = begun(recipe, pools, seed, start)
    objective = objective_of(Work(parts, pools, recipe.learning, seed, start))

| objective | what is learned | file |
|---|---|---|
| `listwise` | the truth of whole groups (the default) | listwise.py |
| `pointwise` | the same, candidates alone | listwise.py |
| `pairs` | the same, one right and one wrong candidate only | listwise.py |
| `bt`, `rrhf` | which candidate is better | ranking.py |
| `grpo` | what its own texts earned | grpo.py |
| `opd` | what a teacher would have written | opd.py |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from tokenizers import Tokenizer

from telejudge_envs.errors import UsageError
from telejudge_judges.embedded.folder import Parts
from telejudge_judges.embedded.network import Network
from telejudge_judges.embedded.spec import EmbeddedSpec
from telejudge_training.embedded_judge import grpo, listwise, opd, ranking
from telejudge_training.embedded_judge.languages import languages_of
from telejudge_training.embedded_judge.objective import Objective, Work
from telejudge_training.embedded_judge.pools import LabelledPool
from telejudge_training.embedded_judge.settings import EmbeddedJudgeRecipe

OBJECTIVES: dict[str, Callable[[Work], Objective]] = {
    "listwise": listwise.listwise,
    "pointwise": listwise.listwise,
    "pairs": listwise.pairs,
    "bt": ranking.bt,
    "rrhf": ranking.rrhf,
    "grpo": grpo.grpo,
    "opd": opd.opd,
}

READ = {"pointwise": 1, "pairs": 2, "bt": 1, "rrhf": 1}
"""Candidates that such a judge reads at a time, as it learned to; larger groups come in parts."""


def objective_of(work: Work) -> Objective:
    return OBJECTIVES[work.settings.objective](work)


def begun(
    recipe: EmbeddedJudgeRecipe,
    pools: Sequence[LabelledPool],
    seed: int,
    start: Parts | None,
    languages: tuple[EmbeddedSpec, Tokenizer] | None = None,
) -> Parts:
    """`languages`: those of the same pools, where they are known already (languages.py).

    Raises UsageError for a judge to start from that is needed or not wanted, that only scores, or
    that does not know a world of the groups.
    """
    name = recipe.learning.objective
    recipe.check_start(start is not None)
    if start is not None:
        _check(start, pools)
    if start is not None and name == "grpo":
        return start
    if start is None:
        spec, tokenizer = languages or languages_of(pools, recipe)
        most = READ.get(name, recipe.shape.candidates)
        shape = recipe.shape.model_copy(update={"candidates": most})
        spec = spec.model_copy(update={"shape": shape})
    else:
        spec, tokenizer = opd.student(start.spec, recipe.shape), start.tokenizer
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Parts(spec, tokenizer, Network(spec, tokenizer.get_vocab_size()))


def _check(start: Parts, pools: Sequence[LabelledPool]) -> None:
    if start.spec.threshold is not None:
        raise UsageError("the judge to start from only scores; a judge that writes is needed")
    unknown = {pool.view.world for pool in pools} - start.spec.slots.keys()
    if unknown:
        raise UsageError(f"the judge to start from does not know {', '.join(sorted(unknown))}")
