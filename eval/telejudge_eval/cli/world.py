"""`telejudge play`, `validate`, `generate`, `explain`: a world by hand, and its list of tasks."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telejudge_envs.errors import TelejudgeError, UsageError
from telejudge_eval.cli.long_command import begin, long_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from telejudge_envs.base_station.spec import Spec
    from telejudge_envs.base_station.validate import Report

WorldArgument = Annotated[str, typer.Argument(help="The world, by name.")]


class InvalidTasks(TelejudgeError):
    """Some task does not keep what tasks promise."""


def play(
    world: WorldArgument,
    task: Annotated[str, typer.Argument(help="A task's id; `telejudge tasks` lists them.")],
) -> None:
    """Solve a task by hand in the terminal; the verifier judges it at the end.

    Example: `telejudge play basestation bs-dev-0000`
    """
    from rich.console import Console

    from telejudge_envs.inspection import inspect
    from telejudge_envs.registry import open_world
    from telejudge_eval.hands import play_by_hand
    from telejudge_eval.verdict_view import show_verdict
    from telejudge_judges.verifier import score

    console = Console()
    here = open_world(world)
    chosen = here.task(task)
    trajectory = play_by_hand(here, chosen, console)
    inspection = inspect(here, chosen, trajectory)
    show_verdict(score(trajectory.id, inspection), inspection, console)


@long_command("validate", resumes=False)
def validate(
    world: WorldArgument = "base-station",
    split: Annotated[list[str] | None, typer.Option(help="Only this split (repeatable).")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Tasks of a split at most.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, help="Default: one a core.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Also write counts and what failed here, as JSON.")
    ] = None,
) -> None:
    """Try on every task what tasks promise: solvable, every repair needed, traps that fail, …

    Example: `telejudge validate basestation --out validation.json`
    """
    from telejudge_envs.base_station.names import SPLITS
    from telejudge_envs.base_station.tasks import WORLD, specs
    from telejudge_envs.base_station.validate import as_json, validate_all
    from telejudge_envs.progress import progress
    from telejudge_envs.registry import open_world

    if open_world(world).name != WORLD:
        raise UsageError(f"only {WORLD} builds its own tasks; {world} brings tasks of others")
    chosen = [
        spec for name in split or SPLITS for spec in list(specs(name).values())[: limit or None]
    ]
    record = None if out is None else begin(out)
    reports = []
    with progress("tasks validated") as update:
        update(0, len(chosen))
        for report in validate_all(chosen, processes or os.cpu_count() or 1):
            reports.append(report)
            update(len(reports))
    _print_validation(reports, chosen)
    if out is not None and record is not None:
        found = as_json(reports)
        record.found(tasks=found["tasks"], failed=len(found["failed"]))
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        typer.echo(f"report in {out}")
    if any(report.failed for report in reports):
        raise InvalidTasks("some tasks do not keep what they promise; see the table")


@long_command("generate", resumes=False)
def generate(
    out: Annotated[Path, typer.Option(help="The folder to write <split>.jsonl into.")],
) -> None:
    """Write the base-station task list again; the same files as those that ship, byte by byte.

    Example: `telejudge generate --out /tmp/tasks`
    """
    from telejudge_envs.base_station.generator import write

    begin(out, folder=True)
    for path in write(out):
        typer.echo(f"{len(path.read_text(encoding='utf-8').splitlines()):,} tasks in {path}")


def explain(
    world: WorldArgument,
    task: Annotated[str, typer.Argument(help="A task's id.")],
    out: Annotated[Path | None, typer.Option(help="A file instead of the terminal.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw topology and alarms here.")] = None,
) -> None:
    """How a task can be solved: the gold plan step by step, with the oracle's word on each call.

    Example: `telejudge explain basestation bs-test-0003 --picture storm.png`
    """
    from telejudge_envs.base_station.world import BaseStation
    from telejudge_envs.registry import open_world
    from telejudge_eval.explain import explained
    from telejudge_eval.picture import draw_task

    here = open_world(world)
    if not isinstance(here, BaseStation):
        raise UsageError(f"only base-station has an oracle to explain a task with, not {world}")
    chosen = here.task(task)
    text = explained(here, chosen)
    if out is None:
        typer.echo(text)
    else:
        out.write_text(f"{text}\n", encoding="utf-8")
    if picture is not None:
        typer.echo(f"picture in {draw_task(chosen, picture)}")


def _print_validation(reports: Iterable[Report], specs: Sequence[Spec]) -> None:
    from rich.console import Console
    from rich.table import Table

    from telejudge_envs.base_station.spec import team_for
    from telejudge_envs.base_station.validate import CHECKS

    console = Console()
    reports = sorted(reports, key=lambda r: r.task_id)
    table = Table(title="what a task promises")
    for column in ("check", "passed", "failed", "first that failed"):
        table.add_column(column, justify="right" if column in ("passed", "failed") else "left")
    for check in CHECKS:
        failing = [r for r in reports if check in r.failed]
        first = f"{failing[0].task_id}: {failing[0].failed[check]}" if failing else ""
        passed = len(reports) - len(failing)
        table.add_row(check, f"{passed:,}", f"{len(failing):,}", first)
    console.print(table)
    levels = Counter(r.level for r in reports)
    handed = sum(any(team_for(s, a) for a in s.atoms) for s in specs)
    console.print(
        ", ".join(f"level {level}: {count:,}" for level, count in sorted(levels.items()))
        + f"; {handed:,} tasks ({handed / max(1, len(specs)):.0%}) need another team",
        highlight=False,
    )
