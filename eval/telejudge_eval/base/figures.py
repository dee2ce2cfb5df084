"""From stored results to the figures of the table, each with its sample and interval."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean
from typing import NamedTuple

import numpy as np

from telejudge_eval.base.records import Item, Section
from telejudge_eval.judge_eval.resample import interval

SAMPLES = 2000
Z = 1.959964


class Line(NamedTuple):
    """One section of one model; `value` None when nothing was scored (`note` says why)."""

    value: float | None
    low: float | None
    high: float | None
    scored: int
    items: int
    unread: int
    tokens: float | None
    """Generated an item."""
    seconds: float | None
    note: str


def line_of(section: Section, *, seed: int = 0) -> Line:
    """The mean score of the items that have one, and its 95% interval over items."""
    scores = [item.score for item in section.items if item.score is not None]
    low, high = _interval(scores, seed)
    return Line(
        fmean(scores) if scores else None,
        low,
        high,
        len(scores),
        len(section.items),
        sum(item.unread for item in section.items),
        fmean(i.completion_tokens for i in section.items) if section.items else None,
        fmean(i.seconds for i in section.items) if section.items else None,
        _note(section),
    )


def _interval(scores: list[float], seed: int) -> tuple[float | None, float | None]:
    """Wilson's for rights and wrongs: a bootstrap of none right out of two would be sure of it.
    A bootstrap for shares, such as those of several samples of a problem."""
    if not scores:
        return None, None
    if set(scores) <= {0.0, 1.0}:
        n, p = len(scores), fmean(scores)
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)
    table = np.array([[score, 1.0] for score in scores])
    return interval(table, lambda s: s[:, 0] / s[:, 1], samples=SAMPLES, seed=seed)


def _note(section: Section) -> str:
    told = [section.left_out] if section.left_out else []
    causes = Counter(_brief(item.why) for item in section.items if item.why)
    told += [f"{n} not scored ({cause})" for cause, n in causes.most_common(3)]
    extra = _extra(section.items)
    told += [f"{name} {value:.2f}" for name, value in extra.items()]
    return "; ".join(told)


def _brief(why: str) -> str:
    return why if len(why) <= 60 else why[:59] + "…"


def _extra(items: tuple[Item, ...]) -> dict[str, float]:
    names = sorted({name for item in items for name in item.extra})
    return {n: fmean(i.extra[n] for i in items if n in i.extra) for n in names}
