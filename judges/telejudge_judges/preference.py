"""A model's preference between two candidates, read as points for each.

    {"comparison": "…", "better": "k7qm", "tools": "same"}

`better`: whose end is right: an id (that one's is, the other's is not), `both` or `neither`. Points
of `answer`: 1 and 0, or 1 each, or 0 each; so a tie says on which side of right it lies, which a
bare tie would leave open. `tools`: whose calls are more reasonable: an id or `same`; points 1 and
0, or one half each.

Implements Codec (codec.py), so that a Questioner can ask for it and have a bad reply repaired.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from telejudge_judges.codec import Entry, Reading, Shown
from telejudge_judges.codecs.checks import plain_id, shown_value
from telejudge_judges.codecs.tolerant import Members, objects, without_thinking

BOTH, NEITHER, SAME = "both", "neither", "same"
_MEANS_SAME = (SAME, "tie", "equal", BOTH, NEITHER, "一样", "相同")
_CHINESE = {"两者": BOTH, "都": BOTH, "都不": NEITHER, "都不是": NEITHER, "无": NEITHER}


class Preference:
    """Reads and writes preferences between exactly two candidates."""

    name = "preference"

    def read(self, text: str, shown: Shown) -> Reading:
        reading = Reading()
        given = _last_preference(text)
        if given is None:
            detail = 'there is no complete JSON object with "better" and "tools" in it'
            reading.spoil("unparseable", None, detail)
            return reading
        for name in given.doubled:
            if name in ("better", "tools"):
                reading.spoil("duplicated", None, f'"{name}" is given more than once')
        better = _choice(reading, given, "better", shown, (BOTH, NEITHER))
        tools = _choice(reading, given, "tools", shown, (SAME,))
        if not reading.problems:
            for name in shown:
                right: Literal[0, 1] = 1 if better in (name, BOTH) else 0
                share = 0.5 if tools == SAME else float(tools == name)
                reading.entries[name] = Entry(right, share)
        return reading

    def write(
        self,
        entries: Mapping[str, Entry],
        appraisals: Mapping[str, str],
        comparison: str,
        *,
        with_tools: bool = True,
    ) -> str:
        """The reply that gives these points; what a judge is trained to say. `tools` is always
        asked for."""
        right = [name for name, entry in entries.items() if entry.answer]
        better = right[0] if len(right) == 1 else BOTH if right else NEITHER
        most = max(entry.tools for entry in entries.values())
        best = [name for name, entry in entries.items() if entry.tools == most]
        said = {
            "appraisals": {name: appraisals[name] for name in entries if name in appraisals},
            "comparison": comparison,
            "better": better,
            "tools": best[0] if len(best) == 1 else SAME,
        }
        return json.dumps(said, ensure_ascii=False)

    def schema(self, shown: Shown, kinds: tuple[str, ...]) -> dict[str, Any] | None:
        """`kinds` are not asked for: a preference names no defects."""
        properties = {
            "comparison": {"type": "string"},
            "better": {"type": "string", "enum": [*shown, BOTH, NEITHER]},
            "tools": {"type": "string", "enum": [*shown, SAME]},
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }


def _last_preference(text: str) -> Members | None:
    found = None
    for value in objects(without_thinking(text)):
        if isinstance(value, Members) and "better" in value:
            found = value
    return found


def _choice(
    reading: Reading, given: Mapping[str, Any], name: str, shown: Shown, words: tuple[str, ...]
) -> str:
    """An id or one of `words`; anything else is a Problem of the whole reply."""
    wanted = f'"{name}" must be one of {", ".join((*shown, *words))}'
    if name not in given:
        reading.spoil("missing", None, f"{wanted}; it is missing")
        return ""
    said = given[name]
    if not isinstance(said, str):
        reading.spoil("wrong_type", None, f"{wanted}, got {shown_value(said)}")
        return ""
    chosen = plain_id(said, shown)
    if chosen in shown:
        return chosen
    plain = said.strip().lower()
    plain = SAME if name == "tools" and plain in _MEANS_SAME else _CHINESE.get(plain, plain)
    if plain not in words:
        reading.spoil("out_of_range", None, f"{wanted}, got {shown_value(said)}")
    return plain
