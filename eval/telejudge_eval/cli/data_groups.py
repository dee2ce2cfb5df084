"""`telejudge data trajectories`: groups of trajectories of known truth."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from telejudge_eval.cli import options as opt
from telejudge_eval.cli.data_options import Force, Processes, progress, show

WORLDS = ("base-station", "tau2-telecom")


class SplitName(StrEnum):
    train = "train"
    dev = "dev"
    test = "test"


def trajectories(
    out: opt.Out,
    world: Annotated[
        list[str] | None, typer.Option(help="May be repeated. Default: both worlds.")
    ] = None,
    train: Annotated[int, typer.Option(min=0, help="Groups of training tasks, a world.")] = 1000,
    dev: Annotated[int, typer.Option(min=0, help="Groups of dev tasks.")] = 100,
    test: Annotated[int, typer.Option(min=0, help="Groups of unseen tasks.")] = 200,
    faults: Annotated[
        int, typer.Option(min=0, help="Groups of tasks with reserved faults or pairs of them.")
    ] = 100,
    sizes: Annotated[
        str, typer.Option(help="Candidates of a group, drawn from these.")
    ] = "2,3,4,5",
    per_task: Annotated[int, typer.Option(min=1, help="Groups of a task.")] = 3,
    natural: Annotated[
        float, typer.Option(min=0, max=1, help="Share of groups of the expert's rollouts alone.")
    ] = 0.3,
    kinds: Annotated[int, typer.Option(min=0, help="Kinds of corruption tried on a task.")] = 6,
    experts: Annotated[int, typer.Option(min=0, help="Rollouts of the expert on a task.")] = 6,
    level: Annotated[float, typer.Option(min=0, help="How careless the expert is.")] = 1.0,
    reserve: Annotated[
        list[str] | None,
        typer.Option(
            "--reserve-kind",
            help="A kind of corruption kept for tests; may be repeated. Default: alarm_cheat, "
            "hallucinated_id and over_impact on base stations, hallucinated_id and "
            "policy_violation in tau2-telecom.",
        ),
    ] = None,
    rollouts: Annotated[
        Path | None, typer.Option(help="Recorded rollouts to make groups of as well.")
    ] = None,
    rollouts_split: Annotated[
        SplitName, typer.Option(help="The split of the recorded rollouts.")
    ] = SplitName.test,
    seed: opt.Seed = 0,
    processes: Processes = None,
    force: Force = False,
) -> None:
    """Make groups of gold, correct alternatives, corruptions and an expert's own rollouts.

    Every candidate's outcome and defects are known, step by step. Groups are balanced by how many
    candidates are right and by kind; tasks, kinds and faults are held out for tests.

    Example: `telejudge data trajectories --world base-station --train 500 --out groups.jsonl`
    """
    from telejudge_training.judge_data.trajectories import Plan, numbers, write_groups

    plan = Plan(
        worlds=tuple(world or WORLDS),
        train=train,
        dev=dev,
        test=test,
        faults=faults,
        sizes=numbers(sizes),
        per_task=per_task,
        natural=natural,
        kinds=kinds,
        experts=experts,
        level=level,
        reserve=tuple(reserve or ()),
        seed=seed,
    )
    with progress("tasks played") as update:
        card = write_groups(
            plan,
            out,
            recorded=rollouts,
            recorded_split=rollouts_split.value,
            processes=processes or os.cpu_count() or 1,
            on_pools=update,
            force=force,
        )
    show(card, out)
