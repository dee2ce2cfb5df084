"""The baseline of RLHF: pairs in, a reward head out that puts the better above the worse.

Bradley-Terry's loss, -log sigmoid(better - worse), by TRL's RewardTrainer. The head reads what the
scalar judge reads, `prompt + chosen`, token for token; heads.py fits its threshold at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telejudge_training.judge_data.rows import PairRow
from telejudge_training.judge_training import heads
from telejudge_training.judge_training.arguments import common_arguments, updates_of
from telejudge_training.judge_training.fitting import fitting
from telejudge_training.judge_training.material import Row
from telejudge_training.judge_training.upstream import upstream
from telejudge_training.judge_training.workshop import Workshop, dataset

finish = heads.finish


def build(shop: Workshop) -> Any:
    """TRL's RewardTrainer over pairs that are tokens already. Raises UsageError when none fits."""
    trl, settings = upstream("trl"), shop.recipe.head
    train, dev = _tokens(shop, shop.material.train), _tokens(shop, shop.material.dev)
    return trl.RewardTrainer(
        model=shop.head(),
        args=trl.RewardConfig(
            **common_arguments(shop, updates=updates_of(shop, len(train))),
            max_length=None,
            center_rewards_coefficient=settings.center or None,
        ),
        train_dataset=dataset(train),
        eval_dataset=dataset(dev),
        processing_class=shop.encoder.tokenizer,
        peft_config=shop.adapters("SEQ_CLS"),
    )


def _tokens(shop: Workshop, rows: Sequence[Row]) -> list[dict[str, Any]]:
    pairs = [row for row in rows if isinstance(row, PairRow)]
    margin, read = shop.recipe.head.margin, shop.encoder.scored
    made = [
        {
            "chosen_ids": read(row.prompt + row.chosen),
            "rejected_ids": read(row.prompt + row.rejected),
            **({"margin": margin * row.margin} if margin else {}),
        }
        for row in pairs
    ]
    return fitting(shop, made, lambda one: max(len(one["chosen_ids"]), len(one["rejected_ids"])))
