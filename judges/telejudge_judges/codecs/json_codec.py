"""Verdicts as one JSON object keyed by candidate id.

    {"appraisals": {…}, "comparison": "…",
     "verdicts": {"k7qm": {"answer": 1, "tools": 0.9, "defects": []}}}

Where nobody made a call, an entry is the answer alone: small models fill a list of defects that is
asked for until their reply is cut off. The default: it alone carries defects, and servers can
constrain decoding to its schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from telejudge_judges.codec import Entry, Reading, Shown
from telejudge_judges.codecs.checks import (
    SEVERITIES,
    check_answer,
    check_defects,
    check_ids,
    check_tools,
    plain_id,
    shown_value,
)
from telejudge_judges.codecs.tolerant import Members, objects, without_thinking

Pairs = list[tuple[str, Any]]


class Json:
    """Implements Codec."""

    name = "json"

    def read(self, text: str, shown: Shown) -> Reading:
        reading = Reading()
        pairs = _find_verdicts(text, shown)
        if pairs is None:
            detail = "there is no complete JSON object with the verdicts in it"
            reading.spoil("unparseable", None, detail)
            return reading
        sound = check_ids(reading, [name for name, _ in pairs], shown, '"verdicts"')
        for name, given in pairs:
            if name in sound:
                _read_entry(reading, name, given, shown)
        return reading

    def write(
        self,
        entries: Mapping[str, Entry],
        appraisals: Mapping[str, str],
        comparison: str,
        *,
        with_tools: bool = True,
    ) -> str:
        target = {
            "appraisals": {name: appraisals[name] for name in entries if name in appraisals},
            "comparison": comparison,
            "verdicts": {name: _written(entry, with_tools) for name, entry in entries.items()},
        }
        return json.dumps(target, ensure_ascii=False)

    def schema(self, shown: Shown, kinds: tuple[str, ...]) -> dict[str, Any] | None:
        """Exactly the ids shown, each once: a server that keeps to it cannot lose a candidate."""
        text = {"type": "string"}
        defect = {
            "step": {"type": ["integer", "null"]},
            "kind": {"type": "string", "enum": list(kinds)},
            "severity": {"type": "string", "enum": list(SEVERITIES)},
            "reason": text,
        }
        entry = {
            "answer": {"type": "integer", "enum": [0, 1]},
            "tools": {"type": "number"},
            "defects": {"type": "array", "items": _object(defect)},
        }
        if not any(shown.values()):
            entry = {"answer": entry["answer"]}
        return _object(
            {
                "appraisals": _object(dict.fromkeys(shown, text)),
                "comparison": text,
                "verdicts": _object(dict.fromkeys(shown, _object(entry))),
            }
        )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _written(entry: Entry, with_tools: bool) -> dict[str, Any]:
    if not with_tools:
        return {"answer": entry.answer}
    defects = [
        {"step": d.step, "kind": d.kind, "severity": d.severity, "reason": d.reason}
        for d in entry.defects
    ]
    return {"answer": entry.answer, "tools": entry.tools, "defects": defects}


def _read_entry(reading: Reading, name: str, given: object, shown: Shown) -> None:
    if not isinstance(given, dict):
        detail = f'"{name}" must be an object, got {shown_value(given)}'
        reading.spoil("wrong_type", name, detail)
        return
    before = len(reading.problems)
    for field in getattr(given, "doubled", ()):
        reading.spoil("duplicated", name, f'"{name}".{field} is given more than once')
    needs_tools = any(shown.values())
    for field in ("answer", "tools") if needs_tools else ("answer",):
        if field not in given:
            reading.spoil("missing", name, f'"{name}" has no "{field}"')
    answer = check_answer(reading, name, given["answer"]) if "answer" in given else None
    tools = None if needs_tools else 1.0
    if "tools" in given:
        tools = check_tools(reading, name, given["tools"])
    defects = tuple(check_defects(reading, name, given.get("defects"), shown[name]))
    if answer is not None and tools is not None and len(reading.problems) == before:
        reading.entries[name] = Entry(answer, tools, defects)


def _find_verdicts(text: str, shown: Shown) -> Pairs | None:
    """(id, entry) pairs of the reply's last object that looks like verdicts."""
    found = None
    for value in objects(without_thinking(text)):
        body = value
        if isinstance(value, dict):
            body = value.get("verdicts", value)
            # Without the outer key, an object counts when it speaks of a candidate.
            if body is value and not any(plain_id(name, shown) in shown for name in value):
                continue
            if body is not value and "verdicts" in getattr(value, "doubled", ()):
                continue
            # Of a reply that was cut off the appraisals may be whole; they are no verdicts.
            if body is value and all(isinstance(entry, str) for entry in value.values()):
                continue
        pairs = _pairs(body, shown)
        if pairs is not None:
            found = pairs
    return found


def _pairs(body: object, shown: Shown) -> Pairs | None:
    """A mapping's members or a list's `id`s; a key given twice is there twice."""
    if isinstance(body, dict):
        pairs = [(plain_id(name, shown), entry) for name, entry in body.items()]
        doubled = body.doubled if isinstance(body, Members) else ()
        return [*pairs, *((plain_id(name, shown), None) for name in doubled)]
    if isinstance(body, list) and all(isinstance(e, dict) and "id" in e for e in body) and body:
        return [(plain_id(entry["id"], shown), entry) for entry in body]
    return None
