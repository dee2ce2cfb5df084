"""`telejudge train judge`: rows and a model in, a trained judge out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telejudge_envs.errors import UsageError
from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command

if TYPE_CHECKING:
    from telejudge_training.judge_training.settings import JudgeRecipe

SHOWN = ("loss", "reward", "verdicts", "accuracy", "mean_token_accuracy")
"""Figures of a step, where it has them."""


class Kind(StrEnum):
    sft = "sft"
    pointwise = "pointwise"
    pairs = "pairs"
    bt = "bt"
    rrhf = "rrhf"
    grpo = "grpo"
    permutation = "permutation"
    opd = "opd"


@long_command("train judge")
def train_judge(
    rows: Annotated[Path, typer.Option(help="Rows, JSONL or parquet; see `telejudge data rows`.")],
    model: Annotated[
        Path, typer.Option(help="The transformers folder of the model to begin with.")
    ],
    kind: Annotated[
        Kind,
        typer.Option(
            help="sft; pointwise, pairs (sft on such rows only); bt, rrhf (reward heads); grpo; "
            "permutation (grpo over orders); opd (a local teacher's logprobs)."
        ),
    ] = Kind.sft,
    recipe: Annotated[
        str, typer.Option(help="`laptop`, `gpu`, `smoke`, or a Python file that defines `recipe`.")
    ] = "laptop",
    dev: Annotated[
        Path | None,
        typer.Option(help="Rows to validate with. Default: those marked dev, or a tenth."),
    ] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="opd: the folder of a model with the same vocabulary.")
    ] = None,
    run_dir: Annotated[
        Path | None, typer.Option(help="Where everything goes; default runs/judge-KIND-seedSEED.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="One setting, such as loop.epochs=2 or lora=null (JSON or text). May be repeated.",
        ),
    ] = None,
    seed: opt.Seed = 0,
) -> None:
    """Train a judge on rows by distillation, pairs, ranked lists, rewards or a teacher's logprobs.

    Example: `telejudge train judge --kind sft --rows rows.jsonl --model models/small`

    Killed and started again, it goes on where it was and ends with the same model.
    """
    from telejudge_eval.live import step_lines
    from telejudge_training.judge_training.recipes import load_recipe
    from telejudge_training.judge_training.run import Sources, train_judge

    chosen = with_settings(load_recipe(kind.value, recipe), set_ or [])
    folder = run_dir or Path("runs") / f"judge-{kind.value}-seed{seed}"
    sources = Sources(rows=rows, model=model, dev=dev, teacher=teacher)
    record = begin(folder, folder=True, seed=seed, config=chosen.model_dump(mode="json"))
    summary = train_judge(chosen, sources, folder, seed, on_line=step_lines(SHOWN))
    shown = ("best_dev_loss", "threshold_accuracy", "steps", "seconds")
    record.found(**{name: summary.get(name) for name in shown})
    for name in ("best_dev_loss", "threshold_accuracy", "dev"):
        if summary.get(name) is not None:
            typer.echo(f"{name}: {summary[name]}")
    left = ", ".join(f"{count} {cause}" for cause, count in summary["left_out"].items())
    if left:
        typer.echo(f"rows left out: {left}")
    typer.echo(f"model in {folder / 'model'}, figures in {folder / 'summary.json'}")


def with_settings(recipe: JudgeRecipe, assignments: list[str]) -> JudgeRecipe:
    """`recipe` with `section.name=value` applied. Raises UsageError naming the one that fails."""
    from telejudge_judges.settings import parse_assignments

    changes = parse_assignments(assignments)
    if fixed := changes.keys() & {"name", "kind"}:
        raise UsageError(f"--set {min(fixed)}: choose it with --recipe or --kind")
    return recipe.with_(**changes)
