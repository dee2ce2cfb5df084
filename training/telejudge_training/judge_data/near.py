"""Near-duplicate questions: pairs of which one gives the other's answer away, and their clusters.

    found = near_pairs(texts, answers)
    clusters(len(texts), found.pairs)       # [0, 1, 1, 3, …]: number of the first member

Two questions are near duplicates when their words, sorted, are alike by `QUESTION` percent **and**
their right answers by `ANSWER` percent. Words alone would not do: "What does AMF stand for?" and
"What does SMF stand for?" are alike by 96%, and neither leaks the other.

rapidfuzz compares all pairs exactly, in C++ and without dependencies; MinHash (datasketch) would
only estimate, needs scipy, and is worth it from millions of questions on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from telejudge_envs.errors import MissingExtraError

QUESTION, ANSWER = 80, 85
"""Percent."""

ALMOST = 70
"""Pairs of questions alike by at least so much are counted, for the card."""

_ROWS = 500
_RELEASE = re.compile(r"\[3gpp release \d+\]")
_WORD = re.compile(r"[^\W_]+")


class NearPairs(NamedTuple):
    """Pairs of places, the smaller first: near duplicates, and pairs that are almost that."""

    pairs: list[tuple[int, int]]
    almost: list[tuple[int, int]]


def near_pairs(
    texts: Sequence[str],
    answers: Sequence[str],
    on_row: Callable[[int], None] = lambda done: None,
) -> NearPairs:
    """Compares every question with every later one: n²/2 comparisons, 40 s for 10,000."""
    try:
        import numpy
        from rapidfuzz import fuzz, process
    except ImportError as error:
        raise MissingExtraError(error.name or "rapidfuzz", "data") from error
    told = [_sorted_words(text) for text in texts]
    right = [_sorted_words(answer) for answer in answers]
    found = NearPairs([], [])
    for start in range(0, len(told), _ROWS):
        rows: Any = process.cdist(
            told[start : start + _ROWS],
            told[start:],
            scorer=fuzz.ratio,
            score_cutoff=ALMOST,
            dtype=numpy.uint8,
            workers=1,
        )
        for row, column in zip(*numpy.nonzero(rows), strict=True):
            one, other = start + int(row), start + int(column)
            if one >= other:
                continue
            if fuzz.token_set_ratio(right[one], right[other]) >= ANSWER:
                near = rows[row, column] >= QUESTION
                (found.pairs if near else found.almost).append((one, other))
        on_row(min(start + _ROWS, len(told)))
    return found


def clusters(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """For each place the first member of its cluster: who is near to a near one belongs to it."""
    first = list(range(count))

    def root(place: int) -> int:
        while first[place] != place:
            first[place] = first[first[place]]
            place = first[place]
        return place

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        first[high] = low
    return [root(place) for place in range(count)]


def _sorted_words(text: str) -> str:
    plain = _RELEASE.sub(" ", text.lower())
    return " ".join(sorted(_WORD.findall(plain)))
