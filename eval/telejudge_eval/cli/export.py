"""`telejudge export`: our rollouts as files that others read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command

export_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@export_app.callback()
def exporting() -> None:
    """Write rollouts in the form of another project.

    Example: `telejudge export tau2 rollouts.jsonl --out results.json`
    """


@export_app.command("tau2")
@long_command("export tau2", resumes=False)
def export_tau2(
    file: Annotated[Path, typer.Argument(help="A rollout file of tau2-telecom.")],
    out: opt.Out,
    agent: Annotated[
        str | None, typer.Option(help="Only this agent's; needed when there are several.")
    ] = None,
    mode: Annotated[opt.ModeName | None, typer.Option(help="Only this mode's.")] = None,
) -> None:
    """Write a result file of tau2-bench, scored by its own evaluators.

    Example: `telejudge export tau2 rollouts.jsonl --out results.json`
    """
    from telejudge_envs import store
    from telejudge_envs.groups import latest
    from telejudge_envs.nouns.trajectory import Rollout
    from telejudge_envs.progress import progress
    from telejudge_envs.tau2_telecom.exported import export_results

    rollouts = [
        rollout
        for rollout in latest(store.read(file, Rollout)).values()
        if agent in (None, rollout.trajectory.agent)
        and (mode is None or rollout.trajectory.mode == mode.value)
    ]
    record = begin(out)
    with progress("rollouts scored") as update:
        exported = export_results(rollouts, on_rollout=update)
    out.parent.mkdir(parents=True, exist_ok=True)
    exported.results.save(out)
    for note in exported.notes:
        typer.echo(f"note: {note}", err=True)
    rewards = [one.reward_info.reward for one in exported.results.simulations]
    mean = sum(rewards) / len(rewards)
    record.found(simulations=len(rewards), reward=mean, notes=len(exported.notes))
    typer.echo(f"{len(rewards):,} simulations in {out}, tau2's mean reward {mean:.3f}")
