"""Texts in, phrases out: the stretches of text that always come as one piece.

A tiny model must not spend ten tokens on `Airplane Mode: OFF`. A text is cut into *fields* (a
line, an icon of the status bar, an entry of a JSON record, a sentence, a whole tool call) and
neighbours that practically always occur together are joined, so that a customer record of 700
characters becomes a handful of tokens while every entry that differs from case to case keeps a
token of its own.

    find_phrases(["A: on\nB: off\n", "A: off\nB: off\n"], min_count=1)
    -> ["A: off\n", "A: on\n", "B: off\n"]
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable

FIELD_END = re.compile(r'(?<=\n)|(?= \| )|(?<=, )(?=["{])|(?<=: )(?=[\[{])|(?<=[.!?] )(?=[A-Z])')
"""After a line, before an icon, between JSON entries, before a nested record, after a sentence."""

IN_CALL = re.compile(
    rf'{FIELD_END.pattern}|(?<="task": ")|(?<="summary": ")|(?=; )|(?<=; )|(?= at )'
)
"""In long calls also the parts of the free texts."""

TOGETHER = 0.97
"""Two fields are joined when at least this share of the occurrences of each is beside the other."""


def split_fields(text: str, long_call: int | None = None) -> list[str]:
    """Cut `text` into fields; joining them gives the text back.

    A tool call is one field, unless it has `long_call` characters or more.
    """
    if not text.startswith("<tool_call>"):
        return [field for field in FIELD_END.split(text) if field]
    if long_call is None or len(text) < long_call:
        return [text]
    return [field for field in IN_CALL.split(text) if field]


def find_phrases(
    texts: Iterable[str],
    *,
    min_count: int = 6,
    max_phrases: int = 900,
    together: float = TOGETHER,
    long_call: int | None = None,
) -> list[str]:
    """Phrases that occur at least `min_count` times, the `max_phrases` most frequent, sorted.

    Equal texts are counted, not repeated, so the cost grows with the number of distinct texts.
    """
    counted = Counter(texts)
    split = {text: split_fields(text, long_call) for text in counted}
    while True:
        joined = _join_inseparable(split, counted, together, min_count)
        if joined == 0:
            break
    uses: Counter[str] = Counter()
    for text, fields in split.items():
        for field in fields:
            uses[field] += counted[text]
    frequent = [p for p, n in uses.most_common() if n >= min_count and _is_plain(p)]
    return sorted(frequent[:max_phrases])


def _join_inseparable(
    split: dict[str, list[str]], counted: Counter[str], together: float, min_count: int
) -> int:
    single: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for text, fields in split.items():
        n = counted[text]
        for field in fields:
            single[field] += n
        for pair in itertools.pairwise(fields):
            pairs[pair] += n
    good = {
        pair
        for pair, n in pairs.items()
        if n >= min_count and n >= together * max(single[pair[0]], single[pair[1]])
    }
    joins = 0
    for text, fields in split.items():
        merged: list[str] = []
        last: str | None = None  # the untouched field at the end of `merged`, if it is one
        for field in fields:
            if last is not None and (last, field) in good:
                merged[-1] = last + field
                last = None  # at most one join a round, so that counts stay true
                joins += 1
            else:
                merged.append(field)
                last = field
        split[text] = merged
    return joins


def _is_plain(phrase: str) -> bool:
    """Whether a byte-level decoder gives the phrase back: it mistakes lone letters like `é`."""
    return len(phrase) > 1 and (phrase.isascii() or " " in phrase)
