"""Rows as a reader wants to see them.

    for page in pages(Path("rows.parquet"), start=0, count=2, width=1200): print(page)

What a file holds is told by its card, else by its first row. Long texts are cut in the middle, and
it is said by how much.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from telejudge_envs.errors import DataError, TelejudgeError
from telejudge_envs.nouns.base import Noun
from telejudge_training.judge_data import forms, rows, texts
from telejudge_training.judge_data.cards import read_card
from telejudge_training.judge_data.files import read_rows

KINDS: tuple[type[Noun], ...] = (
    rows.JudgeRow,
    rows.GroupRow,
    rows.PairRow,
    rows.RankedRow,
    rows.QuestionRow,
    rows.PolicyRow,
    texts.Annotation,
    texts.Distractor,
    texts.Trace,
    forms.ChatLine,
    forms.AlpacaLine,
)

_QUIET = frozenset({"schema_version", "id", "provenance", "group", "prompt", "completion"})


def pages(path: Path, start: int, count: int, width: int) -> Iterator[str]:
    """One text a row. Raises DataError for a file that none of our steps made."""
    noun = kind_of(path)
    chosen = itertools.islice(read_rows(path, noun), start, start + count)
    for number, row in enumerate(chosen, start=start):
        lines = [f"── {noun.__name__} {number} ── {getattr(row, 'id', '')}"]
        lines += _lines(row, width)
        yield "\n".join(lines) + "\n"


def kind_of(path: Path) -> type[Noun]:
    """The record that a file holds."""
    by_name = {kind.__name__: kind for kind in KINDS}
    card = read_card(path)
    if card is not None and card.record in by_name:
        return by_name[card.record]
    for kind in KINDS:
        try:
            if next(iter(read_rows(path, kind)), None) is not None:
                return kind
        except TelejudgeError:
            continue
    known = ", ".join(by_name)
    raise DataError(f"{path} holds none of the records that `telejudge data` makes ({known})")


def _lines(row: Noun, width: int) -> Iterator[str]:
    for name, value in row:
        if name not in _QUIET and value not in ("", (), {}, None):
            yield from _field(name, value, width)
    for turn in (*_turns(row, "prompt"), *_turns(row, "completion"), *_turns(row, "messages")):
        yield f"[{turn.role}]"
        yield shortened(turn.content, width)
    if isinstance(row, rows.GroupRow):
        yield from _group(row, width)


def _field(name: str, value: Any, width: int) -> Iterator[str]:
    if name == "messages":
        return
    if name == "truths":
        for member, truth in value.items():
            found = [f"{d.kind}@{d.step}" for d in truth.defects or ()]
            end = "right" if truth.answer else "wrong"
            what = f"{truth.origin}{f' ({truth.kind})' if truth.kind else ''}"
            yield f"  {end}  {truth.reward:.2f}  {what}  {', '.join(found) or '-'}  {member}"
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        yield f"{name}:"
        yield from (f"  {shortened(_flat(one), width)}" for one in value)
    elif isinstance(value, tuple):
        yield f"{name}:"
        yield from (f"  {shortened(str(one), width)}" for one in value)
    elif isinstance(value, dict):
        yield f"{name}:"
        yield from (f"  {key}: {shortened(str(one), width)}" for key, one in value.items())
    else:
        yield f"{name}: {shortened(str(value), width)}"


def _flat(one: BaseModel) -> str:
    return ", ".join(f"{name}={value}" for name, value in one if value not in ((), None, ""))


def _turns(row: Noun, name: str) -> tuple[rows.Turn, ...]:
    found = getattr(row, name, ())
    if isinstance(found, str):  # a reward model's prompt is plain text
        return (rows.Turn(role="user", content=found),)
    return found


def _group(row: rows.GroupRow, width: int) -> Iterator[str]:
    yield f"ticket: {shortened(row.group.task.ticket, width)}"
    for one in row.group.trajectories:
        calls = [call.name for m in one.messages for call in m.tool_calls]
        last = next((m.text for m in reversed(one.messages) if m.role == "assistant"), "")
        yield f"  {one.id}: {', '.join(calls) if calls else shortened(last, width)}"


def shortened(text: str, width: int) -> str:
    """The text, its middle left out when it is longer than `width`."""
    if len(text) <= width:
        return text
    half = width // 2
    return f"{text[:half]} […{len(text) - 2 * half:,} characters…] {text[-half:]}"
