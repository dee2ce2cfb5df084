r"""Whether a reply gives the right number: the verifiable reward of numeric problems.

    numeric_reward(r"… so it is \boxed{61.0} dBm", "61", "… What is the EIRP in dBm?")    # 1.0
    numeric_reward("133160 kbit/s", "133.16", "… capacity in Mbit/s?")                    # 1.0

The last box counts, else the last number. Numbers agree within `TOLERANCE`; where question and
reply name a unit, the reply's is converted when they differ in their SI prefix only, and other
units are wrong. A reply without a number earns 0: it is an answer that was not given.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from telejudge_judges.codecs.numbers import as_number

TOLERANCE = 0.01
"""Relative; the problems round to three digits or more."""

_PREFIX = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "m": 1e-3, "u": 1e-6, "µ": 1e-6,
           "n": 1e-9, "p": 1e-12, "c": 1e-2}  # fmt: skip
_NAMED = {"microseconds": "µs", "milliseconds": "ms", "seconds": "s", "nanoseconds": "ns",
          "bps": "bit/s", "kbps": "kbit/s", "Mbps": "Mbit/s", "Gbps": "Gbit/s", "metres": "m",
          "meters": "m", "watts": "W", "hertz": "Hz"}  # fmt: skip
_BASES = ("bit/s", "Hz", "dBm", "dBi", "dBW", "dB", "W", "s", "m", "V", "A", "erlang")
_UNIT = (
    r"(?:" + "|".join(sorted(map(re.escape, _NAMED), key=len, reverse=True)) + r")"
    r"|[kMGTmuµnpc]?(?:" + "|".join(re.escape(base) for base in _BASES) + r")"
)
_WANTED = re.compile(rf"\bin ({_UNIT})(?![\w/])")
_BOX = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_MARKUP = re.compile(r"\\(?:,|;|!|text|mathrm)|[{}]")
_NUMBER = re.compile(rf"([-+−]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*({_UNIT})?(?![\w/])")


class Quantity(NamedTuple):
    """A number and the unit beside it, empty when there is none."""

    value: float
    unit: str


def numeric_reward(reply: str, answer: str, question: str = "") -> float:
    """1.0 or 0.0."""
    truth, given = as_number(answer), quantity_in(reply)
    if truth is None or given is None:
        return 0.0
    wanted = wanted_unit(question)
    value = given.value
    if wanted and given.unit:
        factor = _factor(given.unit, wanted)
        if factor is None:
            return 0.0
        value *= factor
    return float(math.isclose(value, truth, rel_tol=TOLERANCE, abs_tol=1e-9))


def quantity_in(reply: str) -> Quantity | None:
    """The last boxed number, else the last number; None when there is none."""
    boxes = _BOX.findall(reply)
    among = boxes[-1] if boxes else reply
    found = list(_NUMBER.finditer(_MARKUP.sub("", among)))
    if not found:
        return None
    number = found[-1][1].replace(",", "").replace("−", "-")
    unit = found[-1][2] or ""
    if boxes and not unit:  # "\boxed{61} dBm": the unit may stand behind the box
        behind = re.match(
            rf"\s*({_UNIT})(?![\w/])", reply[reply.rindex(boxes[-1]) :].partition("}")[2]
        )
        unit = behind[1] if behind else ""
    return Quantity(float(number), _plain(unit))


def wanted_unit(question: str) -> str:
    """The unit that a question asks for, in the last "in UNIT"."""
    found = _WANTED.findall(question)
    return _plain(found[-1]) if found else ""


def _plain(unit: str) -> str:
    return _NAMED.get(unit, unit).replace("µ", "u")


def _factor(given: str, wanted: str) -> float | None:
    """What a number in one unit is to be multiplied with; None when they measure other things."""
    if given == wanted:
        return 1.0
    for base in _BASES:
        if given.endswith(base) and wanted.endswith(base):
            one, other = given.removesuffix(base), wanted.removesuffix(base)
            if one in _PREFIX and other in _PREFIX:
                return _PREFIX[one] / _PREFIX[other]
    return None
