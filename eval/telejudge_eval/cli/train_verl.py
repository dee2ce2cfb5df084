"""`telejudge train agent --backend verl` and `telejudge data verl`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telejudge_envs.errors import UsageError
from telejudge_eval.cli.long_command import begin, long_command

if TYPE_CHECKING:
    from telejudge_training.verl_backend.recipe import VerlRecipe


def train_verl(
    recipe: str | None,
    run_dir: Path | None,
    seed: int,
    *,
    assignments: Sequence[str],
    data: Path | None,
    dry_run: bool,
    admission: Path | None,
    admit_anyway: bool,
    not_for_verl: Sequence[str],
) -> None:
    """Check, prepare and start; a run that was stopped goes on from its last checkpoint."""
    if not_for_verl:
        raise UsageError(f"{', '.join(not_for_verl)}: not with --backend verl; a recipe says it")
    chosen = with_settings(named(recipe), assignments)
    folder = run_dir or Path("runs") / f"{chosen.name}-seed{seed}"
    if dry_run:
        _dry_run(chosen, folder, data, seed)
        return
    from telejudge_judges.registry import open_judge
    from telejudge_judges.settings import make_settings
    from telejudge_training.admission import require_admission
    from telejudge_training.verl_backend.launch import prepare, start

    judge = open_judge(settings=make_settings(chosen.loop.judge))
    admitted = require_admission(judge, admission, admit_anyway=admit_anyway)
    begin(folder, folder=True, seed=seed, config=chosen.model_dump(mode="json"))
    plan = prepare(chosen, folder, seed, data=data, admission=admitted)
    typer.echo(f"tasks: {plan.tasks or data}; starting: {' '.join(plan.command)}")
    status = start(plan)
    if status:
        raise typer.Exit(status)
    typer.echo(f"checkpoints in {folder / 'checkpoints'}, every rollout in {folder / 'record'}")


@long_command("data verl", resumes=False)
def data_verl(
    recipe: Annotated[str, typer.Option(help="A recipe of verl's, by name or as a file.")],
    out: Annotated[Path, typer.Option(help="The folder to write into.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Such as data.train_tasks=64."),
    ] = None,
) -> None:
    """Write a world's tasks as verl's parquet files, train.parquet and val.parquet.

    Example: `telejudge data verl --recipe cpu_smoke --out data/verl`
    """
    from telejudge_training.verl_backend.data import FILES, write_data

    chosen = with_settings(named(recipe), set_ or [])
    record = begin(out, folder=True, config=chosen.model_dump(mode="json"))
    counts = write_data(chosen, out)
    record.found(**{f"{split}_tasks": count for split, count in counts.items()})
    for split, count in counts.items():
        typer.echo(f"{out / FILES[split]}: {count} tasks")


def named(recipe: str | None) -> VerlRecipe:
    """Raises UsageError naming the choices."""
    from telejudge_training.verl_backend.recipe import load_recipe, shipped

    if recipe is None:
        raise UsageError(f"--backend verl needs a --recipe: {', '.join(shipped())}, or a file")
    return load_recipe(recipe)


def with_settings(recipe: VerlRecipe, assignments: Sequence[str]) -> VerlRecipe:
    """`recipe` with `name=value` applied: loop.x, data.x of ours, judge.x, or verl's own name.

    verl has a section `data` too: a name that ours does not have is verl's.
    """
    from telejudge_judges.settings import parse_assignments
    from telejudge_training.verl_backend.recipe import DataSettings

    for assignment in assignments:
        name, _, value = assignment.partition("=")
        section, _, inner = name.partition(".")
        read: Any = next(iter(parse_assignments([f"value={value}"]).values()))
        if section == "judge" and inner:
            recipe = recipe.with_(loop={"judge": {**recipe.loop.judge, inner: read}})
        elif section == "loop" or (section == "data" and inner in DataSettings.model_fields):
            recipe = recipe.with_(**{section: {inner: read}})
        else:
            recipe = recipe.with_(verl={name: read})
    return recipe


def _dry_run(recipe: VerlRecipe, folder: Path, data: Path | None, seed: int) -> None:
    from telejudge_training.verl_backend.configure import check, compose
    from telejudge_training.verl_backend.data import tasks_of

    overrides = recipe.overrides(data or folder / "data", folder, seed)
    looked = check(compose(overrides))
    tasks = {split: len(found) for split, found in tasks_of(recipe).items()}
    typer.echo(f"recipe {recipe.name}: {len(overrides)} settings differ from verl's own, all fit")
    typer.echo(f"checked: {', '.join(looked)}")
    typer.echo(f"tasks: {tasks['train']} to train on, {tasks['val']} to validate with")
