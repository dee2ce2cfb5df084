"""JSON as models write it: every object or list in a reply, strict or slightly broken.

    [value for value in objects('Sure!\n```json\n{“a”:1,}\n```')]  ->  [{"a": 1}]

Tolerated, since each means one thing only: trailing commas, full-width and curly quotes, full-width
colons, commas, brackets and digits, single quotes, bare keys and words, Python's True and None,
comments, raw line breaks in strings. Not tolerated: what is cut off. Keys given twice are
remembered (`Members.doubled`).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

MAX_REPLY = 400_000
MAX_STARTS = 400
MAX_DEPTH = 40
MAX_WORK = 1_000_000
"""Tokens that the tolerant reading of one reply may take."""

_THINKING = re.compile(
    r"<(think|thinking|thought|reasoning)>.*?(</\1>|$)", re.DOTALL | re.IGNORECASE
)
_THOUGHT_ENDS = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_START = re.compile(r"[{\[\uff5b\uff3b]")


class Members(dict[str, Any]):
    """A JSON object that remembers keys given more than once."""

    doubled: tuple[str, ...] = ()

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> Members:
        out = cls(pairs)
        if len(out) < len(pairs):
            names = [name for name, _ in pairs]
            out.doubled = tuple(n for n in dict.fromkeys(names) if names.count(n) > 1)
        return out


def without_thinking(text: str) -> str:
    """The reply without thoughts, also without one whose beginning was cut away by a template."""
    rest = _THINKING.sub(" ", text)
    ends = [end.end() for end in _THOUGHT_ENDS.finditer(rest)]
    return rest[ends[-1] if ends else 0 :][:MAX_REPLY]


def objects(text: str) -> Iterable[object]:
    """Every JSON object or list that starts in the text and is not inside an earlier one."""
    decoder = json.JSONDecoder(object_pairs_hook=Members.of)
    reader = _Reader(text)
    at = 0
    for _ in range(MAX_STARTS):
        opening = _START.search(text, at)
        if opening is None:
            return
        try:
            value, at = decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            try:
                value, at = reader.value(opening.start(), 0)
            except _Unreadable:
                at = opening.start() + 1
                continue
        yield value


def find_object(text: str, key: str) -> object:
    """What `key` holds in the last JSON object of the text that has it; None when none has."""
    found = None
    for value in objects(without_thinking(text)):
        if isinstance(value, Members) and key in value and key not in value.doubled:
            found = value[key]
    return found


class _Unreadable(Exception):
    """Not JSON, not even nearly."""


_GAP = re.compile(r"(?:[\s\u3000]|//[^\n]*|#[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(
    r'"((?:[^"\\]|\\.)*)"|[“”\uff02]((?:[^“”\uff02\\]|\\.)*)[”“\uff02]'
    r"|['‘’]((?:[^'’\\]|\\.)*)['’]",
    re.DOTALL,
)
_BARE = re.compile(r"[^\s{}\[\]\uff5b\uff5d\uff3b\uff3d:,\uff1a\uff0c\"“”\uff02'‘’]{1,80}")
_CONSTANTS = {
    "true": True,
    "false": False,
    "null": None,
    "none": None,
    "nan": float("nan"),
}
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?")


class _Reader:
    """A small recursive-descent reader; positions in and out."""

    def __init__(self, text: str) -> None:
        self.text, self.work = text, 0

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        self.work += 1
        if depth > MAX_DEPTH or self.work > MAX_WORK:
            raise _Unreadable
        at = self._gap(at)
        opening = self.text[at : at + 1]
        if opening and opening in "{\uff5b":
            return self._members(at + 1, depth)
        if opening and opening in "[\uff3b":
            return self._items(at + 1, depth)
        return self._scalar(at)

    def _members(self, at: int, depth: int) -> tuple[Members, int]:
        pairs: list[tuple[str, Any]] = []
        while True:
            at = self._gap(at)
            if self._is(at, "}\uff5d"):
                return Members.of(pairs), at + 1
            key, at = self._scalar(at)
            at = self._gap(at)
            if not self._is(at, ":\uff1a"):
                raise _Unreadable
            value, at = self.value(at + 1, depth + 1)
            pairs.append((key if isinstance(key, str) else json.dumps(key), value))
            end = self._gap(at)
            if self._is(end, ",\uff0c"):
                at = end + 1
            elif self._is(end, "}\uff5d") or "\n" in self.text[at:end]:
                at = end  # a comma forgotten at the end of a line
            else:
                raise _Unreadable

    def _items(self, at: int, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        while True:
            at = self._gap(at)
            if self._is(at, "]\uff3d"):
                return items, at + 1
            value, at = self.value(at, depth + 1)
            items.append(value)
            at = self._gap(at)
            if self._is(at, ",\uff0c"):
                at += 1
            elif not self._is(at, "]\uff3d"):
                raise _Unreadable

    def _scalar(self, at: int) -> tuple[Any, int]:
        self.work += 1
        quoted = _STRING.match(self.text, at)
        if quoted is not None:
            return _unescaped(next(g for g in quoted.groups() if g is not None)), quoted.end()
        bare = _BARE.match(self.text, at)
        if bare is None:
            raise _Unreadable
        word = unicodedata.normalize("NFKC", bare.group())
        if word.lower() in _CONSTANTS:
            return _CONSTANTS[word.lower()], bare.end()
        if _NUMBER.fullmatch(word):
            value = float(word)
            return (int(value) if word.lstrip("+-").isdigit() else value), bare.end()
        return word, bare.end()

    def _gap(self, at: int) -> int:
        gap = _GAP.match(self.text, at)
        return gap.end() if gap else at

    def _is(self, at: int, among: str) -> bool:
        return self.text[at : at + 1] in among and at < len(self.text)


def _unescaped(inside: str) -> str:
    try:
        escaped = re.sub(r'(?<!\\)"', r"\"", inside)
        return json.loads(f'"{escaped}"', strict=False)
    except ValueError:
        return inside
