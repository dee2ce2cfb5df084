"""`telejudge train embedded-judge`: groups of known truth in, a small generative judge out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command

SHOWN = ("loss", "accuracy", "defects_f1")
"""Figures of a step, where it has them."""


class Preset(StrEnum):
    tau2_telecom = "tau2-telecom"
    base_station = "base-station"
    laptop = "laptop"
    smoke = "smoke"


@long_command("train embedded-judge")
def train_embedded_judge(
    run_dir: Annotated[
        Path | None, typer.Option(help="Where everything goes; default runs/judge-seedSEED.")
    ] = None,
    recipe: Annotated[
        Preset,
        typer.Option(
            help="How the shipped judge of a world was made: tau2-telecom learns from both worlds, "
            "with four rounds of sparring; base-station from its own, longer. laptop: both worlds, "
            "no sparring; smoke: a minute."
        ),
    ] = Preset.tau2_telecom,
    groups: Annotated[
        Path | None,
        typer.Option(
            help="Groups to learn from, of `telejudge data trajectories`. Default: its own."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="One setting, such as learning.steps=500 or learning.objective=bt (JSON or text). "
            "May be repeated.",
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(help="Folder of a judge: what objective grpo goes on with, or opd's teacher."),
    ] = None,
    seed: opt.Seed = 0,
) -> None:
    """Train the small generative listwise judge that `--judge embedded` is, from scratch.

    Example: `telejudge train embedded-judge --run-dir runs/judge`

    Killed and started again, it goes on where it was and ends with the same judge.
    """
    from telejudge_envs.progress import progress
    from telejudge_eval.live import event_lines, step_lines
    from telejudge_judges.settings import parse_assignments
    from telejudge_training.embedded_judge.run import train_embedded_judge
    from telejudge_training.embedded_judge.settings import PRESETS

    chosen = PRESETS[recipe.value]().with_(**parse_assignments(set_ or []))
    folder = run_dir or Path("runs") / f"judge-seed{seed}"
    record = begin(folder, folder=True, seed=seed, config=chosen.model_dump(mode="json"))
    with progress("tasks played") as on_pools:
        summary = train_embedded_judge(
            chosen,
            folder,
            seed,
            groups=groups,
            start=start,
            on_pools=on_pools,
            on_line=step_lines(SHOWN),
            on_event=event_lines(),
        )
    dev, took = summary["dev"], summary["seconds"]
    record.found(**dev, seconds=took)
    typer.echo(
        f"dev groups: {dev['accuracy']:.1%} of the answers right, F1 {dev['defects_f1']:.3f} on "
        f"defects; {took:.0f} s"
    )
    typer.echo(
        f"judge in {folder / 'judge'}; try it: --judge embedded --set folder={folder / 'judge'}"
    )
