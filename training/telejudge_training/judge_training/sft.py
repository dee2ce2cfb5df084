"""Distillation: judge rows in, a model that gives the replies of their teacher out.

Kinds `sft`, `pointwise` and `pairs` differ in their rows only (material.py). Only the reply is
learned; the prompt is context. The model of the lowest validation loss is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telejudge_training.judge_training import checking
from telejudge_training.judge_training.arguments import common_arguments, updates_of
from telejudge_training.judge_training.fitting import fitting
from telejudge_training.judge_training.material import Row
from telejudge_training.judge_training.upstream import upstream
from telejudge_training.judge_training.workshop import Workshop, dataset

finish = checking.finish


def build(shop: Workshop) -> Any:
    """TRL's SFTTrainer over rows that are tokens already. Raises UsageError when none fits."""
    trl = upstream("trl")
    train, dev = _tokens(shop, shop.material.train), _tokens(shop, shop.material.dev)
    return trl.SFTTrainer(
        model=shop.causal(),
        args=trl.SFTConfig(
            **common_arguments(shop, updates=updates_of(shop, len(train))), max_length=None
        ),
        train_dataset=dataset(train),
        eval_dataset=dataset(dev),
        processing_class=shop.encoder.tokenizer,
        peft_config=shop.adapters("CAUSAL_LM"),
    )


def _tokens(shop: Workshop, rows: Sequence[Row]) -> list[dict[str, list[int]]]:
    taught = [shop.encoder.taught(row.prompt, row.completion) for row in rows]  # type: ignore[union-attr]
    kept = fitting(shop, taught, lambda one: len(one.ids))
    return [{"input_ids": one.ids, "labels": one.labels} for one in kept]
