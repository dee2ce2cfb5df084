"""The document on the embedded judge's objectives, from what `judge_objectives.py` kept.

python benchmarks/judge_objectives_table.py        # RESULTS -> DOCUMENT

Words come from `introduction.md` and `reports.md` there; every figure of ours is computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from telejudge_eval.judge_eval.admission import read_result
from telejudge_eval.judge_eval.document import sample_of, table, turned
from telejudge_eval.judge_eval.measure import ALL, SAMPLES, of_source, sources
from telejudge_eval.judge_eval.metrics import metrics
from telejudge_eval.judge_eval.records import Result
from telejudge_eval.judge_eval.resample import Difference, paired
from telejudge_eval.judge_eval.sheets import NOTHING, sheets, shown

RESULTS = Path("docs/results/judge-objectives")
TELEQNA = (Path("docs/results/judge-teleqna"), Path("docs/results/judge-teleqna-0.5b"))
DOCUMENT = Path("docs/judge-objectives.md")
SCORE = ("bt", "rrhf")
"""Objectives whose judges write no defects: nothing is measured of what they cannot do."""

ORDERS = ", 4 orders"
"""What the label of a judge in several orders ends with."""

BALANCED = f"listwise{ORDERS}"
"""The only such judge with a row of its own: the others' say how often answers flip."""

SHOWN = ("Acc by number of right candidates", "Attacks that turned a wrong 0 into 1")

PAIRS = (
    ("pointwise", "listwise"),
    ("pairs", "listwise"),
    ("bt", "pointwise"),
    ("rrhf", "bt"),
    ("listwise", "grpo"),
    ("listwise, twice the updates", "grpo"),
    ("listwise", "opd"),
    ("listwise", BALANCED),
)


def rendered(root: Path = Path()) -> str:
    """Raises DataError for a file that is no result."""
    folder = root / RESULTS
    results = [read_result(path) for path in sorted(folder.glob("*.json"))]
    by_label = {result.label: result for result in results}
    rows = [r for r in results if not r.label.endswith(ORDERS) or r.label == BALANCED]
    parts = [
        (folder / "introduction.md").read_text(encoding="utf-8").strip(),
        f"## Held-out groups\n\n{sample_of(rows, ALL)}\n\n{_main(rows, by_label)}",
        *_sheets(rows),
        f"## By source\n\n{_by_source(rows)}",
        f"## Two judges on the same groups\n\n{_compared(by_label)}",
        *(part for folder in TELEQNA for part in _answers(root / folder)),
        (folder / "reports.md").read_text(encoding="utf-8").strip(),
    ]
    return "\n\n".join(parts) + "\n"


def _answers(folder: Path) -> list[str]:
    """What judge_teleqna.py kept, where it kept anything."""
    results = [read_result(path) for path in sorted(folder.glob("*.json"))]
    if not results:
        return []
    names = ("accuracy", "accuracy_judged", "order_flip_rate", "ranking", "abstention", "seconds")
    whole = sources(results[0].groups)[0]
    lines = []
    for result in results:
        own = result.measures[whole]
        lines.append((result.label, *(shown(name, own.get(name)) for name in names)))
    marks = [mark for group in results[0].groups for mark in group.marks]
    right = sum(mark.truth for mark in marks) / len(marks)
    for says, share in ((1, right), (0, 1 - right)):
        lines.append((f"*always {says}*", f"{share:.1%}", *([NOTHING] * (len(names) - 1))))
    header = ("", "Acc", "Acc where judged", "flips with order (2 orders)", "pairs in order")
    by_right = [
        turned(one) for one in sheets(results) if one.source == whole and SHOWN[0] in one.title
    ]
    return [
        (folder / "introduction.md").read_text(encoding="utf-8").strip(),
        sample_of(results, whole),
        table((*header, "abstained", "seconds a group"), lines),
        *(f"### {SHOWN[0]}, answers\n\n{one}" for one in by_right),
    ]


def _main(rows: Sequence[Result], by_label: dict[str, Result]) -> str:
    names = (
        *("accuracy", "accuracy_judged", "order_flip_rate", "defects_f1"),
        *("attack_success", "ranking", "seconds"),
    )
    lines = []
    for result in rows:
        own = dict(result.measures[ALL])
        several = by_label.get(result.label + ORDERS)
        if several is not None and "order_flip_rate" in several.measures[ALL]:
            own["order_flip_rate"] = several.measures[ALL]["order_flip_rate"]
        settings = result.settings
        if settings["objective"] in SCORE:
            own.pop("defects_f1", None)
        lines.append(
            (
                result.label,
                f"{settings['updates']:,}",
                f"{settings['weights'] / 1000:,.0f}k",
                *(shown(name, own.get(name)) for name in names),
            )
        )
    marks = [mark for group in rows[0].groups for mark in group.marks]
    right = sum(mark.truth for mark in marks) / len(marks)
    for says, share in ((1, right), (0, 1 - right)):
        blank = [NOTHING] * (len(names) - 1)
        lines.append((f"*always {says}*", NOTHING, NOTHING, f"{share:.1%}", *blank))
    header = (
        "",
        "updates",
        "weights",
        "Acc",
        "Acc where judged",
        "flips with order (4 orders)",
        "defects (F1)",
    )
    return table((*header, "attacks that succeed", "pairs in order", "seconds a group"), lines)


def _sheets(rows: Sequence[Result]) -> list[str]:
    return [
        f"### {sheet.title}\n\n{turned(sheet)}"
        for sheet in sheets(rows)
        if sheet.source == ALL and sheet.title in SHOWN
    ]


def _by_source(rows: Sequence[Result]) -> str:
    """Acc on each source; F1 of defects beside it."""
    names = [name for name in sources(rows[0].groups) if name != ALL]
    lines = []
    for name in names:
        groups = of_source(rows[0].groups, name)
        said = [_cell(result, name) for result in rows]
        lines.append((name, str(len(groups)), *said))
    return table(("Acc / F1 of defects", "groups", *(r.label for r in rows)), lines)


def _cell(result: Result, source: str) -> str:
    own = result.measures.get(source, {})
    accuracy, f1 = own.get("accuracy"), own.get("defects_f1")
    first = NOTHING if accuracy is None or accuracy.value is None else f"{accuracy.value:.1%}"
    second = NOTHING if f1 is None or f1.value is None else f"{f1.value:.2f}"
    return f"{first} / {second}"


def _compared(by_label: dict[str, Result]) -> str:
    rows = []
    for first, second in PAIRS:
        if first in by_label and second in by_label:
            d = _difference(by_label[first], by_label[second])
            told = (d.value, d.low, d.high)
            value, low, high = (NOTHING if x is None else f"{x:+.1%}" for x in told)
            p = NOTHING if d.p is None else f"{d.p:.3f}"
            rows.append((f"{second} − {first}", value, f"{low} to {high}", p))
    told = "Acc; paired permutation of groups, two-sided, p not corrected for the number of lines."
    return f"{told}\n\n{table(('judges', 'difference', '95% interval', 'p'), rows)}"


def _difference(first: Result, second: Result) -> Difference:
    """Of Acc, over the groups of both."""
    other = {group.group_id: group for group in second.groups}
    metric = next(m for m in metrics(first.groups) if m.name == "accuracy")
    own = metric.table(first.groups)
    others = metric.table([other[group.group_id] for group in first.groups])
    return paired(own, others, metric.combine, samples=SAMPLES, seed=0)


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(), encoding="utf-8")
    print(f"{DOCUMENT} written")
