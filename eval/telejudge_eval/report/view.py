"""What the section of a group prints: frozen records of plain strings and numbers.

`group.py` makes them, `templates/group.html.jinja` escapes and prints them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from telejudge_envs.nouns.verdict import Severity

Status = Literal["", "confirmed", "other kind", "unfounded", "missed", "true"]
"""How a judge's defect agrees with the true ones: at the same step of the same kind, at the same
step, nowhere; or a true one that the judge missed, or could not miss since it abstained. Empty
where nothing is known."""


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
class SeenDefect:
    """A defect that the judge named, or a true one."""

    step: int | None
    kind: str
    severity: Severity
    reason: str
    evidence: str
    status: Status = ""


@dataclass(frozen=True)
class Ballots:
    """What the single orders said, a line each; `flipped`: not all the same answer."""

    lines: tuple[str, ...]
    flipped: bool


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
    defects: tuple[SeenDefect, ...]
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
    truth: str
    ballots: Ballots
    defects: tuple[SeenDefect, ...]
    calls: int
    tail: tuple[Said, ...]


@dataclass(frozen=True)
class GroupView:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    found: str
