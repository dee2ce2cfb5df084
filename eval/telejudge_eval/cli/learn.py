"""`telejudge run` and `telejudge train`: training, with and without the story around it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telejudge_envs.errors import UsageError
from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command

if TYPE_CHECKING:
    from telejudge_judges.settings import JudgeSettings
    from telejudge_training.recipe import EmbeddedRecipe

train_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@train_app.callback()
def training() -> None:
    """Train an agent on a judge's verdicts.

    Example: `telejudge train agent --seed 1`
    """


class Backend(StrEnum):
    embedded = "embedded"
    verl = "verl"


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

VerlSet = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        rich_help_panel="verl",
        help="One setting: loop.…, data.…, judge.… (of the judge), or verl's own by its dotted "
        "name, with a + to add one. JSON or text. May be repeated.",
    ),
]
VerlData = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel="verl",
        help="Folder of `telejudge data verl`. Default: written into the run directory.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        rich_help_panel="verl",
        help="Check recipe and settings against the installed verl, and start nothing.",
    ),
]
JudgeOption = Annotated[
    str | None,
    typer.Option(
        help="Whose verdicts are the reward. Default: the shipped embedded judge where it is "
        "admitted, else the verifier. The verifier measures in any case."
    ),
]


@long_command("run")
def run(
    seed: opt.Seed = 0,
    world: WorldName = None,
    recipe: RecipeName = None,
    run_dir: RunDir = None,
    steps: Steps = None,
    warm_start: WarmStartOption = None,
    ticket_fixes: opt.TicketFixes = False,
    judge: JudgeOption = None,
    config: opt.JudgeConfig = None,
    judge_admission: JudgeAdmission = None,
    admit_anyway: AdmitAnyway = False,
) -> None:
    """The whole loop: warm start, roll out, judge, train by GRPO, roll out again, report.

    Example: `telejudge run --seed 1`

    Killed and started again, it goes on where it was and ends with the same model.
    """
    from telejudge_eval.mainjob import run_main_job
    from telejudge_eval.tables import training_figures

    chosen = _recipe(recipe, world, steps, warm_start)
    folder = run_dir or Path("runs") / f"{chosen.name}-seed{seed}"
    paying = _judge(judge, config, chosen.world)
    record = begin(folder, folder=True, seed=seed, config=_config(chosen, paying))
    summary = run_main_job(
        chosen,
        folder,
        seed=seed,
        options=opt.world_options(ticket_fixes),
        judge=paying,
        admission=judge_admission,
        admit_anyway=admit_anyway,
    )
    record.found(**training_figures(summary))


@train_app.command("agent")
@long_command("train agent")
def train_agent(
    seed: opt.Seed = 0,
    world: WorldName = None,
    recipe: RecipeName = None,
    run_dir: RunDir = None,
    steps: Steps = None,
    warm_start: WarmStartOption = None,
    ticket_fixes: opt.TicketFixes = False,
    judge: JudgeOption = None,
    config: opt.JudgeConfig = None,
    judge_admission: JudgeAdmission = None,
    admit_anyway: AdmitAnyway = False,
    backend: Annotated[
        Backend,
        typer.Option(help="embedded: our loop, on this machine. verl: GPUs and clusters, by vLLM."),
    ] = Backend.embedded,
    set_: VerlSet = None,
    data: VerlData = None,
    dry_run: DryRun = False,
) -> None:
    """Train an agent by multi-turn GRPO on a judge's rewards.

    Example: `telejudge train agent --recipe smoke --run-dir runs/try --warm-start none`

    With verl: `telejudge train agent --backend verl --recipe cpu_smoke --dry-run`
    """
    if backend is Backend.verl:
        from telejudge_eval.cli.train_verl import train_verl

        embedded_only = {
            "--world": world,
            "--steps": steps,
            "--warm-start": warm_start,
            "--ticket-fixes": ticket_fixes or None,
        }
        train_verl(
            recipe,
            run_dir,
            seed,
            assignments=set_ or [],
            data=data,
            dry_run=dry_run,
            admission=judge_admission,
            admit_anyway=admit_anyway,
            not_for_verl=[name for name, given in embedded_only.items() if given is not None],
        )
        return
    if set_ or data or dry_run:
        raise UsageError("--set, --data and --dry-run are for --backend verl")
    from telejudge_eval.mainjob import train
    from telejudge_eval.tables import training_figures

    chosen = _recipe(recipe, world, steps, warm_start)
    folder = run_dir or Path("runs") / f"{chosen.name}-seed{seed}"
    paying = _judge(judge, config, chosen.world)
    record = begin(folder, folder=True, seed=seed, config=_config(chosen, paying))
    summary = train(
        chosen,
        folder,
        seed=seed,
        options=opt.world_options(ticket_fixes),
        judge=paying,
        admission=judge_admission,
        admit_anyway=admit_anyway,
    )
    record.found(**training_figures(summary))
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


def _config(recipe: EmbeddedRecipe, judge: JudgeSettings) -> dict[str, Any]:
    """What the record of the run says beside its options."""
    paying = judge.model_dump(mode="json", exclude_unset=True)
    return {"recipe": recipe.model_dump(mode="json"), "judge": paying}


def _judge(name: str | None, config: Path | None, world: str) -> JudgeSettings:
    """The judge that pays: the one that is named, the config's, or the world's own."""
    from telejudge_training.admission import default_judge

    if name is None and config is None:
        return default_judge(world)
    return opt.judge_settings(config, None, {"judge": name})
