"""What the `telejudge data` commands share: options, a progress bar, the card on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from telejudge_training.judge_data.rows import Card, Split

Force = Annotated[bool, typer.Option("--force", help="Make the file anew even if it is there.")]
Processes = Annotated[
    int | None, typer.Option(min=1, help="Processes; default: one for each core.")
]
Groups = Annotated[list[Path], typer.Argument(help="Files of groups.", show_default=False)]


def opt_splits(given: list[str] | None) -> tuple[Split, ...]:
    """--split as splits; raises UsageError for an unknown one."""
    from typing import get_args

    from telejudge_envs.errors import UsageError
    from telejudge_training.judge_data.rows import Split

    known: tuple[Split, ...] = get_args(Split)
    wrong = [name for name in given or () if name not in known]
    if wrong:
        raise UsageError(f"no split '{wrong[0]}'; choose {', '.join(known)}")
    return tuple(name for name in known if name in (given or ("train", "dev", "test")))


def show(card: Card, out: Path) -> None:
    """The counts of a card, as a table, and where the file is."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{card.rows:,} rows of {card.record} in {out}", title_justify="left")
    for column in ("", "", "rows"):
        table.add_column(column, justify="right" if column else "left")
    for what, counted in card.counts.items():
        for i, (name, count) in enumerate(counted.items()):
            table.add_row("" if i else what, name, f"{count:,}")
        table.add_section()
    Console().print(table)
    for note in card.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"card: {out}.card.md")
