"""Rollouts side by side: equal calls share a row.

In: for each rollout the keys of its calls (any hashable; equal keys are equal calls). Out: rows,
each mapping a column (rollout) to the index of its step.

    align([["a", "b", "d"], ["a", "c", "d"]])   # [{0: 0, 1: 0}, {0: 1, 1: 1}, {0: 2, 1: 2}]

Progressive alignment, as for biological sequences: start with the rollout that has most calls in
common with all others, then merge the rest one by one, the most similar first, each by a longest
common subsequence in which a match weighs as much as the row already has columns. While merging,
a row holds equal calls only. At the end neighbouring rows without a common column are folded into
one (a *substitution*: there the rollouts did different things at the same point), which keeps the
table as short as the rollouts are.

Each step appears exactly once, in its column, in its order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

Row = dict[int, int]


def align(columns: Sequence[Sequence[Hashable]]) -> list[Row]:
    """Align the call keys of several rollouts; see the module's text."""
    keys: list[Hashable] = []
    rows: list[Row] = []
    for column in _merge_order(columns):
        keys, rows = _merge(keys, rows, column, columns[column])
    return _fold(rows)


def _merge_order(columns: Sequence[Sequence[Hashable]]) -> list[int]:
    """The rollout most similar to all others first, then by similarity to it."""
    counts = [Counter(column) for column in columns]

    def common(i: int, j: int) -> int:
        return sum((counts[i] & counts[j]).values())

    everyone = range(len(columns))
    if not columns:
        return []
    centre = max(everyone, key=lambda i: (sum(common(i, j) for j in everyone), -i))
    return sorted(everyone, key=lambda i: (i != centre, -common(centre, i), i))


def _merge(
    keys: list[Hashable], rows: list[Row], column: int, steps: Sequence[Hashable]
) -> tuple[list[Hashable], list[Row]]:
    """Merge one more rollout into the rows by a weighted longest common subsequence."""
    best = _scores(keys, rows, steps)
    merged_keys: list[Hashable] = []
    merged: list[Row] = []
    i = j = 0
    while i < len(rows) or j < len(steps):
        matches = i < len(rows) and j < len(steps) and keys[i] == steps[j]
        if matches and best[i][j] == best[i + 1][j + 1] + len(rows[i]):
            merged_keys.append(keys[i])
            merged.append(rows[i] | {column: j})
            i, j = i + 1, j + 1
        elif j == len(steps) or (i < len(rows) and best[i][j] == best[i + 1][j]):
            merged_keys.append(keys[i])
            merged.append(rows[i])
            i += 1
        else:
            merged_keys.append(steps[j])
            merged.append({column: j})
            j += 1
    return merged_keys, merged


def _scores(keys: list[Hashable], rows: list[Row], steps: Sequence[Hashable]) -> list[list[int]]:
    """`scores[i][j]`: the best weight of matches between `rows[i:]` and `steps[j:]`."""
    scores = [[0] * (len(steps) + 1) for _ in range(len(rows) + 1)]
    for i in range(len(rows) - 1, -1, -1):
        weight, key, below, here = len(rows[i]), keys[i], scores[i + 1], scores[i]
        for j in range(len(steps) - 1, -1, -1):
            score = max(below[j], here[j + 1])
            if key == steps[j]:
                score = max(score, below[j + 1] + weight)
            here[j] = score
    return scores


def _fold(rows: list[Row]) -> list[Row]:
    """Join neighbouring rows that have no column in common."""
    folded: list[Row] = []
    for row in rows:
        if folded and not (folded[-1].keys() & row.keys()):
            folded[-1] = folded[-1] | row
        else:
            folded.append(dict(row))
    return folded
