"""A document on judges that asked one model, from kept results alone: a row a judge.

Path("docs/judge-results.md").write_text(document(sorted(Path("docs/results/judges").glob("*.json"))))

Words about how it was made come from `introduction` (Markdown without numbers); every figure is
computed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from telejudge_eval.judge_eval.admission import admit, read_result
from telejudge_eval.judge_eval.compare import compare
from telejudge_eval.judge_eval.measure import ALL, of_source, sources
from telejudge_eval.judge_eval.records import Mark, Result
from telejudge_eval.judge_eval.sheets import NOTHING, Sheet, sheets, shown

MEASURED = {
    "accuracy": "Acc (abstained: not right)",
    "exact_match": "whole group right",
    "auc_answer": "AUC",
    "ranking": "pairs in order",
    "order_flip_rate": "flips with order",
    "defects_f1": "defects (F1)",
    "ece": "ECE",
    "abstention": "abstained",
    "calls": "calls",
    "cached_calls": "from cache",
    "tokens": "tokens",
    "seconds": "seconds",
}
"""Columns by measure; the last four are per group."""

PAIRS = (
    ("pointwise, json", "listwise, one order, json"),
    ("listwise, one order, json", "listwise, balanced, json"),
    ("listwise, one order, json", "pairwise"),
    ("listwise, one order, json", "listwise, one order, boxed"),
    ("listwise, one order, json", "listwise, one order, tuple"),
    ("pointwise, json", "pointwise, boxed"),
    ("pointwise, json", "pointwise, tuple"),
)
"""By label: which two judges are compared on the same groups."""

COMPARED = ("accuracy", "auc_answer", "ranking", "abstention")
Row = Sequence[str]


def document(paths: Sequence[Path], introduction: str = "") -> str:
    """Raises DataError for a file that is no result."""
    results = [read_result(path) for path in paths]
    parts = [introduction.strip(), *_sources(results), _compared(results), _admitted(paths)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sources(results: Sequence[Result]) -> Iterator[str]:
    names = list(
        dict.fromkeys(name for r in results for name in sources(r.groups) if name != "all")
    )
    detail = sheets(results)
    for name in sorted(names):
        own = [r for r in results if of_source(r.groups, name)]
        yield f"## {name}\n\n{sample_of(own, name)}\n\n{_measures(own, name)}"
        for sheet in detail:
            if sheet.source == name and sheet.title in SHOWN:
                yield f"### {sheet.title}\n\n{turned(sheet)}"


SHOWN = (
    "Acc by number of right candidates",
    "AUC of the reward by kind of defect",
    "Attacks that turned a wrong 0 into 1",
    "Why candidates were abstained",
)


def sample_of(results: Sequence[Result], source: str) -> str:
    """What was judged. Judges of one source have judged the same groups."""
    groups = of_source(results[0].groups, source)
    right = Counter(f"{sum(m.truth for m in g.marks)} of {len(g.marks)}" for g in groups)
    files = {s.file: s.sha256 for s in results[0].samples if source in (ALL, s.source)}
    said = ", ".join(f"`{file}` (SHA-256 `{sha[:16]}…`)" for file, sha in files.items())
    told = ", ".join(f"{count} × {what}" for what, count in sorted(right.items()))
    candidates = sum(len(g.marks) for g in groups)
    return (
        f"{len(groups)} groups, {candidates} candidates from {said}, seed {results[0].seed}. "
        f"Right candidates in a group: {told}."
    )


def _measures(results: Sequence[Result], source: str) -> str:
    chosen = [n for n in MEASURED if any(n in r.measures.get(source, {}) for r in results)]
    rows = []
    for result in results:
        own = result.measures.get(source, {})
        marks = [m for g in of_source(result.groups, source) for m in g.marks]
        rows.append((result.label, _says_one(marks), *(shown(n, own.get(n)) for n in chosen)))
    marks = [m for g in of_source(results[0].groups, source) for m in g.marks]
    right = sum(m.truth for m in marks) / len(marks)
    for says, accuracy in ((1, right), (0, 1 - right)):
        rows.append(
            (f"*always {says}*", f"{says:.0%}", f"{accuracy:.1%}", *[NOTHING] * (len(chosen) - 1))
        )
    return table(("", "says 1", *(MEASURED[n] for n in chosen)), rows)


def _says_one(marks: Sequence[Mark]) -> str:
    answers = [m.answer for m in marks if m.answer is not None]
    return f"{sum(answers) / len(answers):.0%}" if answers else NOTHING


def _compared(results: Sequence[Result]) -> str:
    by_label = {result.label: result for result in results}
    rows = []
    for first, second in PAIRS:
        if first in by_label and second in by_label:
            lines = compare(by_label[first], by_label[second]).lines
            for line in lines:
                if line.metric in COMPARED and line.source == lines[0].source:
                    d = line.difference
                    rows.append(
                        (
                            f"{second} − {first}",
                            MEASURED[line.metric],
                            str(line.groups),
                            _signed(d.value),
                            f"{_signed(d.low)} to {_signed(d.high)}",
                            NOTHING if d.p is None else f"{d.p:.3f}",
                        )
                    )
    if not rows:
        return ""
    header = ("judges", "measure", "groups", "difference", "95% interval", "p")
    return (
        "## Two judges on the same groups, all sources\n\nPaired permutation of groups, two-sided; "
        f"p is not corrected for the number of lines.\n\n{table(header, rows)}"
    )


def _admitted(paths: Sequence[Path]) -> str:
    rows = []
    for path in paths:
        admission = admit(path)
        failed = [f"{f.measure} ({_told(f.judged_by)})" for f in admission.findings if not f.passed]
        rows.append(
            (
                read_result(path).label,
                "passed" if admission.passed else "**refused**",
                f"{len(failed)} of {len(admission.findings)}",
                ", ".join(failed) or NOTHING,
            )
        )
    header = ("", "as a reward", "limits not kept", "which (the worse end of the interval)")
    return f"## Admission\n\n{table(header, rows)}"


def _told(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"


def _signed(value: float | None) -> str:
    return NOTHING if value is None else f"{value:+.3f}"


def turned(sheet: Sheet) -> str:
    """A row a judge; judges without any value are left out."""
    columns = list(zip(*sheet.rows, strict=True))
    first = 2 if sheet.header[1] == "of" else 1
    rows = [
        (name, *column)
        for name, column in zip(sheet.header[first:], columns[first:], strict=True)
        if any(cell not in (NOTHING, "0") for cell in column)
    ]
    return table(("", *columns[0]), rows)


def table(header: Row, rows: Iterable[Row]) -> str:
    line: Callable[[Row], str] = lambda cells: "| " + " | ".join(cells) + " |"  # noqa: E731
    rule = "|" + "|".join("-" if i == 0 else "-:" for i in range(len(header))) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])
