"""Tables of stored results, on the terminal and as Markdown. Nothing in them is written by hand.

print_sheets(sheets(results), Console())
Path("results.md").write_text(markdown(results))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from telejudge_envs.nouns.admission import Admission
from telejudge_eval.judge_eval.compare import Comparison
from telejudge_eval.judge_eval.records import Result, Sample
from telejudge_eval.judge_eval.sheets import MAIN, Sheet, labels, sheets

INTRODUCTION = (
    "Rendered by `telejudge eval table` from stored results. Each value with its 95% interval "
    "(bootstrap over groups). An abstained candidate counts as not right in Acc and in whole "
    "groups; pairs and τ_b are over the candidates that were judged."
)


def print_sheets(shown: Iterable[Sheet], console: Console) -> None:
    for sheet in shown:
        table = Table(title=f"{sheet.source}: {sheet.title}")
        for i, column in enumerate(sheet.header):
            table.add_column(column, justify="left" if i == 0 else "right")
        for row in sheet.rows:
            table.add_row(*(Text(cell) for cell in row))
        console.print(table)


def markdown(results: Sequence[Result], title: str = "Judges, evaluated") -> str:
    """A document: what was judged, by which commands, and every table."""
    return "\n".join(_document(results, title)) + "\n"


def _document(results: Sequence[Result], title: str) -> Iterator[str]:
    yield f"# {title}"
    yield ""
    yield INTRODUCTION
    yield ""
    yield "## Judges"
    yield ""
    names = labels(results)
    yield from _table(
        ("", "judge", "version", "model", "seed"),
        [
            (name, r.judge, r.judge_version, r.model or "–", str(r.seed))
            for name, r in zip(names, results, strict=True)
        ],
    )
    yield ""
    yield "```"
    yield from dict.fromkeys(r.command for r in results if r.command)
    yield "```"
    yield ""
    yield "## Groups"
    yield ""
    samples: dict[Sample, None] = dict.fromkeys(s for r in results for s in r.samples)
    yield from _table(
        ("source", "file", "SHA-256", "groups", "candidates"),
        [
            (s.source, s.file, f"`{s.sha256[:16]}…`", f"{s.groups:,}", f"{s.candidates:,}")
            for s in samples
        ],
    )
    source = None
    for sheet in sheets(results):
        if sheet.source != source:
            source = sheet.source
            yield ""
            yield f"## {'All sources together' if source == 'all' else source}"
        yield ""
        yield f"### {sheet.title}"
        yield ""
        yield from _table(sheet.header, sheet.rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _line(header)
    yield "|" + "|".join("-" if i == 0 else "-:" for i in range(len(header))) + "|"
    for row in rows:
        yield _line(row)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def print_comparison(comparison: Comparison, names: Sequence[str], console: Console) -> None:
    """Differences of two judges; `names` are theirs."""
    for source in dict.fromkeys(line.source for line in comparison.lines):
        own = [line for line in comparison.lines if line.source == source]
        table = Table(title=f"{source}: {names[1]} beside {names[0]}, {own[0].groups:,} groups")
        for column in ("", *names, "difference", "95% interval", "p"):
            table.add_column(column, justify="left" if not column else "right")
        for line in own:
            if line.metric in MAIN and (line.first or line.second):
                d = line.difference
                table.add_row(
                    Text(MAIN[line.metric]),
                    f"{line.first:.3f}",
                    f"{line.second:.3f}",
                    _number(d.value, "+.3f"),
                    f"{_number(d.low, '+.3f')} to {_number(d.high, '+.3f')}",
                    _number(d.p, ".4f"),
                )
        console.print(table)
        for whole in comparison.whole_groups:
            if whole.source == source:
                console.print(
                    f"Wholly right groups: only {names[0]} {whole.only_first}, only {names[1]} "
                    f"{whole.only_second} (McNemar, exact: p = {whole.p:.2g})",
                    highlight=False,
                    soft_wrap=True,
                )
    if comparison.left_out:
        console.print(f"{comparison.left_out} groups that only one of them judged were left out.")
    console.print(
        "p: paired permutation of groups, two-sided, not corrected for the number of lines.",
        soft_wrap=True,
    )


def print_admission(admission: Admission, console: Console) -> None:
    table = Table(title=f"Admission of {admission.judge} ({admission.judge_version})")
    for column in ("source", "measure", "limit", "held against it", ""):
        table.add_column(column, justify="left" if column in ("source", "measure") else "right")
    for one in admission.findings:
        sign = "≥" if one.sense == "min" else "≤"
        table.add_row(
            one.source,
            one.measure,
            f"{sign} {one.limit:g}",
            _number(one.judged_by, ".3f"),
            Text("pass", "green") if one.passed else Text("FAIL", "bold red"),
        )
    console.print(table)
    for reason in admission.reasons:
        console.print(f"fails: {reason}", markup=False, highlight=False, soft_wrap=True)
    console.print("[green]passed[/]" if admission.passed else "[bold red]did not pass[/]")


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
