"""A live progress display of a run on the terminal.

with rollout_progress("before") as on_progress:
    run(world, tasks, factory, on_progress=on_progress)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from telejudge_agents.runner import OnProgress, Progress
from telejudge_envs.progress import progress as progress_of


@contextmanager
def rollout_progress(title: str, console: Console | None = None) -> Iterator[OnProgress]:
    """Episodes done, share solved and failures; a bar on a terminal, lines in a log."""
    with progress_of(title, console) as update:

        def show(progress: Progress) -> None:
            update(progress.done, progress.total, note_of(progress))

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
