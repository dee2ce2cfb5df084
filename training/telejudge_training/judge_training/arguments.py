"""A recipe in, the arguments that every one of TRL's configurations takes out.

SFTConfig(**common_arguments(shop), max_length=None)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from telejudge_training.judge_training.workshop import Workshop

KEPT = 2
"""Checkpoints on the disk: the best and the last."""


def common_arguments(
    shop: Workshop, *, updates: int, best: str | None = "eval_loss"
) -> dict[str, Any]:
    """`updates` is the length of the whole training. With `best`, validation takes place at every
    check and the model of the lowest such metric is kept; without, the last one is."""
    loop, device = shop.recipe.loop, shop.recipe.device
    every = max(1, updates // loop.checks)
    arguments: dict[str, Any] = {
        "output_dir": str(shop.work),
        "seed": shop.seed,
        "data_seed": shop.seed,
        "full_determinism": device.exact and not device.cpu,
        "max_steps": updates,
        "per_device_train_batch_size": loop.batch,
        "per_device_eval_batch_size": loop.batch,
        "gradient_accumulation_steps": loop.accumulate,
        "learning_rate": loop.learning_rate,
        "lr_scheduler_type": loop.schedule,
        "warmup_steps": loop.warmup_ratio,  # a float below 1 is a share
        "weight_decay": loop.weight_decay,
        "max_grad_norm": loop.max_norm,
        "optim": "adamw_torch",
        "logging_steps": 1,
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": KEPT,
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": device.cpu,
        "bf16": device.bf16,
        "gradient_checkpointing": device.checkpoint_activations,
        "dataloader_pin_memory": not device.cpu,
    }
    if best is not None:
        arguments |= {
            "eval_strategy": "steps",
            "eval_steps": every,
            "load_best_model_at_end": True,
            "metric_for_best_model": best,
            "greater_is_better": False,
        }
    return arguments


def updates_of(shop: Workshop, rows: int, rows_per_update: int | None = None) -> int:
    """Updates in the whole training over `rows`; without `rows_per_update` by the loop's batch."""
    loop = shop.recipe.loop
    passes = -(-rows // loop.batch)
    by_batch = -(-passes // loop.accumulate)
    per_epoch = by_batch if rows_per_update is None else rows // rows_per_update
    whole = max(1, round(loop.epochs * per_epoch))
    return min(whole, loop.max_steps) if loop.max_steps > 0 else whole
