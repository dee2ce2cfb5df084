"""GRPO on verdicts: a judge replies to a group several times and learns from what was true.

Rewards are those of verdict_rewards.py. Kind `grpo`: one prompt, `group_size` replies. Kind
`permutation`: the prompts of one cohort, the same candidates in several orders, share the replies,
which are compared with each other whatever their order, and disagreement costs. TRL compares
rewards in contiguous blocks of `num_generations`, equal prompts or not, so only its sampler is
replaced (sampling.py). That holds for generation by transformers; vLLM's server mode wants equal
prompts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_training.judge_data.rows import JudgeRow
from telejudge_training.judge_training import checking
from telejudge_training.judge_training.arguments import common_arguments, updates_of
from telejudge_training.judge_training.fitting import fitting
from telejudge_training.judge_training.sampling import Blocks, in_blocks
from telejudge_training.judge_training.settings import JudgeRecipe
from telejudge_training.judge_training.upstream import upstream
from telejudge_training.judge_training.verdict_rewards import (
    Scored,
    consistent_rewards,
    disagreement,
    score_reply,
)
from telejudge_training.judge_training.workshop import Workshop, dataset

finish = checking.finish


def build(shop: Workshop) -> Any:
    """TRL's GRPOTrainer. Raises UsageError when no row fits or a cohort has one order only."""
    trl, settings, loop = upstream("trl"), shop.recipe.grpo, shop.recipe.loop
    rows = usable(shop, settings.max_reply_tokens)
    groups = cohorts(rows) if shop.recipe.kind == "permutation" else [[i] for i in range(len(rows))]
    at_once = settings.group_size * settings.groups_per_step
    check_fit(at_once, loop.batch, len(groups), settings.groups_per_step)
    common = common_arguments(
        shop, updates=updates_of(shop, len(groups), settings.groups_per_step), best=None
    )
    common["gradient_accumulation_steps"] = at_once // loop.batch
    trainer = in_blocks(trl.GRPOTrainer)(
        model=shop.causal(),
        args=trl.GRPOConfig(
            **common,
            num_generations=settings.group_size,
            max_completion_length=settings.max_reply_tokens,
            temperature=settings.temperature,
            beta=settings.kl,
            scale_rewards=settings.scaling,
        ),
        reward_funcs=rewards_for(shop.recipe, rows),
        train_dataset=dataset(asked(rows)),
        processing_class=shop.encoder.tokenizer,
        peft_config=shop.adapters("CAUSAL_LM"),
    )
    trainer.blocks = Blocks(
        groups,
        size=settings.group_size,
        per_batch=settings.groups_per_step,
        repeats=at_once // loop.batch,
        seed=shop.seed,
    )
    return trainer


def rewards_for(recipe: JudgeRecipe, rows: Sequence[JudgeRow]) -> Callable[..., list[float]]:
    """TRL's reward function over `rows`; also logs what the rewards are made of."""
    settings = recipe.grpo

    def verdicts(
        completions: list[Any], row: list[int], log_metric: Any = None, **_: Any
    ) -> list[float]:
        scored = [
            score_reply(said[0]["content"], rows[i].codec, rows[i].shown, settings)
            for said, i in zip(completions, row, strict=True)
        ]
        figures = _figures(scored)
        rewards = [one.reward for one in scored]
        if recipe.kind == "permutation":
            rewards, shares = [], []
            for at in range(0, len(scored), settings.group_size):
                block = scored[at : at + settings.group_size]
                orders = [rows[i].order for i in row[at : at + settings.group_size]]
                rewards += consistent_rewards(block, orders, settings)
                shares += disagreement(block, orders)
            figures["disagreement"] = sum(shares) / len(shares)
        for name, value in figures.items():
            if log_metric is not None:
                log_metric(name, value)
        return rewards

    return verdicts


def _figures(scored: Sequence[Scored]) -> dict[str, float]:
    count = len(scored)
    return {
        "verdicts": sum(one.right / one.shown for one in scored) / count,
        "verified": sum(one.verified for one in scored) / count,
        "false_alarms": sum(one.false_alarms for one in scored) / count,
        "unreadable": sum(not one.readable for one in scored) / count,
    }


def usable(shop: Workshop, room: int) -> list[JudgeRow]:
    """Training rows whose prompt leaves `room` tokens for a reply."""
    rows = [row for row in shop.material.train if isinstance(row, JudgeRow)]
    return fitting(shop, rows, lambda row: len(shop.encoder.prompt(row.prompt)), room=room)


def asked(rows: Sequence[JudgeRow]) -> list[dict[str, Any]]:
    """TRL's conversational prompts, each with its row's number for the reward function."""
    return [
        {"prompt": [turn.model_dump() for turn in row.prompt], "row": number}
        for number, row in enumerate(rows)
    ]


def cohorts(rows: Sequence[JudgeRow]) -> list[list[int]]:
    """Numbers of the rows of each cohort, by order; raises UsageError when none has two orders."""
    by_name: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        by_name[row.cohort].append(number)
    found = [sorted(group, key=lambda i: rows[i].order) for group in by_name.values()]
    several = [group for group in found if len({rows[i].order for i in group}) > 1]
    if not several:
        raise UsageError(
            "kind permutation needs rows that show the same candidates in several orders "
            "(`telejudge data rows --orders 2`)"
        )
    return several


def check_fit(at_once: int, batch: int, groups: int, groups_per_step: int) -> None:
    """Raises UsageError when the numbers of a recipe do not go into each other."""
    if at_once % batch:
        raise UsageError(f"loop.batch {batch} does not divide the {at_once} replies of an update")
    if groups < groups_per_step:
        raise UsageError(f"{groups} groups are fewer than the {groups_per_step} of an update")
