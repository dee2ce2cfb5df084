"""Verdicts as JSON keyed by candidate id: read from a model's reply, and what is wrong with it.

    read = parse_reply(reply, {"k7qm": 5, "p3xd": 0})     # ids with their numbers of calls
    read.entries["k7qm"].answer, [str(p) for p in read.problems]

Fences, prose and thinking around the JSON are tolerated; inside it nothing is guessed: an entry
that is missing, doubled, out of range or of a wrong type is a Problem, never a default.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from telejudge_envs.nouns.verdict import Defect, Severity

ProblemKind = Literal["unparseable", "missing", "extra", "duplicated", "out_of_range", "wrong_type"]

SEVERITIES: tuple[Severity, ...] = ("soft", "hard", "safety")
MAX_REPLY = 400_000
MAX_STARTS = 400

_THINKING = re.compile(r"<think>.*?(</think>|$)", re.DOTALL)


class Problem(NamedTuple):
    """Something wrong with a reply. `id` is the candidate it spoils, None for the whole reply."""

    kind: ProblemKind
    id: str | None
    detail: str

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True)
class Entry:
    """One candidate's verdict as a model gave it, checked."""

    answer: Literal[0, 1]
    tools: float
    defects: tuple[Defect, ...] = ()


@dataclass
class Reading:
    """What a reply says. `entries` holds the sound ones; each problem names what spoils another."""

    entries: dict[str, Entry] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def spoil(self, kind: ProblemKind, name: str | None, detail: str) -> None:
        self.problems.append(Problem(kind, name, detail))


class _Object(dict[str, Any]):
    """A JSON object that remembers keys given more than once."""

    doubled: tuple[str, ...] = ()


def parse_reply(text: str, calls: Mapping[str, int]) -> Reading:
    """Read a reply about the candidates in `calls` (id to number of calls)."""
    reading = Reading()
    given = _find_verdicts(text, calls)
    if given is None:
        detail = "there is no complete JSON object with the verdicts in it"
        reading.spoil("unparseable", None, detail)
        return reading
    pairs, doubled = given
    for name in doubled:
        detail = f'"{name}" has more than one entry; exactly one is wanted'
        reading.spoil("duplicated" if name in calls else "extra", name, detail)
    for name in dict.fromkeys(name for name, _ in pairs):
        if name not in calls:
            detail = f'"{name}" is no candidate; the candidates are {", ".join(calls)}'
            reading.spoil("extra", name, detail)
    by_name = dict(pairs)
    for name, count in calls.items():
        if name not in by_name:
            reading.spoil("missing", name, f'"{name}" has no entry in "verdicts"')
        elif name not in doubled:
            _read_entry(reading, name, by_name[name], count)
    return reading


def _read_entry(reading: Reading, name: str, given: object, calls: int) -> None:
    if not isinstance(given, dict):
        reading.spoil("wrong_type", name, f'"{name}" must be an object, got {_shown(given)}')
        return
    before = len(reading.problems)
    for field_name in getattr(given, "doubled", ()):
        reading.spoil("duplicated", name, f'"{name}".{field_name} is given more than once')
    answer = _answer(reading, name, given)
    tools = _tools(reading, name, given)
    defects = tuple(_defects(reading, name, given.get("defects"), calls))
    if answer is not None and tools is not None and len(reading.problems) == before:
        reading.entries[name] = Entry(answer, tools, defects)


def _answer(reading: Reading, name: str, given: Mapping[str, Any]) -> Literal[0, 1] | None:
    if "answer" not in given:
        reading.spoil("missing", name, f'"{name}" has no "answer"')
        return None
    value = given["answer"]
    if isinstance(value, (bool, int, float)):
        if value == 0:
            return 0
        if value == 1:
            return 1
        reading.spoil("out_of_range", name, f'"{name}".answer must be 0 or 1, got {_shown(value)}')
        return None
    reading.spoil("wrong_type", name, f'"{name}".answer must be 0 or 1, got {_shown(value)}')
    return None


def _tools(reading: Reading, name: str, given: Mapping[str, Any]) -> float | None:
    if "tools" not in given:
        reading.spoil("missing", name, f'"{name}" has no "tools"')
        return None
    value = given["tools"]
    wanted = f'"{name}".tools must be a number from 0 to 1, got {_shown(value)}'
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        reading.spoil("wrong_type", name, wanted)
        return None
    if not (0 <= value <= 1):  # also catches NaN
        reading.spoil("out_of_range", name, wanted)
        return None
    return float(value)


def _defects(reading: Reading, name: str, given: object, calls: int) -> Iterable[Defect]:
    if given is None:
        return
    if not isinstance(given, list):
        reading.spoil("wrong_type", name, f'"{name}".defects must be a list, got {_shown(given)}')
        return
    for i, one in enumerate(given):
        where = f'"{name}".defects[{i}]'
        if not isinstance(one, dict):
            reading.spoil("wrong_type", name, f"{where} must be an object, got {_shown(one)}")
            continue
        defect = _defect(reading, name, where, one, calls)
        if defect is not None:
            yield defect


def _defect(
    reading: Reading, name: str, where: str, given: Mapping[str, Any], calls: int
) -> Defect | None:
    step, severity = given.get("step"), given.get("severity")
    kind, reason = given.get("kind"), given.get("reason")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int)):
        detail = f"{where}.step must be a step number or null, got {_shown(step)}"
        reading.spoil("wrong_type", name, detail)
    elif step is not None and not 0 <= step < calls:
        last = f"0 to {calls - 1}" if calls else "none, so null"
        detail = f"{where}.step is {_shown(step)}, but the steps of {name} are {last}"
        reading.spoil("out_of_range", name, detail)
    elif severity not in SEVERITIES:
        detail = f"{where}.severity must be one of {', '.join(SEVERITIES)}, got {_shown(severity)}"
        reading.spoil("wrong_type", name, detail)
    elif not isinstance(kind, str) or not kind or not isinstance(reason, str):
        reading.spoil("wrong_type", name, f"{where} needs the texts kind and reason")
    else:
        return Defect(step=step, kind=kind[:80], severity=severity, reason=reason[:1000])
    return None


# -- finding the JSON


def _find_verdicts(
    text: str, calls: Mapping[str, int]
) -> tuple[list[tuple[str, Any]], tuple[str, ...]] | None:
    """(id, entry) pairs and doubled ids of the reply's last object that looks like verdicts."""
    found = None
    for value in _objects(_THINKING.sub(" ", text)[:MAX_REPLY]):
        body = value
        if isinstance(value, dict):
            body = value.get("verdicts", value)
            # Without the outer key, an object counts when it speaks of a candidate.
            if body is value and not any(name in calls for name in value):
                continue
            if body is not value and "verdicts" in getattr(value, "doubled", ()):
                continue
        pairs = _pairs(body)
        if pairs is not None:
            found = pairs
    return found


def _pairs(body: object) -> tuple[list[tuple[str, Any]], tuple[str, ...]] | None:
    if isinstance(body, dict):
        return list(body.items()), tuple(getattr(body, "doubled", ()))
    if isinstance(body, list) and all(isinstance(e, dict) and "id" in e for e in body) and body:
        names = [str(entry["id"]) for entry in body]
        doubled = tuple(n for n in dict.fromkeys(names) if names.count(n) > 1)
        return list(zip(names, body, strict=True)), doubled
    return None


def _objects(text: str) -> Iterable[object]:
    """Every JSON object or list that starts in the text and is not inside an earlier one."""
    decoder = json.JSONDecoder(object_pairs_hook=_remember_doubled)
    at, starts = 0, 0
    while starts < MAX_STARTS:
        opening = re.compile(r"[{\[]").search(text, at)
        if opening is None:
            return
        starts += 1
        try:
            value, at = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            at = opening.start() + 1
        else:
            yield value


def _remember_doubled(pairs: list[tuple[str, Any]]) -> _Object:
    out = _Object(pairs)
    if len(out) < len(pairs):
        names = [name for name, _ in pairs]
        out.doubled = tuple(n for n in dict.fromkeys(names) if names.count(n) > 1)
    return out


def _shown(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
