r"""Units of telecom quantities, and conversions between those that measure the same.

    converted(133160, "kbit/s", "Mbit/s")    # 133.16
    converted(30, "dBm", "W")                # 1.0
    converted(5, "dB", "W")                  # None: they measure other things

| kind | units | among each other |
|---|---|---|
| linear | bit, B, bit/s, B/s, Hz, W, s, min, h, m, V, A, erlang | SI prefixes; 8 bit a byte |
| power level | dBm, dBW | and to W: 10^(x/10) |
| ratios | dB, dBi | not to plain numbers: of power or of amplitude is not said |
| share | % | and to a plain number, by 100 |
"""

from __future__ import annotations

import math
import re

PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "m": 1e-3, "u": 1e-6, "n": 1e-9,
            "p": 1e-12, "c": 1e-2}  # fmt: skip
_PREFIX_WORDS = {"kilo": "k", "mega": "M", "giga": "G", "tera": "T", "milli": "m", "micro": "u",
                 "nano": "n", "pico": "p", "centi": "c"}  # fmt: skip
_BASE_WORDS = {"bits per second": "bit/s", "bytes per second": "B/s", "hertz": "Hz", "watts": "W",
               "watt": "W", "seconds": "s", "second": "s", "meters": "m", "metres": "m",
               "volts": "V", "amperes": "A", "bits": "bit", "bytes": "B"}  # fmt: skip
_WORDS = {
    "bps": "bit/s", "kbps": "kbit/s", "Mbps": "Mbit/s", "Gbps": "Gbit/s", "Tbps": "Tbit/s",
    "erlangs": "erlang", "Erlang": "erlang", "Erlangs": "erlang", "minutes": "min", "hours": "h",
    "percent": "%", r"\%": "%", "percentage": "%", "decibels": "dB", "sec": "s", "Bps": "B/s",
    **{
        prefix + base: short + unit
        for prefix, short in {"": "", **_PREFIX_WORDS}.items()
        for base, unit in _BASE_WORDS.items()
    },
}  # fmt: skip

_LINEAR = {"bit/s": ("bit/s", 1.0), "B/s": ("bit/s", 8.0), "bit": ("bit", 1.0), "B": ("bit", 8.0),
           "Hz": ("Hz", 1.0), "W": ("W", 1.0), "s": ("s", 1.0), "min": ("s", 60.0),
           "h": ("s", 3600.0), "m": ("m", 1.0), "V": ("V", 1.0), "A": ("A", 1.0),
           "erlang": ("erlang", 1.0)}  # fmt: skip
_LEVELS = {"dBm": 1e-3, "dBW": 1.0}
"""Watts at level 0."""

_PREFIXED = ("bit/s", "B/s", "bit", "B", "Hz", "W", "s", "m", "V", "A")
_PLAIN = ("dBm", "dBi", "dBW", "dB", "erlang", "min", "h", "%")
UNIT = (
    r"(?:" + "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True)) + r")"
    r"|(?:" + "|".join(map(re.escape, _PLAIN)) + r")"
    r"|[kMGTmuµμnpc]?(?:" + "|".join(map(re.escape, _PREFIXED)) + r")"
)
"""A regular expression of every spelling that `plain` understands."""


def plain(unit: str) -> str:
    """One spelling of each unit: `µs`, `us` and `microseconds` are `us`."""
    return _WORDS.get(unit, unit).replace("µ", "u").replace("μ", "u")


def converted(value: float, given: str, wanted: str) -> float | None:
    """The value in another unit, both spelled plainly; None where they measure other things."""
    if given == wanted:
        return value
    if {given, wanted} == {"%", ""}:
        return value / 100 if given == "%" else value * 100
    watts = _watts(value, given)
    if watts is not None and (wanted in _LEVELS or given in _LEVELS):
        return _in_level(watts, wanted)
    one, other = _linear(given), _linear(wanted)
    if one is None or other is None or one[0] != other[0]:
        return None
    return value * one[1] / other[1]


def _watts(value: float, unit: str) -> float | None:
    if unit in _LEVELS:
        return _LEVELS[unit] * 10 ** (min(value, 300.0) / 10)
    found = _linear(unit)
    return value * found[1] if found and found[0] == "W" else None


def _in_level(watts: float, wanted: str) -> float | None:
    if wanted in _LEVELS:
        return 10 * math.log10(watts / _LEVELS[wanted]) if watts > 0 else None
    found = _linear(wanted)
    return watts / found[1] if found and found[0] == "W" else None


def _linear(unit: str) -> tuple[str, float] | None:
    """What it measures, and how much of the base unit it is."""
    if unit in _LINEAR:
        return _LINEAR[unit]
    for base in _PREFIXED:
        if unit.endswith(base) and unit.removesuffix(base) in PREFIXES:
            kind, scale = _LINEAR[base]
            return kind, scale * PREFIXES[unit.removesuffix(base)]
    return None
