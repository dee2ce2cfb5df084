"""`telejudge data`: data sets for training and testing judges. Each command is in a file of its
own; what it does is done in telejudge_training.judge_data."""

from __future__ import annotations

import typer

from telejudge_eval.cli import (
    data_corruptions,
    data_groups,
    data_rows,
    data_teachers,
    train_verl,
)

data_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@data_app.callback()
def data() -> None:
    """Make data sets for judges: groups of known truth, teachers' words, rows for trainers.

    Each file gets a card beside it (`FILE.card.md`). A command started again with the same
    arguments goes on where it was; what is made already is not made again.

    Example: `telejudge data trajectories --train 500 --out groups.jsonl`
    """


data_app.command("corruptions")(data_corruptions.corruptions)
data_app.command("teleqna")(data_groups.teleqna)
data_app.command("groups")(data_groups.groups)
data_app.command("trajectories")(data_groups.trajectories)
data_app.command("distractors")(data_teachers.distractors)
data_app.command("annotate")(data_teachers.annotate)
data_app.command("reer")(data_teachers.reer)
data_app.command("math")(data_rows.math)
data_app.command("rows")(data_rows.rows)
data_app.command("preview")(data_rows.preview)
data_app.command("verl")(train_verl.data_verl)
