"""`telejudge report`: a run directory or files in, one HTML file out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    source: Annotated[
        list[Path],
        typer.Argument(help="A run directory; or judged groups; or rollouts and verdicts."),
    ],
    out: Annotated[Path, typer.Option(help="The HTML file.")] = Path("report.html"),
) -> None:
    """Write one self-contained HTML file that works offline.

    Example: `telejudge report runs/main-seed0 --out report.html`
    """
    from telejudge_eval.report.page import write_report

    one_folder = len(source) == 1 and source[0].is_dir()
    written = write_report(source[0] if one_folder else source, out)
    typer.echo(f"{written} ({written.stat().st_size / 1e6:.1f} MB)")
