"""Checks that all formats share: ids, answers, tools and defects as a model gave them.

In: raw values and a Reading. Out: sound values, or a Problem in the Reading.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from telejudge_envs.nouns.verdict import Defect, Severity
from telejudge_judges.codec import Reading, Shown
from telejudge_judges.codecs.numbers import as_number

SEVERITIES: tuple[Severity, ...] = ("soft", "hard", "safety")


def plain_id(given: object, shown: Shown) -> str:
    """The id that is meant: case, width, quotes and the word "candidate" aside."""
    text = str(given)
    if text in shown:
        return text
    plain = unicodedata.normalize("NFKC", text).strip().strip("`'\"<>*“”[]#").strip().lower()
    for word in ("candidate", "候选"):
        plain = plain.removeprefix(word).strip(" _:-")
    return plain if plain in shown else text


def check_ids(reading: Reading, given: Sequence[str], shown: Shown, where: str) -> set[str]:
    """Note ids that are doubled, unknown or missing; return those that are given once."""
    for name in dict.fromkeys(given):
        if name not in shown:
            detail = f'"{name}" is no candidate; the candidates are {", ".join(shown)}'
            reading.spoil("extra", name, detail)
        elif given.count(name) > 1:
            detail = f'"{name}" has more than one entry; exactly one is wanted'
            reading.spoil("duplicated", name, detail)
    for name in shown:
        if name not in given:
            reading.spoil("missing", name, f'"{name}" has no entry in {where}')
    return {name for name in given if name in shown and given.count(name) == 1}


def check_answer(reading: Reading, name: str, value: object) -> Literal[0, 1] | None:
    number = as_number(value)
    detail = f'"{name}".answer must be 0 or 1, got {shown_value(value)}'
    if number is None:
        reading.spoil("wrong_type", name, detail)
    elif number in (0.0, 1.0):
        return 1 if number else 0
    else:
        reading.spoil("out_of_range", name, detail)
    return None


def check_tools(reading: Reading, name: str, value: object) -> float | None:
    number = None if isinstance(value, bool) else as_number(value)
    detail = f'"{name}".tools must be a number from 0 to 1, got {shown_value(value)}'
    if number is None:
        reading.spoil("wrong_type", name, detail)
    elif 0 <= number <= 1:  # NaN is not
        return number
    else:
        reading.spoil("out_of_range", name, detail)
    return None


def check_defects(reading: Reading, name: str, given: object, calls: int) -> Iterable[Defect]:
    if given is None:
        return
    if not isinstance(given, list):
        detail = f'"{name}".defects must be a list, got {shown_value(given)}'
        reading.spoil("wrong_type", name, detail)
        return
    for i, one in enumerate(given):
        where = f'"{name}".defects[{i}]'
        if not isinstance(one, dict):
            reading.spoil("wrong_type", name, f"{where} must be an object, got {shown_value(one)}")
            continue
        defect = _defect(reading, name, where, one, calls)
        if defect is not None:
            yield defect


def _defect(
    reading: Reading, name: str, where: str, given: Mapping[str, Any], calls: int
) -> Defect | None:
    severity, kind, reason = given.get("severity"), given.get("kind"), given.get("reason")
    step = _step(given.get("step"))
    if isinstance(step, str):
        detail = f"{where}.step must be a step number or null, got {shown_value(given['step'])}"
        reading.spoil("wrong_type", name, detail)
    elif step is not None and not 0 <= step < calls:
        last = f"0 to {calls - 1}" if calls else "none, so null"
        detail = f"{where}.step is {step}, but the steps of {name} are {last}"
        reading.spoil("out_of_range", name, detail)
    elif severity not in SEVERITIES:
        wanted = ", ".join(SEVERITIES)
        detail = f"{where}.severity must be one of {wanted}, got {shown_value(severity)}"
        reading.spoil("wrong_type", name, detail)
    elif not isinstance(kind, str) or not kind or not isinstance(reason, str):
        reading.spoil("wrong_type", name, f"{where} needs the texts kind and reason")
    else:
        return Defect(step=step, kind=kind[:80], severity=severity, reason=reason[:1000])
    return None


def _step(given: object) -> int | str | None:
    """A step number, None, or a text when it is neither. `step 3` means 3."""
    if given is None:
        return None
    if isinstance(given, str):
        given = given.strip().lower().removeprefix("step").strip()
    number = None if isinstance(given, bool) else as_number(given)
    return int(number) if number is not None and number.is_integer() else "no step"


def shown_value(value: object) -> str:
    """The value as the repair turn quotes it."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
