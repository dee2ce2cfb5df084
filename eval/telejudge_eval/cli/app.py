"""The command line: `telejudge --help`. Each command's work is done in its own wing.

Commands import what they need when they run, so that `telejudge --help` stays quick.
"""

from __future__ import annotations

import os
import sys

import typer

from telejudge_envs.errors import TelejudgeError
from telejudge_eval.cli import (
    data,
    export,
    judge,
    learn,
    measure,
    play,
    report,
    rubric,
    runs,
    serve,
    serve_help,
    train_embedded_judge,
    train_judge,
    world,
)

app = typer.Typer(
    name="telejudge",
    help="Worlds, group judges and trainers for tool-calling agents in telecom troubleshooting.\n\n"
    "Start with `telejudge run`: it rolls out, judges, trains, rolls out again and reports.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("run")(learn.run)
app.command("tasks")(play.tasks)
app.command("rollout")(play.rollout)
app.command("play")(world.play)
app.command("explain")(world.explain)
app.command("validate")(world.validate)
app.command("generate")(world.generate)
app.command("judge")(judge.judge)
learn.train_app.command("judge")(train_judge.train_judge)
learn.train_app.command("embedded-judge")(train_embedded_judge.train_embedded_judge)
app.add_typer(learn.train_app, name="train")
app.add_typer(measure.eval_app, name="eval")
app.command("report")(report.report)
app.add_typer(runs.runs_app, name="runs")
app.add_typer(serve.serve_app, name="serve")
app.add_typer(play.import_app, name="import")
app.add_typer(export.export_app, name="export")
app.add_typer(data.data_app, name="data")
app.add_typer(rubric.rubric_app, name="rubric")
app.command("serve-help")(serve_help.serve_help)


def main() -> None:
    """The entry point. Errors on purpose end with their message and exit code 2."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # our own bars say more
    try:
        app()
    except TelejudgeError as error:
        _explain(str(error))
        sys.exit(2)
    except BrokenPipeError:  # the reader of our output has gone, such as `| head`
        sys.stderr.close()
        sys.exit(0)


def _explain(message: str) -> None:
    from rich.console import Console

    console = Console(stderr=True)
    console.print("[bold red]error:[/]", end=" ")
    console.print(message, markup=False, highlight=False)


if __name__ == "__main__":
    main()
