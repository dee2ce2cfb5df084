"""A measure of a judge, as sums over groups and what to make of them.

ratio("accuracy", "accuracy", "high", "candidates", lambda result: (right, of))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from telejudge_eval.judge_eval.records import GroupResult
from telejudge_eval.judge_eval.resample import Array, Combine

Better = Literal["high", "low", "zero"]


@dataclass(frozen=True)
class Metric:
    """`columns` of one group always have the same length; `count` is how many `unit`s the sums
    are over. `better` says which way is good."""

    name: str
    title: str
    better: Better
    unit: str
    columns: Callable[[GroupResult], Sequence[float]]
    combine: Combine
    count: Callable[[Array], float]

    def table(self, results: Sequence[GroupResult]) -> Array:
        """One row a group."""
        return np.array([self.columns(result) for result in results], dtype=np.float64)


def ratio(
    name: str,
    title: str,
    better: Better,
    unit: str,
    columns: Callable[[GroupResult], tuple[float, float]],
) -> Metric:
    """`columns` are a numerator and a denominator."""
    return Metric(
        name, title, better, unit, columns, lambda s: s[:, 0] / s[:, 1], lambda s: float(s[1])
    )
