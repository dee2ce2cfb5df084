"""What the pipeline tells a live display while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """`phase` is demonstrations, sft, before, grpo or after; `step` of `total` is done.

    `metrics` is the line that went to metrics.jsonl, or the summary of an evaluation.
    """

    phase: str
    step: int
    total: int
    metrics: dict[str, Any]


OnEvent = Callable[[Progress], None]
