"""Rows that are longer than a recipe's `max_tokens` are left out and counted, never cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from telejudge_envs.errors import UsageError

if TYPE_CHECKING:
    from telejudge_training.judge_training.workshop import Workshop

T = TypeVar("T")

TOO_LONG = "too long"


def fitting(
    shop: Workshop, rows: Sequence[T], length: Callable[[T], int], *, room: int = 0
) -> list[T]:
    """The rows of at most `max_tokens` less `room` tokens; the others are counted in
    `material.left_out`. Raises UsageError when none fits."""
    most = shop.recipe.loop.max_tokens - room
    kept = [row for row in rows if length(row) <= most]
    if not kept:
        shortest = min(map(length, rows))
        raise UsageError(
            f"none of {len(rows)} rows fits {most} tokens (the shortest has {shortest}); "
            "raise loop.max_tokens or make shorter rows"
        )
    if len(kept) < len(rows):
        shop.material.left_out[TOO_LONG] += len(rows) - len(kept)
    return kept
