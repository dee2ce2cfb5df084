"""Texts of strangers made safe to look at: shortened in the open, control characters visible.

In: tool results, model texts, arguments, of any length and content. Out: short printable strings
(escaping for HTML is the template's work), and a table that holds every long text once.

    shorten("x" * 1_000_000, 2000)       # 2,000 x's, then "… 998,000 characters left out"
    texts = Texts(); texts.add(result)   # the same text always gets the same id
"""

from __future__ import annotations

import json
import re
from typing import Any

TEXT_LIMIT = 2_000
"""Characters kept of one text; the longest result of a tau2-telecom tool has 1,892."""

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Replace what is invisible, reorders text or cannot be encoded by its code, as in `⟨202E⟩`."""
    return _UNSAFE.sub(lambda found: f"⟨{ord(found.group()):04X}⟩", text.replace("\r\n", "\n"))


def shorten(text: str, limit: int) -> str:
    """The first `limit` characters of `text`, saying how many are left out."""
    if len(text) <= limit:
        return printable(text)
    return f"{printable(text[:limit])}… {len(text) - limit:,} characters left out"


def digest(text: str, limit: int = 100) -> str:
    """One line of at most about `limit` characters."""
    line = " ".join(text[: 4 * limit].split())
    if len(line) <= limit and len(text) <= 4 * limit:
        return printable(line)
    return f"{printable(line[:limit])}…"


def compact(value: Any, limit: int = 60) -> str:
    """A JSON value on one line."""
    return digest(json.dumps(value, ensure_ascii=False, default=str), limit)


def arguments(values: dict[str, Any]) -> str:
    """Arguments as in a Python call: `line_id="L1002", gb=2.0`."""
    parts = (f"{name}={json.dumps(v, ensure_ascii=False)}" for name, v in values.items())
    return ", ".join(parts)


def number(value: float | None, digits: int = 3) -> str:
    """A number for a table; a dash when there is none."""
    if value is None:
        return "–"
    return f"{value:,.{digits}f}".replace("-", "−")


class Texts:
    """Every long text once, in order of appearance; ids count from 0."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self.shown: list[str] = []
        self.size = 0

    def add(self, text: str) -> int:
        """The id of `text`, which is stored cut to `TEXT_LIMIT`."""
        shown = shorten(text, TEXT_LIMIT)
        if shown not in self._ids:
            self._ids[shown] = len(self.shown)
            self.shown.append(shown)
            self.size += len(shown.encode())
        return self._ids[shown]

    def forget_after(self, count: int) -> None:
        """Keep the first `count` texts only."""
        for shown in self.shown[count:]:
            self.size -= len(shown.encode())
            del self._ids[shown]
        del self.shown[count:]
