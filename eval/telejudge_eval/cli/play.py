"""`telejudge tasks`, `telejudge rollout`, `telejudge import`: what happens in the envs wing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command
from telejudge_eval.cli.rollout import rollout as rollout

import_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@import_app.callback()
def importing() -> None:
    """Read trajectories that others recorded.

    Example: `telejudge import tau2 results.json --out rollouts.jsonl`
    """


def tasks(
    world: opt.World = "tau2-telecom",
    split: opt.Split = "test",
    mode: opt.Mode = opt.ModeName.solo,
    show: Annotated[str | None, typer.Option(help="Print one task, by its id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows to print at most.")] = 20,
) -> None:
    """List a world's tasks.

    Example: `telejudge tasks --split train --limit 5`
    """
    from rich.console import Console
    from rich.table import Table

    from telejudge_envs.registry import open_world

    console = Console()
    here = open_world(world)
    if show is not None:
        console.print_json(here.task(show, mode.value).view.model_dump_json())
        return
    found = here.tasks(split, mode.value)
    table = Table(title=f"{world}, split {split}: {len(found):,} tasks")
    for column in ("task", "level", "marks"):
        table.add_column(column, overflow="fold")
    for task in found[:limit]:
        table.add_row(task.id.replace("[", r"\["), str(task.view.level), ", ".join(task.view.marks))
    console.print(table)
    sizes = ", ".join(f"{name} {len(here.tasks(name, mode.value)):,}" for name in here.splits)
    console.print(f"Splits: {sizes}.")
    if len(found) > limit:
        console.print(f"{len(found) - limit:,} more; see them with --limit {len(found)}.")


@import_app.command("tau2")
@long_command("import tau2", resumes=False)
def import_tau2(
    file: Annotated[Path, typer.Argument(help="Recorded rollouts, plain or gzipped.")],
    out: opt.Out,
) -> None:
    """Read rollouts recorded by tau2-bench, replay their calls, write a rollout file.

    Example: `telejudge import tau2 rollouts.jsonl.gz --out rollouts.jsonl`
    """
    from telejudge_envs import store
    from telejudge_envs.groups import groups_of
    from telejudge_envs.progress import progress
    from telejudge_envs.tau2_telecom.recorded import import_recorded
    from telejudge_eval.tables import rollout_figures, rollout_table

    record = begin(out)
    with progress("rollouts played again") as update:
        rollouts = import_recorded(file, on_rollout=update)
    store.write(out, rollouts)
    rollout_table(rollouts)
    record.found(**rollout_figures(rollouts))
    groups = groups_of(rollouts)
    typer.echo(f"{len(rollouts):,} rollouts in {len(groups):,} groups (task and mode) in {out}")


@import_app.command("chat")
@long_command("import chat", resumes=False)
def import_conversations(
    file: Annotated[Path, typer.Argument(help="JSONL: a task_id and OpenAI chat messages a line.")],
    out: opt.Out,
    world: opt.World = "base-station",
) -> None:
    """Read conversations in OpenAI's chat format, play their calls again, write a rollout file.

    Example: `telejudge import chat chats.jsonl --world base-station --out rollouts.jsonl`
    """
    from telejudge_envs import store
    from telejudge_envs.progress import progress
    from telejudge_envs.recorded_chat import import_chat
    from telejudge_envs.registry import open_world
    from telejudge_eval.tables import rollout_figures, rollout_table

    here = open_world(world)
    record = begin(out)
    with progress("conversations played again") as update:
        rollouts = import_chat(file, here, on_rollout=update)
    store.write(out, rollouts)
    rollout_table(rollouts)
    record.found(**rollout_figures(rollouts))
    typer.echo(f"{len(rollouts):,} rollouts in {out}")
