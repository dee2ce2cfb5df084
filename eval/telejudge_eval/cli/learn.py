"""`telejudge run` and `telejudge train`: training, with and without the story around it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telejudge_eval.cli import options as opt

if TYPE_CHECKING:
    from telejudge_training.recipe import EmbeddedRecipe

train_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@train_app.callback()
def training() -> None:
    """Train an agent on a judge's verdicts.

    Example: `telejudge train agent --seed 1`
    """


class WarmStart(StrEnum):
    sft = "sft"
    none = "none"


WorldName = Annotated[
    str | None, typer.Option(help="The world; default: the recipe's, and tau2-telecom without one.")
]
RecipeName = Annotated[
    str | None,
    typer.Option(
        help="`main`, `basestation`, `smoke`, or a Python file (see training/recipes/). "
        "Default: the world's own."
    ),
]
RunDir = Annotated[
    Path | None, typer.Option(help="Where everything goes; default runs/RECIPE-seedSEED.")
]
Steps = Annotated[int | None, typer.Option(min=0, help="GRPO steps; default: the recipe's.")]
WarmStartOption = Annotated[
    WarmStart | None,
    typer.Option(help="`none` is zero RL: no demonstrations are learned. Default: the recipe's."),
]

JudgeAdmission = Annotated[
    Path | None,
    typer.Option(
        help="Record of the judge's admission test (`telejudge eval admission`); training refuses "
        "a judge that failed. The verifier needs none."
    ),
]
AdmitAnyway = Annotated[
    bool,
    typer.Option("--admit-anyway", help="Train on a judge that is not admitted; run.json says so."),
]


def run(
    seed: opt.Seed = 0,
    world: WorldName = None,
    recipe: RecipeName = None,
    run_dir: RunDir = None,
    steps: Steps = None,
    warm_start: WarmStartOption = None,
    ticket_fixes: opt.TicketFixes = False,
    judge_admission: JudgeAdmission = None,
    admit_anyway: AdmitAnyway = False,
) -> None:
    """The whole loop: warm start, roll out, judge, train by GRPO, roll out again, report.

    Example: `telejudge run --seed 1`

    Killed and started again, it goes on where it was and ends with the same model.
    """
    from telejudge_eval.mainjob import run_main_job

    chosen = _recipe(recipe, world, steps, warm_start)
    folder = run_dir or Path("runs") / f"{chosen.name}-seed{seed}"
    run_main_job(
        chosen,
        folder,
        seed=seed,
        options=opt.world_options(ticket_fixes),
        admission=judge_admission,
        admit_anyway=admit_anyway,
    )


@train_app.command("agent")
def train_agent(
    seed: opt.Seed = 0,
    world: WorldName = None,
    recipe: RecipeName = None,
    run_dir: RunDir = None,
    steps: Steps = None,
    warm_start: WarmStartOption = None,
    ticket_fixes: opt.TicketFixes = False,
    judge_admission: JudgeAdmission = None,
    admit_anyway: AdmitAnyway = False,
) -> None:
    """Train the embedded model by multi-turn GRPO on the verifier's rewards.

    Example: `telejudge train agent --recipe smoke --run-dir runs/try --warm-start none`
    """
    from telejudge_eval.mainjob import train

    chosen = _recipe(recipe, world, steps, warm_start)
    folder = run_dir or Path("runs") / f"{chosen.name}-seed{seed}"
    train(
        chosen,
        folder,
        seed=seed,
        options=opt.world_options(ticket_fixes),
        admission=judge_admission,
        admit_anyway=admit_anyway,
    )
    typer.echo(f"model in {folder / 'model'}, figures in {folder / 'summary.json'}")


def _recipe(
    name: str | None, world: str | None, steps: int | None, warm_start: WarmStart | None
) -> EmbeddedRecipe:
    from telejudge_training.recipe import load_recipe

    recipe = load_recipe(name, world)
    changes: dict[str, Any] = {}
    if steps is not None:
        changes["grpo"] = {"steps": steps}
    if warm_start is not None:
        changes["warm_start"] = warm_start.value
    return recipe.with_(**changes) if changes else recipe
