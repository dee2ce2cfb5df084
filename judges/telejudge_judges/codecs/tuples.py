"""Verdicts as a list of tuples: id, answer, tools.

    [(k7qm, 1, 0.9), (p3xd, 0, 0.3)]

Keyed by id like JSON, in a fifth of its tokens, and without defects. `tools` may be left out for a
candidate that made no call; it is 1 then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from telejudge_judges.codec import Entry, Reading, Shown
from telejudge_judges.codecs.checks import check_answer, check_ids, check_tools, plain_id
from telejudge_judges.codecs.tolerant import without_thinking

# Full-width: ( \uff08, ) \uff09, comma \uff0c, semicolon \uff1b, quotation mark \uff02.
_QUOTE = r"[\"'“”‘’\uff02`<>*]*"
_VALUE = r"[^,\uff0c()\uff08\uff09\n]{1,40}?"
_TUPLE = re.compile(
    rf"[(\uff08]\s*{_QUOTE}\s*((?:candidate\s+|候选\s*)?[\w-]{{1,40}})\s*{_QUOTE}\s*[,\uff0c]"
    rf"\s*({_VALUE})\s*(?:[,\uff0c]\s*({_VALUE})\s*)?[,\uff0c]?\s*[)\uff09]",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s,\uff0c、;\uff1b*-]*")


class Tuples:
    """Implements Codec."""

    name = "tuple"

    def read(self, text: str, shown: Shown) -> Reading:
        reading = Reading()
        given = _last_list(without_thinking(text), shown)
        if not given:
            detail = "there is no list of tuples (id, answer, tools)"
            reading.spoil("unparseable", None, detail)
            return reading
        sound = check_ids(reading, [name for name, _, _ in given], shown, "the list")
        for name, said, share in given:
            if name in sound:
                _read_entry(reading, name, said, share, shown[name])
        return reading

    def write(
        self,
        entries: Mapping[str, Entry],
        appraisals: Mapping[str, str],
        comparison: str,
        *,
        with_tools: bool = True,
    ) -> str:
        lines = [f"{name}: {appraisals[name]}" for name in entries if name in appraisals]
        lines += [comparison] if comparison else []
        shares = {name: f", {e.tools!r}" if with_tools else "" for name, e in entries.items()}
        tuples = (f"({name}, {e.answer}{shares[name]})" for name, e in entries.items())
        return "\n".join([*lines, f"[{', '.join(tuples)}]"])

    def schema(self, shown: Shown, kinds: tuple[str, ...]) -> dict[str, Any] | None:
        return None


def _read_entry(reading: Reading, name: str, said: str, share: str | None, calls: int) -> None:
    answer = check_answer(reading, name, said)
    tools = 1.0 if calls == 0 else None
    if share is not None:
        tools = check_tools(reading, name, share)
    elif tools is None:
        reading.spoil("missing", name, f'the tuple of "{name}" has no third value, "tools"')
    if answer is not None and tools is not None:
        reading.entries[name] = Entry(answer, tools)


def _last_list(text: str, shown: Shown) -> list[tuple[str, str, str | None]]:
    """The last run of tuples with nothing but commas between them that names a candidate."""
    runs: list[list[tuple[str, str, str | None]]] = []
    end = -1
    for found in _TUPLE.finditer(text):
        if end < 0 or not _BETWEEN.fullmatch(text, end, found.start()):
            runs.append([])
        name, said, share = found.groups()
        runs[-1].append((plain_id(name, shown), said, share))
        end = found.end()
    known = [run for run in runs if any(name in shown for name, _, _ in run)]
    return known[-1] if known else []
