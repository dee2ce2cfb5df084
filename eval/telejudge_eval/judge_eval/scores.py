"""Two measures that need more than a numerator and a denominator: AUC and calibration error.

auc("auc_answer", "AUC", results, lambda mark: mark.truth, lambda mark: mark.reward)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from telejudge_eval.judge_eval.metric import Metric
from telejudge_eval.judge_eval.records import GroupResult, Mark
from telejudge_eval.judge_eval.resample import Array

BINS = 10
"""Bins of equal width of the calibration error."""

Label = Callable[[Mark], int | None]
"""1 or 0, or None: the candidate is no part of the comparison."""

Score = Callable[[Mark], float | None]


def auc(
    name: str, title: str, results: Sequence[GroupResult], label: Label, score: Score
) -> Metric:
    """The chance that the score of a 1 is above that of a 0, ties counting half.

    Over all groups together. The columns are a histogram of the scores that occur in `results`,
    of the zeros and then of the ones.
    """

    def scored(result: GroupResult) -> Iterator[tuple[int, float]]:
        for mark in result.marks:
            truth, value = label(mark), score(mark)
            if truth is not None and value is not None:
                yield truth, value

    values = sorted({value for result in results for _, value in scored(result)})
    places = {value: i for i, value in enumerate(values)}

    def columns(result: GroupResult) -> list[float]:
        counts = [0.0] * (2 * len(places))
        for truth, value in scored(result):
            counts[places[value] + truth * len(places)] += 1
        return counts

    return Metric(name, title, "high", "candidates", columns, _area, lambda s: float(s.sum()))


def _area(sums: Array) -> Array:
    half = sums.shape[1] // 2
    zeros, ones = sums[:, :half], sums[:, half:]
    below = np.cumsum(zeros, axis=1) - zeros / 2
    return (ones * below).sum(axis=1) / (zeros.sum(axis=1) * ones.sum(axis=1))


def calibration() -> Metric:
    """The expected calibration error: how far confidence is from the share that is right.

    Confidence is that of the judge in its own answer; mean over bins, weighted by their size.
    """

    def columns(result: GroupResult) -> list[float]:
        sums = [0.0] * (2 * BINS)
        for confidence, right in _confidences(result):
            place = min(int(confidence * BINS), BINS - 1)
            sums[place] += confidence - right
            sums[place + BINS] += 1
        return sums

    return Metric(
        "ece",
        "calibration error (ECE)",
        "low",
        "candidates",
        columns,
        lambda s: np.abs(s[:, :BINS]).sum(axis=1) / s[:, BINS:].sum(axis=1),
        lambda s: float(s[BINS:].sum()),
    )


def _confidences(result: GroupResult) -> Iterator[tuple[float, float]]:
    for mark in result.marks:
        if mark.confidence is not None and mark.answer is not None:
            yield mark.confidence, float(mark.answer == mark.truth)
