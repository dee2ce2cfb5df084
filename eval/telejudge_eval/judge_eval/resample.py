"""Uncertainty of any measure by resampling whole groups: intervals, and paired tests.

A measure is two functions: `columns` of a group (numbers that may be added up over groups) and
`combine` of the sums. So resampling is one matrix product, and no measure needs a formula of its
own for its error.

    interval(columns, combine, samples=2000, seed=0)      # low, high
    paired(columns_a, columns_b, combine, …)              # difference b - a, interval, p

Candidates of a group are judged together and depend on each other; groups do not. Hence groups are
what is resampled and what is swapped between two judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import comb, isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Combine = Callable[[Array], Array]
"""Sums (samples x columns) to values (samples); NaN where a value does not exist."""

CHUNK = 256
"""Samples drawn at once, so that thousands of groups need no gigabytes."""

TOLERANCE = 1e-12


class Difference(NamedTuple):
    """`value` is b - a. `p` is two-sided; None where the difference does not exist."""

    value: float | None
    low: float | None
    high: float | None
    p: float | None


def point(columns: Array, combine: Combine) -> float | None:
    """The measure over all groups; None when it does not exist for them."""
    if not len(columns):
        return None
    value = float(_combined(columns.sum(axis=0, keepdims=True), combine)[0])
    return value if isfinite(value) else None


def interval(
    columns: Array, combine: Combine, *, samples: int, seed: int, level: float = 0.95
) -> tuple[float | None, float | None]:
    """Percentiles of the measure over groups drawn with replacement.

    None for fewer than two groups. Samples in which the measure does not exist are left out.
    """
    if len(columns) < 2:
        return None, None
    drawn = [_combined(w @ columns, combine) for w in _weights(len(columns), samples, seed)]
    return _bounds(np.concatenate(drawn), level)


def paired(
    a: Array, b: Array, combine: Combine, *, samples: int, seed: int, level: float = 0.95
) -> Difference:
    """Two judges on the same groups, one row a group in the same order.

    The interval is of the difference over groups drawn with replacement. `p` is from the paired
    permutation test: were the judges equal, their results on a group could be swapped. All 2^n ways
    are tried when there are no more than `samples`, otherwise `samples` random ones.
    """
    if a.shape != b.shape:
        raise ValueError(f"the judges have different groups: {a.shape} and {b.shape}")
    before, after = point(a, combine), point(b, combine)
    if before is None or after is None:
        return Difference(None, None, None, None)
    value = after - before
    drawn = [
        _combined(w @ b, combine) - _combined(w @ a, combine)
        for w in _weights(len(a), samples, seed)
    ]
    low, high = _bounds(np.concatenate(drawn), level) if len(a) > 1 else (None, None)
    return Difference(value, low, high, _permutation_p(a, b, combine, abs(value), samples, seed))


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p of McNemar's test, from how many things only a, and only b, got right."""
    n = only_a + only_b
    tail = sum(comb(n, k) for k in range(min(only_a, only_b) + 1)) / 2**n
    return min(1.0, 2 * tail)


def _permutation_p(
    a: Array, b: Array, combine: Combine, seen: float, samples: int, seed: int
) -> float:
    total_a, total_b, gap = a.sum(axis=0), b.sum(axis=0), b - a
    exact = 2 ** len(a) <= samples
    as_far, tried = 0, 0
    for swapped in _swaps(len(a), samples, seed, exact):
        moved = swapped @ gap
        difference = _combined(total_b - moved, combine) - _combined(total_a + moved, combine)
        as_far += int(np.sum(np.abs(difference) >= seen - TOLERANCE))
        tried += int(np.sum(np.isfinite(difference)))
    return as_far / tried if exact else (as_far + 1) / (tried + 1)


def _weights(groups: int, samples: int, seed: int) -> Iterator[Array]:
    """How often each group is drawn, for each sample."""
    rng = np.random.default_rng(seed)
    for start in range(0, samples, CHUNK):
        size = min(CHUNK, samples - start)
        yield rng.multinomial(groups, np.full(groups, 1 / groups), size=size).astype(np.float64)


def _swaps(groups: int, samples: int, seed: int, exact: bool) -> Iterator[Array]:
    """1 where the two judges change places, for each way of doing so."""
    rng = np.random.default_rng(seed + 1)
    count = 2**groups if exact else samples
    for start in range(0, count, CHUNK):
        ways = np.arange(start, min(start + CHUNK, count))
        if exact:
            yield (ways[:, None] >> np.arange(groups) & 1).astype(np.float64)
        else:
            yield rng.integers(0, 2, size=(len(ways), groups)).astype(np.float64)


def _combined(sums: Array, combine: Combine) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return combine(sums)


def _bounds(values: Array, level: float) -> tuple[float | None, float | None]:
    known = values[np.isfinite(values)]
    if not len(known):
        return None, None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
