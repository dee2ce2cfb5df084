"""Group results for the tests of judge evaluation, written down as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telejudge_eval.judge_eval.metrics import metrics
from telejudge_eval.judge_eval.records import GroupResult, Mark, Spot
from telejudge_eval.judge_eval.resample import point


def mark(truth: Any, answer: Any = None, **fields: Any) -> Mark:
    """A candidate; no answer is an abstention. Spots may be given as pairs."""
    for name in ("spots", "true_spots"):
        if fields.get(name) is not None:
            fields[name] = tuple(Spot(*pair) for pair in fields[name])
    abstained = "timeout" if answer is None else None
    fields.setdefault("trajectory_id", "t")
    return Mark(truth=truth, answer=answer, abstained=abstained, **fields)


def group(*marks: Mark, name: str = "g", source: str = "s", **fields: Any) -> GroupResult:
    """The marks get ids of their own."""
    named = tuple(
        one.model_copy(update={"trajectory_id": f"{name}-{i}"}) for i, one in enumerate(marks)
    )
    return GroupResult(group_id=name, source=source, marks=named, **fields)


def value(name: str, results: Sequence[GroupResult]) -> float | None:
    """A measure of these groups, by its name."""
    metric = {m.name: m for m in metrics(results)}[name]
    return point(metric.table(results), metric.combine)
