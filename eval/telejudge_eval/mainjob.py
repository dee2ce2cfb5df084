"""The main job: a recipe and a seed in; a trained model, two tables and a report out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from telejudge_envs.registry import open_world
from telejudge_eval.live import training_display
from telejudge_judges.verifier import Verifier
from telejudge_training.admission import require_admission
from telejudge_training.embedded import train_embedded
from telejudge_training.recipe import EmbeddedRecipe


def train(
    recipe: EmbeddedRecipe,
    run_dir: Path,
    *,
    seed: int,
    options: Mapping[str, Any] | None = None,
    console: Console | None = None,
    admission: Path | None = None,
    admit_anyway: bool = False,
) -> dict[str, Any]:
    """Run or resume the embedded pipeline with a live display; returns its summary.

    The world is the recipe's, opened with `options`. `admission` is the record of the judge's
    admission test; without `admit_anyway` a judge that failed it is refused with a UsageError.
    """
    world = open_world(recipe.world, **(options or {}))
    judge = Verifier(open_world)
    admitted = require_admission(judge, admission, admit_anyway=admit_anyway)
    with training_display(console or Console()) as on_event:
        return train_embedded(recipe, world, judge, run_dir, seed, on_event, admitted)


def run_main_job(
    recipe: EmbeddedRecipe,
    run_dir: Path,
    *,
    seed: int,
    options: Mapping[str, Any] | None = None,
    admission: Path | None = None,
    admit_anyway: bool = False,
) -> None:
    """Train, print before and after, write the report and say where it is."""
    from telejudge_eval.report.page import write_report
    from telejudge_eval.tables import before_after_table

    console = Console()
    started = time.perf_counter()
    console.print(
        f"A tiny model learns {recipe.world} (solo) from group verdicts: recipe {recipe.name}, "
        f"seed {seed}, in {run_dir}",
        highlight=False,
    )
    summary = train(
        recipe,
        run_dir,
        seed=seed,
        options=options,
        console=console,
        admission=admission,
        admit_anyway=admit_anyway,
    )
    before_after_table(summary, console)
    page = write_report(run_dir, run_dir / "report.html")
    minutes, seconds = divmod(round(time.perf_counter() - started), 60)
    console.print(f"Took {minutes} min {seconds} s. Model: {run_dir / 'model'}", highlight=False)
    console.print(f"Report: {page.resolve()}", soft_wrap=True, highlight=False)
