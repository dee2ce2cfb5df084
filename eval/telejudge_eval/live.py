"""Training as it happens: one line for each phase, with the figures that matter.

On a terminal the lines move; in a log file, a line is printed every tenth step instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from telejudge_envs.progress import LOG, left
from telejudge_training.embedded import OnEvent
from telejudge_training.embedded import Progress as Event

TITLES = {
    "demonstrations": "Expert demonstrations",
    "sft": "Warm start (SFT)",
    "before": "Test tasks, before",
    "grpo": "GRPO on verdicts",
    "after": "Test tasks, after",
}
LOG_EVERY = 10

OnLine = Callable[[int, int, Mapping[str, Any]], None]
"""Told a step, the number of steps, and a line of metrics.jsonl."""

SHOWN = (
    "reward",
    "true_reward",
    "agreement",
    "success",
    "tools",
    "calls",
    "loss",
    "tied_groups",
    "abstained",
)
"""Figures of a step, as far as they are known."""


@contextmanager
def training_display(console: Console) -> Iterator[OnEvent]:
    """Yields the hook for `train_embedded`."""
    if not console.is_terminal:

        def tell(line: str) -> None:
            LOG.info("%s", line)
            console.print(line, highlight=False, soft_wrap=True)

        yield _logger(tell)
        return
    bars = Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )
    lines: dict[str, TaskID] = {}
    log = _logger(partial(LOG.info, "%s"))
    with bars:

        def show(event: Event) -> None:
            log(event)
            if event.phase not in lines:
                title = TITLES.get(event.phase, event.phase)
                lines[event.phase] = bars.add_task(title, total=event.total, note="")
            bars.update(
                lines[event.phase],
                total=event.total,
                completed=event.step,
                note=note_of(event),
            )

        yield show


def event_lines() -> OnEvent:
    """For training inside another: lines on standard output, as in a log file."""

    def tell(line: str) -> None:
        LOG.info("%s", line)
        print(line, flush=True)

    return _logger(tell)


class _Clock:
    """What is left, at the pace since the first step; an earlier step than the last starts anew."""

    def __init__(self) -> None:
        self._began, self._first, self._last = 0.0, 0, -1

    def left(self, step: int, steps: int) -> str:
        now = time.monotonic()
        if self._last < 0 or step < self._last:
            self._began, self._first = now, step
        self._last = step
        return left(self._began, self._first, step, steps, now)


def _logger(tell: Callable[[str], None]) -> OnEvent:
    clocks: dict[str, _Clock] = {}

    def log(event: Event) -> None:
        rest = clocks.setdefault(event.phase, _Clock()).left(event.step, event.total)
        quiet = event.phase == "demonstrations" or event.step % LOG_EVERY
        if event.step < event.total and quiet:
            return
        title = TITLES.get(event.phase, event.phase)
        line = f"{title} {event.step}/{event.total}  {note_of(event)}  {rest}".rstrip()
        tell(line)

    return log


def step_lines(shown: Sequence[str]) -> OnLine:
    """For trainers of judges: a line at every check and twenty times in between, each with the
    figures in `shown` that it has, and the time that is left."""
    clock = _Clock()

    def show(step: int, steps: int, line: Mapping[str, Any]) -> None:
        rest = clock.left(step, steps)
        if line["phase"] == "train" and step % max(1, steps // 20) and step != steps:
            return
        figures = "  ".join(f"{name} {line[name]:.4f}" for name in shown if name in line)
        told = f"{step:>6}/{steps} {line['phase']:<5} {figures}  {rest}".rstrip()
        LOG.info("%s", told)
        print(told, flush=True)

    return show


def note_of(event: Event) -> str:
    """`reward 0.71  success 83%  tools 0.78  calls 14.2  loss -0.01`, as far as known."""
    shown = []
    for name in SHOWN:
        value = _mean(event.metrics.get(name))
        if value is None or (name in ("tied_groups", "abstained") and not value):
            continue
        label = name.replace("_", " ")
        shown.append(f"{label} {value:.0%}" if name == "success" else f"{label} {value:.3g}")
    return "  ".join(shown)


def _mean(value: Any) -> float | None:
    if isinstance(value, dict):
        value = value.get("mean")
    return float(value) if isinstance(value, int | float) else None
