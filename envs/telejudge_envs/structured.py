"""Response formats from strict to loose, for servers that know only some of them.

    wishes = Wishes(); wishes.after({"type": "json_schema", …})
    -> [the schema, {"type": "json_object"}, None] without what the server refused before

A schema constrains decoding on the servers that know it (OpenAI, vLLM, SGLang, llama.cpp); others
answer 400 or 422. What is refused once is not asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Format = Mapping[str, Any]

REFUSALS = (400, 422)
"""HTTP statuses by which servers refuse a response format that they do not know."""


class Wishes:
    """What one server was seen to refuse."""

    def __init__(self) -> None:
        self._refused: set[str] = set()

    def after(self, wanted: Format | None) -> list[Format | None]:
        """The formats to try in turn, the wanted one first, none at all last."""
        ladder: list[Format | None] = [None]
        if wanted is not None:
            ladder.insert(0, wanted)
            if format_type(wanted) == "json_schema":
                ladder.insert(1, {"type": "json_object"})
        return [one for one in ladder if format_type(one) not in self._refused]

    def refused(self, formats: Iterable[Format | None]) -> None:
        """Remember formats that were refused while a looser one served."""
        self._refused.update(format_type(one) for one in formats if one is not None)


def format_type(one: Format | None) -> str:
    return "" if one is None else str(one.get("type"))
