"""Stored results as tables: plain rows first, which the terminal and Markdown show alike.

In: results, one for each judge. Out: `Sheet`s, a column a judge.

    for sheet in sheets([pointwise, listwise]):
        sheet.title, sheet.header, sheet.rows
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from telejudge_eval.judge_eval.attacking import tried, worked
from telejudge_eval.judge_eval.measure import of_source
from telejudge_eval.judge_eval.records import Measure, Result

PERCENT = frozenset(
    {"accuracy", "accuracy_judged", "exact_match", "ranking", "order_flip_rate", "abstention"}
    | {"attack_success"}
)
COUNTS = frozenset({"tokens", "calls", "cached_calls"})

MAIN: dict[str, str] = {
    "accuracy": "Acc (abstained: not right)",
    "accuracy_judged": "Acc where judged",
    "exact_match": "whole group right",
    "auc_answer": "AUC, right answers",
    "ranking": "pairs in the right order",
    "kendall_tau": "Kendall's τ_b",
    "defects_f1": "defects, step and kind (F1)",
    "defects_step_f1": "defects, step (F1)",
    "defects_kind_f1": "defects, kind (F1)",
    "order_flip_rate": "answers that flip with the order",
    "length_bias": "reward gained by padding",
    "attack_success": "attacks that succeed",
    "attack_gain": "reward gained by an attack",
    "ece": "ECE",
    "brier": "Brier score",
    "abstention": "abstained",
    "tokens": "tokens a group",
    "calls": "calls a group",
    "cached_calls": "answers a group from the cache",
    "seconds": "seconds a group",
}
"""Measures of the first table of a source, in this order."""

NOTHING = "–"


@dataclass(frozen=True)
class Sheet:
    """A table of texts; the first column names the rows."""

    source: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sheets(results: Sequence[Result]) -> list[Sheet]:
    """Source by source; a table without rows is left out."""
    names = labels(results)
    found = []
    for source in _sources(results):
        found += [
            _measured(results, names, source, "Measures", MAIN),
            _measured(results, names, source, "Acc by number of right candidates", _strata),
            _measured(results, names, source, "AUC of the reward by kind of defect", _kinds),
            _attacks(results, names, source),
            _causes(results, names, source),
        ]
    return [sheet for sheet in found if sheet.rows]


def labels(results: Sequence[Result]) -> list[str]:
    """A different name for each: its label or judge, with what tells it from its namesakes."""
    names = [r.label or r.judge for r in results]
    counts = Counter(names)
    versions = [
        n if counts[n] == 1 else f"{n} ({r.judge_version})"
        for n, r in zip(names, results, strict=True)
    ]
    again = Counter(versions)
    return [v if again[v] == 1 else f"{v} #{i + 1}" for i, v in enumerate(versions)]


def _sources(results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(source for result in results for source in result.measures))


Rows = dict[str, str] | Callable[[Iterable[str]], dict[str, str]]
"""Titles by the names of measures, or how to choose them from the names that there are."""


def _strata(names: Iterable[str]) -> dict[str, str]:
    own = [
        n.removeprefix("accuracy_").removesuffix("_right") for n in names if n.endswith("_right")
    ]
    ordered = sorted(set(own), key=lambda s: (s == "all", int(s) if s.isdigit() else 0))
    return {f"accuracy_{s}_right": "all right" if s == "all" else f"{s} right" for s in ordered}


def _kinds(names: Iterable[str]) -> dict[str, str]:
    own = sorted({n for n in names if n.startswith("auc_") and n != "auc_answer"})
    return {name: name.removeprefix("auc_") for name in own}


def _measured(
    results: Sequence[Result], names: Sequence[str], source: str, title: str, chosen: Rows
) -> Sheet:
    own = [result.measures.get(source, {}) for result in results]
    wanted = chosen if isinstance(chosen, dict) else chosen([n for m in own for n in m])
    rows = []
    for name, told in wanted.items():
        measured = [m.get(name) for m in own]
        if any(m is not None for m in measured) and not _idle(name, measured):
            rows.append((told, _of(measured), *(shown(name, m) for m in measured)))
    return Sheet(source, title, ("", "of", *names), tuple(rows))


def _of(measured: Iterable[Measure | None]) -> str:
    """How many things the values are over; judges that abstain have fewer of some."""
    known = [m for m in measured if m is not None]
    low, high = min(m.of for m in known), max(m.of for m in known)
    return f"{low:,}{'' if low == high else f' to {high:,}'} {known[0].unit}"


def _idle(name: str, measured: Iterable[Measure | None]) -> bool:
    """Costs that nobody had."""
    return name in COUNTS and all(m is None or not m.value for m in measured)


def shown(name: str, measure: Measure | None) -> str:
    """A value with its 95% interval."""
    if measure is None or measure.value is None:
        return NOTHING
    form = _form(name)
    if measure.low is None or measure.high is None:
        return form(measure.value)
    return f"{form(measure.value)} ({form(measure.low)} to {form(measure.high)})"


def _form(name: str) -> Callable[[float], str]:
    if name in PERCENT or name.endswith("_right"):
        return lambda value: f"{100 * value:.1f}%"
    if name == "tokens":
        return lambda value: f"{value:,.0f}"
    if name in COUNTS:
        return lambda value: f"{value:.1f}"
    if name == "seconds":
        return lambda value: f"{value:.3g}"
    return lambda value: f"{value:.3f}"


def _attacks(results: Sequence[Result], names: Sequence[str], source: str) -> Sheet:
    """Successes of tries: of all attacks, by family, and by the place of the text."""
    columns = [_by_attack(result, source) for result in results]
    order = ("", "family", "place")
    rows = []
    for key in sorted({k for c in columns for k in c}, key=lambda k: (order.index(k[0]), k[1])):
        counts = [column.get(key) for column in columns]
        told = " ".join(key).strip() or "all"
        rows.append((told, *(NOTHING if c is None else f"{c[0]} of {c[1]}" for c in counts)))
    return Sheet(source, "Attacks that turned a wrong 0 into 1", ("", *names), tuple(rows))


def _by_attack(result: Result, source: str) -> dict[tuple[str, str], tuple[int, int]]:
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for group in of_source(result.groups, source):
        for probe in filter(tried, group.attacked):
            for key in (("", ""), ("family", probe.family), ("place", probe.place)):
                counts[key][0] += worked(probe)
                counts[key][1] += 1
    return {key: (won, of) for key, (won, of) in counts.items()}


def _causes(results: Sequence[Result], names: Sequence[str], source: str) -> Sheet:
    columns = [
        Counter(
            mark.abstained.partition(":")[0]
            for group in of_source(result.groups, source)
            for mark in group.marks
            if mark.abstained is not None
        )
        for result in results
    ]
    causes = sorted({cause for column in columns for cause in column})
    rows = tuple((cause, *(f"{column[cause]:,}" for column in columns)) for cause in causes)
    return Sheet(source, "Why candidates were abstained", ("", *names), rows)
