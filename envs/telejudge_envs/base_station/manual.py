"""The engineering manual and its search.

In: words. Out: the sections that speak of them most, best first.

    search("VSWR alarm", k=1)  -> [{"title": "Antenna line and VSWR", "text": "…"}]

A section scores the sum over the query's words of their inverse document frequency, more when the
word stands in the title. Equal scores keep the manual's order, so a query has one answer.
"""

from __future__ import annotations

import functools
import math
import re
from importlib import resources
from typing import NamedTuple

TITLE_WEIGHT = 3.0

_STOP = frozenset(
    """a an and are as at be by can do does for from has have how i if in is it of on or that the
    there this to was what when which why will with""".split()  # noqa: SIM905
)


class Section(NamedTuple):
    title: str
    text: str


def search(query: str, k: int = 3) -> list[dict[str, str]]:
    """The k best sections; none when no word of the query occurs."""
    wanted = _words(query)
    rarity = _rarity()
    scored = []
    for number, (section, (title, body)) in enumerate(zip(sections(), _indexed(), strict=True)):
        score = sum(
            rarity.get(word, 0.0) * ((word in body) + TITLE_WEIGHT * (word in title))
            for word in wanted
        )
        if score > 0:
            scored.append((-score, number, section))
    return [{"title": s.title, "text": s.text} for _, _, s in sorted(scored)[:k]]


@functools.cache
def sections() -> tuple[Section, ...]:
    """The manual in its order: every `## ` heading begins a section."""
    text = (
        resources.files(__package__ or __name__).joinpath("manual.md").read_text(encoding="utf-8")
    )
    parts = re.split(r"^## ", text, flags=re.M)[1:]
    return tuple(Section(*(x.strip() for x in part.split("\n", 1))) for part in parts)


@functools.cache
def _indexed() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    return tuple((_words(s.title), _words(s.text)) for s in sections())


@functools.cache
def _rarity() -> dict[str, float]:
    indexed = [title | body for title, body in _indexed()]
    known = frozenset().union(*indexed)
    return {w: math.log(1 + len(indexed) / sum(w in words for words in indexed)) for w in known}


def _words(text: str) -> frozenset[str]:
    """Lower-case words, those of CamelCase and UPPER_CASE names apart, without plural endings."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", text)
    found = re.findall(r"[a-z0-9]+", f"{text} {apart}".lower())
    return frozenset(_singular(word) for word in found if word not in _STOP)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] not in "su" else word
