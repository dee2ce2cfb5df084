"""Group results in, every measure with its interval out, for each source and for all of them.

measures(results)["teleqna"]["accuracy"]      # Measure(value=0.61, low=0.55, high=0.67, of=402)
"""

from __future__ import annotations

from collections.abc import Sequence

from telejudge_eval.judge_eval.metric import Metric
from telejudge_eval.judge_eval.metrics import metrics
from telejudge_eval.judge_eval.records import GroupResult, Measure
from telejudge_eval.judge_eval.resample import interval, point

ALL = "all"
"""The name of all sources together."""

SAMPLES = 2000


def measures(
    results: Sequence[GroupResult], *, samples: int = SAMPLES, seed: int = 0
) -> dict[str, dict[str, Measure]]:
    """By source, then by name; those without a value are absent."""
    found = {}
    for source in sources(results):
        own = of_source(results, source)
        made = {metric.name: measure(metric, own, samples, seed) for metric in metrics(own)}
        found[source] = {name: one for name, one in made.items() if one is not None}
    return found


def measure(
    metric: Metric, results: Sequence[GroupResult], samples: int, seed: int
) -> Measure | None:
    """None when the metric does not exist for these groups."""
    columns = metric.table(results)
    value = point(columns, metric.combine)
    if value is None:
        return None
    low, high = interval(columns, metric.combine, samples=samples, seed=seed)
    of = round(metric.count(columns.sum(axis=0)))
    return Measure(value=value, low=low, high=high, of=of, unit=metric.unit)


def sources(results: Sequence[GroupResult]) -> list[str]:
    """Names of the sources, and `all` before them when they are several."""
    names = sorted({result.source for result in results})
    return names if len(names) == 1 else [ALL, *names]


def of_source(results: Sequence[GroupResult], source: str) -> list[GroupResult]:
    return [r for r in results if source in (ALL, r.source)]
