r"""Whether a reply gives the right number: the verifiable reward of numeric problems.

    numeric_reward(r"… so it is \boxed{61.0} dBm", "61", "… What is the EIRP in dBm?")    # 1.0
    numeric_reward("133160 kbit/s", "133.16", "… capacity in Mbit/s?")                    # 1.0
    consensus(["61", "61.2 dBm", "40"], "61", "… in dBm?")                                # 1.0

The last box counts, else the last number. Numbers agree within `TOLERANCE` of the larger;
where question and reply name a unit, the reply is converted (units.py), and a unit that measures
something else is wrong. A reply without a number earns 0: it is an answer that was not given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from telejudge_judges.codecs.numbers import as_number
from telejudge_training.judge_data.units import UNIT, converted, plain

TOLERANCE = 0.01
"""Relative; the problems round to three digits or more."""

_WANTED = re.compile(rf"\b(?:in|as a) ({UNIT})(?![\w/])")
_BOX = re.compile(r"\\boxed\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{(-?[\d.]+)\}\s*\{([\d.]+)\}")
_POWER = re.compile(r"\s*(?:\\times|\\cdot|×|·|\*)\s*10\s*(?:\^|\*\*)\s*\{?\s*([-+−]?\d+)\s*\}?")
_MARKUP = re.compile(r"\\(?:,|;|!|text|mathrm|rm)|[{}$]")
_NUMBER = re.compile(
    rf"([-+−]?\d[\d,]*(?:\.\d+)?(?:[eE][-+−]?\d+)?)(?:\s*/\s*(\d+(?:\.\d+)?))?\s*({UNIT})?(?![\w/])"
)


class Quantity(NamedTuple):
    """A number and the unit beside it, empty when there is none."""

    value: float
    unit: str


def numeric_reward(
    reply: str, answer: str, question: str = "", *, tolerance: float = TOLERANCE
) -> float:
    """1.0 or 0.0."""
    return _right(value_in(reply, question), answer, tolerance)


def consensus(
    replies: Sequence[str], answer: str, question: str = "", *, tolerance: float = TOLERANCE
) -> float:
    """cons@k of k replies: 1.0 when the value that most of them give is right, else 0.0.

    Replies without a number do not vote; of equally frequent values the first given one counts.
    """
    values = [value for reply in replies if (value := value_in(reply, question)) is not None]
    votes = [sum(_close(other, value, tolerance) for other in values) for value in values]
    elected = values[votes.index(max(votes))] if votes else None
    return _right(elected, answer, tolerance)


def value_in(reply: str, question: str = "") -> float | None:
    """The number a reply gives, in the unit that the question asks for; None without one, or in a
    unit that measures something else."""
    given = quantity_in(reply)
    if given is None:
        return None
    wanted = wanted_unit(question)
    if not given.unit or (not wanted and given.unit != "%"):
        return given.value
    return converted(given.value, given.unit, wanted)


def quantity_in(reply: str) -> Quantity | None:
    """The last boxed number, else the last number; None when there is none."""
    boxes = list(_BOX.finditer(reply))
    found = list(_NUMBER.finditer(_read(boxes[-1][1] if boxes else reply)))
    if not found:
        return None
    last = found[-1]
    value = float(last[1].replace(",", "").replace("−", "-"))
    if last[2]:
        value = value / float(last[2]) if float(last[2]) else math.inf
    unit = last[3] or ""
    if boxes and not unit:  # "\boxed{61} dBm": the unit may stand behind the box
        behind = re.match(rf"\s*({UNIT})(?![\w/])", _MARKUP.sub("", reply[boxes[-1].end() :]))
        unit = behind[1] if behind else ""
    return Quantity(value, plain(unit)) if math.isfinite(value) else None


def wanted_unit(question: str) -> str:
    """The unit that a question asks for, in the last "in UNIT"; % for "what percentage"."""
    found = _WANTED.findall(question)
    if found:
        return plain(found[-1])
    return "%" if re.search(r"\bwhat percentage\b", question, re.I) else ""


def _read(text: str) -> str:
    """LaTeX's ways of writing a number, as plain ones."""
    text = _FRACTION.sub(r"\1/\2", text)
    text = _POWER.sub(r"e\1", text)
    return _MARKUP.sub("", text).replace(r"\%", "%")


def _right(value: float | None, answer: str, tolerance: float) -> float:
    truth = as_number(answer)
    return float(value is not None and truth is not None and _close(value, truth, tolerance))


def _close(value: float, truth: float, tolerance: float) -> bool:
    return math.isclose(value, truth, rel_tol=tolerance, abs_tol=1e-12) or (
        truth == 0 and abs(value) < 1e-9
    )
