"""`telejudge tasks`, `telejudge rollout`, `telejudge import`: what happens in the envs wing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telejudge_envs.errors import UsageError
from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command

if TYPE_CHECKING:
    from telejudge_agents.protocol import AgentFactory
    from telejudge_envs.protocol import World

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


@long_command("rollout")
def rollout(
    out: opt.Out,
    agent: Annotated[
        str,
        typer.Option(
            help="A scripted agent by name, `chat` (with --base-url and --model), or "
            "`local:FOLDER` for a transformers model."
        ),
    ] = "engineer",
    world: opt.World = "tau2-telecom",
    split: opt.Split = "test",
    mode: opt.Mode = opt.ModeName.solo,
    task: Annotated[list[str] | None, typer.Option(help="Only this task (repeatable).")] = None,
    rollouts: Annotated[int, typer.Option(min=1, help="Episodes a task.")] = 4,
    seed: opt.Seed = 0,
    ticket_fixes: opt.TicketFixes = False,
    concurrency: opt.Concurrency = 8,
    deadline: Annotated[float | None, typer.Option(help="Seconds for one episode.")] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Play again what an endpoint had failed.")
    ] = False,
    base_url: opt.BaseUrl = None,
    model: opt.Model = None,
    api_key: opt.ApiKey = None,
    sampling: opt.Sampling = None,
    timeout: opt.Timeout = 120.0,
    retries: opt.Retries = 4,
) -> None:
    """Let an agent play tasks; one episode a line. Run again, it goes on where it was.

    Example: `telejudge rollout --agent expert --split test --rollouts 8 --out rollouts.jsonl`
    """
    from telejudge_agents.progress import rollout_progress
    from telejudge_agents.runner import run
    from telejudge_envs.offers import scripted_user
    from telejudge_envs.registry import open_world
    from telejudge_eval.tables import rollout_figures, rollout_table

    here = open_world(world, **opt.world_options(ticket_fixes))
    chosen = [here.task(i, mode.value) for i in task] if task else here.tasks(split, mode.value)
    if agent == "chat":
        from telejudge_agents.chat import ChatAgents
        from telejudge_envs.client import ChatClient

        where = opt.endpoint(base_url, model, api_key, sampling, timeout, retries, concurrency)
        factory: AgentFactory = ChatAgents(ChatClient(where, seed=seed))
    else:
        factory = _local_or_scripted(agent, here, opt.json_object(sampling), concurrency)
    record = begin(out, seed=seed)
    with rollout_progress(f"{factory.name} on {split}") as on_progress:
        played = run(
            here,
            chosen,
            factory,
            rollouts=rollouts,
            seed=seed,
            concurrency=concurrency,
            deadline_s=deadline,
            out=out,
            users=partial(scripted_user, here) if mode.value == "dual" else None,
            on_progress=on_progress,
            retry_failed=retry_failed,
        )
    rollout_table(played)
    record.found(**rollout_figures(played))
    typer.echo(f"{len(played):,} episodes in {out}")


def _local_or_scripted(
    agent: str, world: World, sampling: dict[str, Any], concurrency: int
) -> AgentFactory:
    if agent.startswith("local:"):
        from telejudge_agents.batching import Sampling
        from telejudge_agents.local import LocalAgents

        try:
            how = Sampling(**sampling)
        except TypeError as error:
            raise UsageError(f"--sampling: {error}") from error
        folder = Path(agent.removeprefix("local:"))
        return LocalAgents.load(folder, sampling=how, max_batch=concurrency)
    from telejudge_agents.scripted.registry import scripted

    return scripted(agent, world)


@import_app.command("tau2")
def import_tau2(
    file: Annotated[Path, typer.Argument(help="Recorded rollouts, plain or gzipped.")],
    out: opt.Out,
) -> None:
    """Read rollouts recorded by tau2-bench, replay their calls, write a rollout file.

    Example: `telejudge import tau2 rollouts.jsonl.gz --out rollouts.jsonl`
    """
    from telejudge_envs import store
    from telejudge_envs.groups import groups_of
    from telejudge_envs.tau2_telecom.recorded import import_recorded
    from telejudge_eval.tables import rollout_table

    rollouts = import_recorded(file)
    store.write(out, rollouts)
    rollout_table(rollouts)
    groups = groups_of(rollouts)
    typer.echo(f"{len(rollouts):,} rollouts in {len(groups):,} groups (task and mode) in {out}")


@import_app.command("chat")
def import_conversations(
    file: Annotated[Path, typer.Argument(help="JSONL: a task_id and OpenAI chat messages a line.")],
    out: opt.Out,
    world: opt.World = "base-station",
) -> None:
    """Read conversations in OpenAI's chat format, play their calls again, write a rollout file.

    Example: `telejudge import chat chats.jsonl --world base-station --out rollouts.jsonl`
    """
    from telejudge_envs import store
    from telejudge_envs.recorded_chat import import_chat
    from telejudge_envs.registry import open_world
    from telejudge_eval.tables import rollout_table

    rollouts = import_chat(file, open_world(world))
    store.write(out, rollouts)
    rollout_table(rollouts)
    typer.echo(f"{len(rollouts):,} rollouts in {out}")
