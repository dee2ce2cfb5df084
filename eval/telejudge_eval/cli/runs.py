"""`telejudge runs`: what was run, with what, how it went; two runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telejudge_envs.nouns.run import RunRecord

FIGURES = 4
"""That the list shows of a run; `compare` and the record have all."""


class ListByDefault(TyperGroup):
    """`telejudge runs FOLDER` is `telejudge runs list FOLDER`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["list", *args]
        return super().parse_args(ctx, args)


runs_app = typer.Typer(cls=ListByDefault, rich_markup_mode="markdown")


@runs_app.callback()
def runs() -> None:
    """List the runs below a folder, or compare two of them.

    Every long command leaves a record beside its output: `record.json` in a folder, `FILE.run.json`
    beside a file.

    Example: `telejudge runs` or `telejudge runs compare runs/main-seed0 runs/main-seed1`
    """


@runs_app.command("list")
def list_runs(
    folder: Annotated[Path, typer.Argument(help="Where to look.")] = Path(),
    state: Annotated[
        str | None,
        typer.Option(help="Only those: running, done, interrupted, failed or killed."),
    ] = None,
) -> None:
    """List runs, the one started last first.

    Example: `telejudge runs list runs --state interrupted`
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from telejudge_eval.runs import find, state_of

    found = [(path, record, state_of(record)) for path, record in find(folder)]
    found = [one for one in found if state in (None, one[2])]
    found.sort(key=lambda one: one[1].starts[-1], reverse=True)
    if not found:
        typer.echo(f"no records of runs under {folder}")
        return
    table = Table()
    for column in ("run", "command", "state", "started (UTC)", "took", "seed", "figures"):
        table.add_column(column, overflow="fold", no_wrap=column.startswith("started"))
    for path, record, how in found:
        name = path.relative_to(folder) if path.is_relative_to(folder) else path
        cells = (str(name), record.command, how, _when(record), _took(record))
        seed = "" if record.seed is None else str(record.seed)
        table.add_row(*map(escape, (*cells, seed, _figures(record))))
    Console().print(table)


@runs_app.command("compare")
def compare_runs(
    first: Annotated[Path, typer.Argument(help="A run's folder, file or record.")],
    second: Annotated[Path, typer.Argument(help="Another's.")],
) -> None:
    """Show what two runs were asked differently, and their figures side by side.

    Example: `telejudge runs compare runs/main-seed0 runs/main-seed1`
    """
    from telejudge_eval import runs as records

    one, other = records.read(first), records.read(second)
    heads = (str(first), str(second))
    asked = records.differences(_asked(one), _asked(other))
    differing = [(name, _shown(a), _shown(b)) for name, (a, b) in asked.items()]
    _table("settings that differ", heads, differing)
    names = list(dict.fromkeys([*one.figures, *other.figures]))
    rows = [(name, one.figures.get(name), other.figures.get(name)) for name in names]
    shown = [(name, _shown(a), _shown(b), _difference(a, b)) for name, a, b in rows]
    _table("figures", (*heads, "difference"), shown)


def _asked(record: RunRecord) -> dict[str, Any]:
    asked = {"command": record.command, "seed": record.seed, **record.settings}
    return {**asked, **record.config, "commit": record.commit, "versions": record.versions}


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        typer.echo(f"{title}: none")
        return
    table = Table(title=title, title_justify="left")
    for head in ("", *heads):
        table.add_column(escape(head), overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)


def _difference(left: Any, right: Any) -> str:
    numbers = [v for v in (left, right) if isinstance(v, int | float) and not isinstance(v, bool)]
    return f"{right - left:+.4g}" if len(numbers) == 2 else ""


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _figures(record: RunRecord) -> str:
    shown = [f"{name} {_shown(value)}" for name, value in record.figures.items()]
    more = f", and {len(shown) - FIGURES} more" if len(shown) > FIGURES else ""
    return ", ".join(shown[:FIGURES]) + more if shown else record.why


def _when(record: RunRecord) -> str:
    return record.starts[-1].removesuffix("+00:00").replace("T", " ")


def _took(record: RunRecord) -> str:
    """From the last start to the end."""
    from datetime import datetime

    if record.ended is None:
        return ""
    took = datetime.fromisoformat(record.ended) - datetime.fromisoformat(record.starts[-1])
    minutes, seconds = divmod(round(took.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
