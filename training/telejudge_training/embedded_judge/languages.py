"""What a judge can read and say, from the groups that it will learn from: tokenizer and spec.

spec, tokenizer = languages_of(pools, recipe)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, get_args

from telejudge_envs.nouns.trajectory import StopReason
from telejudge_judges.embedded.pleas import BY_RULE
from telejudge_judges.embedded.spec import EmbeddedSpec
from telejudge_training.embedded_judge.pools import LabelledPool, case_from
from telejudge_training.embedded_judge.settings import EmbeddedJudgeRecipe
from telejudge_training.shorthand import CUTS, SLOTS
from telejudge_training.tiny.tokenizer import train_on_texts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WORLD_SLOTS = {"base-station": SLOTS}
"""Names in slots, by world; none elsewhere: tau2's customers are few."""

TEXTS_OF = 3
"""Candidates of a task whose texts the tokenizer learns from."""


def languages_of(
    pools: Sequence[LabelledPool], recipe: EmbeddedJudgeRecipe
) -> tuple[EmbeddedSpec, Tokenizer]:
    defects = {
        f"{defect.kind}/{defect.severity}"
        for pool in pools
        for one in pool.members
        for defect in one.truth.defects or ()
        if defect.kind not in BY_RULE
    }
    spec = EmbeddedSpec(
        shape=recipe.shape,
        defects=tuple(sorted(defects)),
        stops=get_args(StopReason),
        slots={pool.view.world: WORLD_SLOTS.get(pool.view.world, ()) for pool in pools},
    )
    settings = recipe.tokenizer
    tokenizer = train_on_texts(
        list(_texts(pools, spec)),
        bpe_tokens=settings.bpe_tokens,
        max_phrases=settings.max_phrases,
        min_count=settings.min_count,
        long_call=settings.long_call,
        cuts=CUTS,
    )
    return spec, tokenizer


def _texts(pools: Sequence[LabelledPool], spec: EmbeddedSpec) -> Iterator[str]:
    for pool in pools:
        case = case_from(pool.view, pool.members[:TEXTS_OF], spec.kinds(pool.view.world))
        yield case.ticket
        for candidate in case.candidates:
            for call, result in candidate.steps:
                yield call
                yield result
