"""`telejudge data corruptions`: correct trajectories with one mistake in each."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command

if TYPE_CHECKING:
    from rich.console import Console

    from telejudge_envs.nouns.trajectory import Rollout
    from telejudge_judges.corruption.engine import Batch, Job
    from telejudge_judges.corruption.records import Labelled

MOST_PASSES = 200
"""Times that every base is edited at most; a few are enough unless the bases are few."""


@long_command("data corruptions")
def corruptions(
    out: opt.Out,
    world: opt.World = "base-station",
    split: opt.Split = "train",
    count: Annotated[int, typer.Option(min=1, help="Labelled trajectories to write.")] = 10_000,
    rollouts: Annotated[
        Path | None,
        typer.Option(
            help="Correct solo rollouts to start from. Default: the world's gold; tau2-telecom has "
            "none that is careful, so its scripted engineer plays the split."
        ),
    ] = None,
    seed: opt.Seed = 0,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes; default: one for each core.")
    ] = None,
) -> None:
    """Make one small mistake in correct trajectories, play them again, keep what shows alone.

    Each line holds a rollout, the kind of the mistake (none: a correct one), its step, severity.

    Example: `telejudge data corruptions --world base-station --count 10000 --out c.jsonl`
    """
    from rich.console import Console

    from telejudge_envs import store
    from telejudge_envs.progress import progress
    from telejudge_eval.corrupting import batches_kept

    tally = _Tally()
    asked = (world, split, str(seed), *([] if rollouts is None else [_sha256(rollouts)]))
    record = begin(out, seed=seed)
    with (
        progress("labelled trajectories") as update,
        batches_kept(out, asked, _jobs(world, split, rollouts, seed), _count(processes)) as batches,
    ):

        def kept() -> Iterator[Labelled]:
            for batch in batches:
                tally.note(batch)
                for labelled in batch.kept:
                    if tally.written < count and tally.is_new(labelled):
                        tally.written += 1
                        yield labelled
                update(tally.written, count)
                if tally.written == count:
                    return

        store.write(out, kept())
    tally.show(Console())
    record.found(rows=tally.written, attempted=tally.attempted.total())
    typer.echo(f"{tally.written:,} labelled trajectories in {out}")


def _count(processes: int | None) -> int:
    return processes or os.cpu_count() or 1


def _sha256(path: Path) -> str:
    from telejudge_envs.errors import DataError

    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error


class _Tally:
    """Counts by kind over batches; `correct` are bases and alternatives."""

    def __init__(self) -> None:
        self.attempted: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self.written = 0
        self._seen: set[str] = set()

    def is_new(self, labelled: Labelled) -> bool:
        """Whether no written one says and calls the same; shuffles of short plans coincide."""
        trajectory = labelled.rollout.trajectory
        said = [m.model_dump_json(exclude={"reasoning"}) for m in trajectory.messages]
        key = hashlib.sha256("".join([trajectory.task_id, *said]).encode()).hexdigest()
        known = key in self._seen
        self._seen.add(key)
        return not known

    def note(self, batch: Batch) -> None:
        self.attempted += batch.attempted
        self.kept.update(labelled.kind or "correct" for labelled in batch.kept)

    def show(self, console: Console) -> None:
        from rich.table import Table

        table = Table(title="Kept: found where it was made, and nothing else found")
        for column in ("kind", "attempted", "kept", "share"):
            table.add_column(column, justify="left" if column == "kind" else "right")
        for kind, tried in sorted(self.attempted.items(), key=lambda i: (i[0] == "correct", i[0])):
            good = self.kept[kind]
            table.add_row(kind, f"{tried:,}", f"{good:,}", f"{good / tried:.0%}")
        both = (self.attempted.total(), self.kept.total())
        table.add_section()
        table.add_row("all", f"{both[0]:,}", f"{both[1]:,}", f"{both[1] / max(1, both[0]):.0%}")
        console.print(table)


def _jobs(world: str, split: str, rollouts: Path | None, seed: int) -> Iterator[Job]:
    """Bases one after the other: of every task the first, then of every task the second, …"""
    from telejudge_envs import store
    from telejudge_envs.nouns.trajectory import Rollout
    from telejudge_envs.registry import open_world
    from telejudge_judges.corruption.engine import Job
    from telejudge_judges.corruption.stages import stage_of

    stage_of(world)
    here = open_world(world)
    if rollouts is None and world != "tau2-telecom":
        ids = [task.id for task in here.tasks(split)]
        for number in range(1, MOST_PASSES + 1):
            for task_id in ids:
                yield Job(world, task_id, number=number, seed=seed)
    bases = _engineers(world, split) if rollouts is None else store.read(rollouts, Rollout)
    given = [r for r in bases if r.task.mode == "solo"]
    for number in range(1, MOST_PASSES + 1):
        for base in given:
            yield Job(world, base.task.id, number=number, seed=seed + number, rollout=base)


def _engineers(world: str, split: str) -> Iterator[Rollout]:
    """The careful engineer's rollouts of a split."""
    from telejudge_agents.runner import run
    from telejudge_agents.scripted.registry import scripted
    from telejudge_envs.registry import open_world

    here = open_world(world)
    yield from run(here, list(here.tasks(split)), scripted("engineer", here), rollouts=1)
