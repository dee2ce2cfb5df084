"""On-policy distillation: the student replies, a local teacher says token by token what it would
have said there, and the student moves towards it.

TRL's DistillationTrainer compares whole distributions, so teacher and student must share a
vocabulary. The prompts are those of judge rows; nobody's replies are needed.
"""

from __future__ import annotations

from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_training.judge_training import checking
from telejudge_training.judge_training.arguments import common_arguments, updates_of
from telejudge_training.judge_training.encode import load_tokenizer
from telejudge_training.judge_training.judge_grpo import asked, check_fit, usable
from telejudge_training.judge_training.sampling import Blocks, in_blocks
from telejudge_training.judge_training.upstream import upstream
from telejudge_training.judge_training.workshop import Workshop, dataset

finish = checking.finish


def build(shop: Workshop) -> Any:
    """Raises UsageError without a teacher, with one of another vocabulary, or when no row fits."""
    trl, settings, loop = upstream("trl"), shop.recipe.distil, shop.recipe.loop
    if shop.teacher is None:
        raise UsageError("kind opd needs the folder of a local teacher: --teacher FOLDER")
    _check_vocabulary(shop)
    rows = usable(shop, settings.max_reply_tokens)
    at_once = loop.batch * loop.accumulate
    check_fit(at_once, loop.batch, len(rows), at_once)
    trainer = in_blocks(trl.DistillationTrainer)(
        model=shop.causal(),
        teacher_model=shop.causal(shop.teacher),
        args=trl.DistillationConfig(
            **common_arguments(shop, updates=updates_of(shop, len(rows), at_once), best=None),
            max_completion_length=settings.max_reply_tokens,
            temperature=settings.temperature,
            beta=settings.beta,
        ),
        train_dataset=dataset([{"prompt": one["prompt"]} for one in asked(rows)]),
        processing_class=shop.encoder.tokenizer,
        peft_config=shop.adapters("CAUSAL_LM"),
    )
    trainer.blocks = Blocks(
        [[i] for i in range(len(rows))],
        size=1,
        per_batch=at_once,
        repeats=loop.accumulate,
        seed=shop.seed,
    )
    return trainer


def _check_vocabulary(shop: Workshop) -> None:
    assert shop.teacher is not None
    theirs, ours = load_tokenizer(shop.teacher).get_vocab(), shop.encoder.tokenizer.get_vocab()
    if theirs != ours:
        raise UsageError(
            f"the teacher in {shop.teacher} has another vocabulary ({len(theirs):,} tokens) than "
            f"the student ({len(ours):,}); logprobs can only be compared over the same tokens"
        )
