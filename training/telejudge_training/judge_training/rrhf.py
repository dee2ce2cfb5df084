"""Ranked lists in, a reward head out: RRHF's ranking loss over all pairs of a list.

    loss = mean over pairs with r_i > r_j of max(0, s_j - s_i + margin)

(Yuan et al. 2023, arXiv:2304.05302, equation 2, with the mean for the sum so that long lists do not
outweigh short ones.) Two things differ from the paper, since a judge scores and does not write: the
score is a head's number in place of the mean log-probability of the response, and there is no term
of fine-tuning on the best response. Ties are never compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import Trainer, TrainingArguments

from telejudge_training.judge_data.rows import RankedRow
from telejudge_training.judge_training import heads
from telejudge_training.judge_training.arguments import common_arguments, updates_of
from telejudge_training.judge_training.fitting import fitting
from telejudge_training.judge_training.material import Row
from telejudge_training.judge_training.ranking import ranking_loss
from telejudge_training.judge_training.upstream import upstream
from telejudge_training.judge_training.workshop import Workshop, dataset

finish = heads.finish


def build(shop: Workshop) -> Trainer:
    """Raises UsageError when no list fits; a list fits when its longest candidate does."""
    train, dev = _tokens(shop, shop.material.train), _tokens(shop, shop.material.dev)
    arguments = TrainingArguments(
        **common_arguments(shop, updates=updates_of(shop, len(train))), remove_unused_columns=False
    )
    model, adapters = shop.head(), shop.adapters("SEQ_CLS")
    if adapters is not None:
        model = upstream("peft").get_peft_model(model, adapters)
    return RankingTrainer(
        margin=shop.recipe.head.margin,
        model=model,
        args=arguments,
        data_collator=Lists(shop.encoder.tokenizer.pad_token_id),  # type: ignore[arg-type]
        train_dataset=dataset(train),  # type: ignore[arg-type]
        eval_dataset=dataset(dev),  # type: ignore[arg-type]
        processing_class=shop.encoder.tokenizer,
    )


class Lists:
    """Collates lists: all candidates of a batch as rows of one matrix, padded on the right."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, lists: Sequence[dict[str, Any]]) -> dict[str, Any]:
        rows = [torch.tensor(ids) for one in lists for ids in one["candidates"]]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self.pad)
        lengths = torch.tensor([len(row) for row in rows])
        return {
            "input_ids": ids,
            "attention_mask": (torch.arange(ids.shape[1]) < lengths[:, None]).long(),
            "rewards": torch.tensor([reward for one in lists for reward in one["rewards"]]),
            "sizes": torch.tensor([len(one["candidates"]) for one in lists]),
        }


class RankingTrainer(Trainer):
    """Computes the loss list by list; everything else is transformers'."""

    def __init__(self, *, margin: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.margin = margin
        self.model_accepts_loss_kwargs = False
        self.can_return_loss, self.label_names = True, []

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        outputs = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        sizes = inputs["sizes"].tolist()
        lists = zip(
            outputs.logits.squeeze(-1).split(sizes), inputs["rewards"].split(sizes), strict=True
        )
        loss = torch.stack([ranking_loss(s, r, self.margin) for s, r in lists]).mean()
        return (loss, outputs) if return_outputs else loss


def _tokens(shop: Workshop, rows: Sequence[Row]) -> list[dict[str, Any]]:
    lists = [row for row in rows if isinstance(row, RankedRow)]
    made = [
        {
            "candidates": [shop.encoder.scored(row.prompt + text) for text in row.responses],
            "rewards": list(row.rewards),
        }
        for row in lists
    ]
    return fitting(shop, made, lambda one: max(map(len, one["candidates"])))
