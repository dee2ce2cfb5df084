"""The main job: a recipe and a seed in; a trained model, two tables and a report out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from telejudge_envs.registry import open_world
from telejudge_eval.live import training_display
from telejudge_judges.registry import open_judge
from telejudge_judges.settings import JudgeSettings
from telejudge_judges.verifier import Verifier
from telejudge_training.admission import require_admission, shipped_admission
from telejudge_training.embedded import train_embedded
from telejudge_training.recipe import EmbeddedRecipe


def train(
    recipe: EmbeddedRecipe,
    run_dir: Path,
    *,
    seed: int,
    options: Mapping[str, Any] | None = None,
    console: Console | None = None,
    judge: JudgeSettings | None = None,
    admission: Path | None = None,
    admit_anyway: bool = False,
) -> dict[str, Any]:
    """Run or resume the embedded pipeline with a live display; returns its summary.

    The world is the recipe's, opened with `options`. GRPO is paid by the judge (without one by the
    verifier); one that is not the verifier is audited by it. `admission` is the record of the
    judge's admission test, without one the shipped judge's own for this world; without
    `admit_anyway` a judge that failed it is refused with a UsageError.
    """
    world = open_world(recipe.world, **(options or {}))
    verifier = Verifier(open_world)
    settings = judge or JudgeSettings()
    if settings.judge == verifier.name:
        paying, auditor = verifier, None
    else:
        paying, auditor = open_judge(None, settings), verifier
    record = admission or shipped_admission(settings, recipe.world)
    admitted = require_admission(paying, record, admit_anyway=admit_anyway)
    with training_display(console or Console()) as on_event:
        return train_embedded(recipe, world, paying, run_dir, seed, on_event, admitted, auditor)


def run_main_job(
    recipe: EmbeddedRecipe,
    run_dir: Path,
    *,
    seed: int,
    options: Mapping[str, Any] | None = None,
    judge: JudgeSettings | None = None,
    admission: Path | None = None,
    admit_anyway: bool = False,
) -> dict[str, Any]:
    """Train, print before and after, write the report and say where it is; returns the summary."""
    from telejudge_eval.report.page import write_report
    from telejudge_eval.tables import before_after_table

    console = Console()
    started = time.perf_counter()
    console.print(
        f"A tiny model learns {recipe.world} (solo) from group verdicts: recipe {recipe.name}, "
        f"seed {seed}, in {run_dir}\nRewards: {paid_by(judge)}",
        highlight=False,
    )
    summary = train(
        recipe,
        run_dir,
        seed=seed,
        options=options,
        console=console,
        judge=judge,
        admission=admission,
        admit_anyway=admit_anyway,
    )
    before_after_table(summary, console)
    page = write_report(run_dir, run_dir / "report.html")
    minutes, seconds = divmod(round(time.perf_counter() - started), 60)
    console.print(f"Took {minutes} min {seconds} s. Model: {run_dir / 'model'}", highlight=False)
    console.print(f"Report: {page.resolve()}", soft_wrap=True, highlight=False)
    return summary


def paid_by(judge: JudgeSettings | None) -> str:
    """Who pays and who only measures, in words."""
    name = (judge or JudgeSettings()).judge
    if name == Verifier.name:
        return "by the verifier (ground truth)"
    return f"by the judge `{name}`; the verifier (ground truth) only measures"
