"""Long texts made short without hiding where they differ.

In: texts, each in a slot (the call it answers). Out: the text itself, or its head, the places where
it departs from the others of its slot, its tail, and the hash of the whole.

    shortener = Shortener(limit=200); shortener.learn("get_bill", text); shortener(text, "get_bill")

Two different texts have different short forms, since each carries the hash of its whole. A text
that would not get shorter stays as it is. `[-120 #1a2b3c4d]` says that 120 characters are left out.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence

_NORMATIVE = re.compile(
    r"\b(must|should|never|always|only|cannot|do not|don't|before|after|unless|not allowed)\b"
    r"|必须|不得|禁止|只能|应当|应该",
    re.IGNORECASE,
)

WINDOW = 40
"""Characters that a window around a departure should have at least."""


def estimate_tokens(text: str) -> int:
    """Tokens on the safe side: three ASCII characters, or one other, a token."""
    ascii_chars = len(text.encode("ascii", "ignore"))
    return (ascii_chars + 2) // 3 + len(text) - ascii_chars


class Shortener:
    """Shortens texts above `limit` characters (None: nothing); `elided` counts what it left out."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.elided: dict[str, int] = {}
        """Characters left out of each shortened text, by its hash."""
        self._slots: dict[str, set[str]] = defaultdict(set)

    def learn(self, slot: str, text: str) -> None:
        """Note one of the texts among which differences must stay visible."""
        self._slots[slot].add(text)

    def __call__(self, text: str, slot: str = "") -> str:
        if self.limit is None or len(text) <= self.limit:
            return text
        mark = fingerprint(text)
        kept = _kept_ranges(len(text), self.limit, self._departures(slot, text))
        left_out = len(text) - sum(end - start for start, end in kept)
        parts, at = [f"[-{left_out} #{mark}]"], 0
        for start, end in kept:
            parts += ["…" if start > at else "", text[start:end]]
            at = end
        short = "".join(parts) + ("…" if kept and at < len(text) else "")
        if len(short) >= len(text):
            return text
        self.elided[mark] = left_out
        return short

    def _departures(self, slot: str, text: str) -> list[int]:
        """Where the text first differs from each of the others of its slot, in order."""
        others = self._slots.get(slot, set()) - {text}
        return sorted({_common_length(text, other) for other in others})


def fingerprint(text: str) -> str:
    """Eight hex digits that tell this text from others."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _common_length(one: str, other: str) -> int:
    """Length of the common beginning, by halving: texts may be long and many."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _kept_ranges(size: int, limit: int, departures: Sequence[int]) -> list[tuple[int, int]]:
    """Head, windows around the departures, tail: together at most `limit` characters."""
    edge, room = limit // 4, limit // 2
    wanted = _apart(departures, size, edge, room) or [0]
    window = room // len(wanted)
    ranges = [(0, edge)]
    for departure in wanted:
        start = max(edge, min(departure - window // 4, size - edge - window))
        ranges.append((start, start + window))
    ranges.append((size - edge, size))
    merged: list[tuple[int, int]] = []
    for start, end in ranges:
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _apart(departures: Sequence[int], size: int, edge: int, room: int) -> list[int]:
    """The departures that need a window of their own: hidden by neither edge, nor by another's.
    So many that each window still shows some words."""
    most = max(1, room // WINDOW)
    found: list[int] = []
    for departure in departures:
        hidden = edge <= departure < size - edge
        if hidden and (not found or departure - found[-1] >= room // most // 2):
            found.append(departure)
    return found[:most]


def digest_policy(policy: str, limit: int) -> str:
    """The policy within `limit` characters: headings first, then lines that oblige or forbid, then
    the others, in their own order; "…" stands where lines were left out."""
    if len(policy) <= limit:
        return policy
    lines = policy.splitlines()
    by_weight = sorted(range(len(lines)), key=lambda i: (_rank(lines[i]), i))
    kept, room = set[int](), limit
    for i in by_weight:
        if len(lines[i]) + 3 <= room:
            kept.add(i)
            room -= len(lines[i]) + 3
    out: list[str] = []
    for i, line in enumerate(lines):
        if i in kept:
            out.append(line)
        elif not out or out[-1] != "…":
            out.append("…")
    return "\n".join(out)


def _rank(line: str) -> int:
    if not line.strip():
        return 3
    if line.lstrip().startswith("#"):
        return 0
    return 1 if _NORMATIVE.search(line) else 2
