"""Numbers as models spell them.

    as_number("0.8") == as_number("80%") == as_number("8/10") == as_number("零点八") == 0.8
    as_number("quite good") is None

Only spellings that mean one number: nothing is guessed from words of praise.
"""

from __future__ import annotations

import math
import re
import unicodedata

_ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_CHINESE = "零一二三四五六七八九"
_DIGITS = {**{c: str(i) for i, c in enumerate(_CHINESE)}, "〇": "0", "两": "2"}

_PLAIN = re.compile(r"[-+]?(\d{1,15}(\.\d{0,40})?|\.\d{1,40})(e-?\d{1,3})?", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,15})?)\s*%", re.ASCII)
_RATIO = re.compile(r"(\d{1,4}(?:\.\d{1,15})?)\s*/\s*(\d{1,4}(?:\.\d{1,15})?)", re.ASCII)


def as_number(given: object) -> float | None:
    """The number that a value spells, or None. Truth values count as 0 and 1."""
    if isinstance(given, (bool, int, float)):
        try:
            return float(given)
        except OverflowError:
            return None
    if not isinstance(given, str):
        return None
    text = unicodedata.normalize("NFKC", given).strip().strip("*`'\"“”").strip().lower()
    if text in ("true", "false"):
        return float(text == "true")
    if _PLAIN.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else None
    if percent := _PERCENT.fullmatch(text):
        return float(percent.group(1)) / 100
    if ratio := _RATIO.fullmatch(text):
        whole = float(ratio.group(2))
        return float(ratio.group(1)) / whole if whole else None
    return _in_words(text)


def _in_words(text: str) -> float | None:
    words = text.replace("-", " ").split()
    if words and all(w in _ENGLISH or w == "point" for w in words) and words.count("point") <= 1:
        whole, point, rest = _parted(words, "point")
        digits = [str(_ENGLISH.index(w)) for w in rest]
        if len(whole) <= 1 and (rest or not point) and all(len(d) == 1 for d in digits):
            head = str(_ENGLISH.index(whole[0])) if whole else "0"
            return float(f"{head}.{''.join(digits) or '0'}")
    if text and all(c in _DIGITS or c == "点" for c in text) and text.count("点") <= 1:
        whole, point, rest = _parted(list(text), "点")
        if len(whole) == 1 and (rest or not point):
            return float(f"{_DIGITS[whole[0]]}.{''.join(_DIGITS[c] for c in rest) or '0'}")
    return None


def _parted(parts: list[str], at: str) -> tuple[list[str], bool, list[str]]:
    if at not in parts:
        return parts, False, []
    i = parts.index(at)
    return parts[:i], True, parts[i + 1 :]
