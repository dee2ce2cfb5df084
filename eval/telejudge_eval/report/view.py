"""What the section of a group prints: frozen records of plain strings and numbers.

`group.py` makes them, `templates/group.html.jinja` escapes and prints them.
"""

from __future__ import annotations

from dataclasses import dataclass

from telejudge_envs.nouns.verdict import Defect


@dataclass(frozen=True)
class Shown:
    """A text on one line; `text_id` leads to the whole of it when the line is not all."""

    line: str
    text_id: int | None = None
    length: int = 0


@dataclass(frozen=True)
class Said:
    """What somebody said before a call, or at the end."""

    who: str
    text: Shown


@dataclass(frozen=True)
class Cell:
    """One call of one rollout. `shared`: another rollout made the same call in this row."""

    index: int
    name: str
    arguments: Shown
    by_user: bool
    error: bool
    result: Shown
    changes: tuple[tuple[str, str, str], ...]
    changes_left_out: int
    defects: tuple[Defect, ...]
    said: tuple[Said, ...]
    shared: bool


@dataclass(frozen=True)
class Row:
    """Aligned calls; `agree` is how many rollouts made the most common call of the row."""

    agree: int
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Column:
    """A rollout's head and foot. Texts are printable; numbers are formatted."""

    letter: str
    agent: str
    trajectory_id: str
    rollout: int
    stop: str
    failure: str
    solved: str
    checks: str
    answer: int | None
    tools: str
    reward: str
    advantage: str
    confidence: str
    tier: str
    abstained: str
    defects: tuple[Defect, ...]
    calls: int
    tail: tuple[Said, ...]


@dataclass(frozen=True)
class GroupView:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
