"""Judged groups in, the figures of an evaluation out; needs the records only, no model.

summarise(judged)["success"]               # {"mean": 0.95, "low": 0.91, "high": 0.98}
summarise(judged)["by_mark"]["defective"]  # {"tasks": 3, "success": 0.5, …}
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.verdict import Verdict


def summarise(
    judged: Sequence[JudgedGroup],
    *,
    bootstrap: int = 2000,
    kind: Callable[[TaskView], str] | None = None,
) -> dict[str, Any]:
    """Means with 95% bootstrap intervals over tasks; briefly by level, by kind and by mark.

    `success` is the world's own reward; `answer`, `tools`, `reward` are the judge's; `defects`
    counts them by kind. `kind` sorts tasks (offers.kind_of); `by_kind` is left out without it.
    """
    verdicts = [v for one in judged for v in one.verdict.verdicts]
    marked = [one for one in judged if one.group.task.marks]
    marks = sorted({mark for one in marked for mark in one.group.task.marks})
    return {
        **_measures(judged, bootstrap),
        "tasks": len(judged),
        "rollouts": sum(len(one.group.trajectories) for one in judged),
        "abstained": sum(v.abstained is not None for v in verdicts),
        "defects": dict(Counter(d.kind for v in verdicts for d in v.defects).most_common()),
        "stops": dict(Counter(t.stop for one in judged for t in one.group.trajectories)),
        "by_level": _by(judged, lambda view: str(view.level)),
        **({"by_kind": _by(judged, kind)} if kind else {}),
        "by_mark": {
            mark: _brief([one for one in marked if mark in one.group.task.marks]) for mark in marks
        },
        "unmarked": _brief([one for one in judged if not one.group.task.marks]),
    }


def _by(judged: Sequence[JudgedGroup], key: Callable[[TaskView], str]) -> dict[str, Any]:
    sorted_out: dict[str, list[JudgedGroup]] = {}
    for one in judged:
        sorted_out.setdefault(key(one.group.task), []).append(one)
    return {name: _brief(sorted_out[name]) for name in sorted(sorted_out)}


def _measures(judged: Sequence[JudgedGroup], bootstrap: int) -> dict[str, Any]:
    per_task = [_task_means(one) for one in judged]
    return {
        name: _interval(_known(per_task, name), bootstrap)
        for name in ("success", "answer", "tools", "reward", "calls")
    }


def _brief(judged: Sequence[JudgedGroup]) -> dict[str, Any]:
    means = [_task_means(one) for one in judged]
    brief: dict[str, Any] = {"tasks": len(judged)}
    for name in ("success", "tools", "calls"):
        values = _known(means, name)
        brief[name] = round(fmean(values), 4) if values else None
    return brief


def _known(means: Sequence[dict[str, float | None]], name: str) -> list[float]:
    return [value for m in means if (value := m[name]) is not None]


def _task_means(one: JudgedGroup) -> dict[str, float | None]:
    scored = [v for v in one.verdict.verdicts if v.abstained is None]
    return {
        "success": _mean([o.world_reward for o in one.outcomes.values()]),
        "answer": _mean([_number(v, "answer") for v in scored]),
        "tools": _mean([_number(v, "tools") for v in scored]),
        "reward": _mean([_number(v, "reward") for v in scored]),
        "calls": _mean([t.usage.calls for t in one.group.trajectories]),
    }


def _number(verdict: Verdict, name: str) -> float:
    return float(getattr(verdict, name))


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _interval(values: Sequence[float], samples: int) -> dict[str, float | None]:
    """Mean of `values` (one a task) and the middle 95% of its bootstrap distribution."""
    if not values:
        return {"mean": None, "low": None, "high": None}
    dice = random.Random(0)
    means = sorted(fmean(dice.choices(values, k=len(values))) for _ in range(samples))
    low, high = means[int(0.025 * samples)], means[min(int(0.975 * samples), samples - 1)]
    return {"mean": round(fmean(values), 4), "low": round(low, 4), "high": round(high, 4)}
