"""A live progress display of a run on the terminal.

with rollout_progress("before") as on_progress:
    run(world, tasks, factory, on_progress=on_progress)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from telejudge_agents.runner import OnProgress, Progress


@contextmanager
def rollout_progress(title: str, console: Console | None = None) -> Iterator[OnProgress]:
    """A bar with episodes done, share solved and failures; leaves its last state on the screen."""
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=console,
    )
    with bar:
        line = bar.add_task(title, total=None, note="")

        def show(progress: Progress) -> None:
            bar.update(line, total=progress.total, completed=progress.done, note=note_of(progress))

        yield show


def note_of(progress: Progress) -> str:
    """`solved 61% · 2 failed · 40 from before`; failed episodes are not part of the share."""
    scored = progress.done - progress.failed
    parts = [f"solved {progress.solved / scored:.0%}"] if scored else []
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.resumed:
        parts.append(f"{progress.resumed} from before")
    return " · ".join(parts)
