"""What the technician has understood of a text: steps in order, and what he does not follow.

In: nothing; these are the records that `technician_talk.understand` fills.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Guess = Callable[[str], int | None]
"""Which sector a clause means that names none; None: ask."""


@dataclass(frozen=True)
class Step:
    """A call to make. `lacks` is the type of a spare part that was not named."""

    tool: str
    arguments: dict[str, Any]
    lacks: str = ""


@dataclass(frozen=True)
class Unclear:
    """Words that ask for something, and what is not clear about them."""

    words: str
    why: str


@dataclass(frozen=True)
class Heard:
    """`forbidden`, `conditional`: orders that are not followed. `guessed`: what a novice took for
    granted where the words were ambiguous."""

    steps: tuple[Step | Unclear, ...] = ()
    forbidden: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
