"""How far a long command is, and how long it will still take: a bar on a terminal, lines in a log.

    with progress("episodes") as update:
        update(3, 160, "solved 67%")
        # in a log:  episodes 16/160, solved 67%, about 2 min left

It goes to standard error, so that what a command prints can be piped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console

LOG = logging.getLogger("telejudge.progress")
"""Told the lines of a log, whatever is shown; silent unless somebody listens."""

LINES = 10
"""A log gets a line at every tenth of the work …"""

SILENCE_S = 60.0
"""… and after such a silence."""

HASTE_S = 2.0
"""Lines are at least so far apart, but for the last."""


class Update(Protocol):
    """Tell how much is done, of how much (as far as known), and a word on how it goes."""

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None: ...


@contextmanager
def progress(title: str, console: Console | None = None) -> Iterator[Update]:
    """Yields what is to be called as the work goes on; the first call says where it starts."""
    from rich.console import Console

    console = console or Console(stderr=True)
    if not console.is_terminal:

        def tell(line: str) -> None:
            LOG.info("%s", line)
            console.print(line, highlight=False, markup=False, soft_wrap=True)

        yield _Lines(title, tell)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn())
    clocks = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), *clocks, console=console) as bar:
        line = bar.add_task(title, total=None, note="")

        logged = _Lines(title, partial(LOG.info, "%s"))

        def update(done: int, total: int | None = None, note: str = "") -> None:
            logged(done, total, note)
            known = bar.tasks[line].total if total is None else total
            bar.update(line, completed=done, total=known, note=note)

        yield update


def left(began: float, first: int, done: int, total: int, now: float) -> str:
    """`about 2 min left` at the pace so far, from `first` at `began`; empty when nobody can say."""
    if done <= first or total <= done:
        return ""
    seconds = (now - began) / (done - first) * (total - done)
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"


@dataclass
class _Lines:
    """A line at every tenth and after a long silence."""

    title: str
    tell: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)
    first: int | None = None
    told: int = -1
    tenth: int = 0
    total: int | None = None

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None:
        now, self.total = time.monotonic(), total or self.total
        if self.first is None:
            self.first, self.began = done, now
            self.tenth = self._tenth(done)
        ended = done == self.total and done != self.told
        due = self._tenth(done) > self.tenth and now - self.last >= HASTE_S
        if not (ended or due or (now - self.last >= SILENCE_S and done != self.told)):
            return
        self.told, self.last, self.tenth = done, now, self._tenth(done)
        of = "" if self.total is None else f"/{self.total:,}"
        rest = left(self.began, self.first, done, self.total or 0, now)
        parts = [f"{self.title} {done:,}{of}", *filter(None, (note, rest))]
        self.tell(", ".join(parts))

    def _tenth(self, done: int) -> int:
        return 0 if not self.total else done * LINES // self.total
