"""The figures of one agent: means over tasks with bootstrap intervals, whole and by parts.

    figures = measure(episodes)["success"]     # Figure(value=0.75, low=0.60, high=0.88, tasks=40)
    parts(episodes)["level"]["3"]["success"]

Every figure is a mean over tasks of a task's own mean, because episodes of one task depend on each
other; hence tasks are what is drawn again for the interval. `seconds_to_resolve` and
`calls_to_resolve` are over the episodes that succeeded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np

from telejudge_eval.agent_eval import passk
from telejudge_eval.agent_eval.records import Episode
from telejudge_eval.judge_eval.resample import Array, interval, point

KS = (1, 2, 4, 8)
SAMPLES = 2000

TaskValue = Callable[[Sequence[Episode]], float | None]
"""The measure of one task from its episodes; None when they do not have it."""


class Figure(NamedTuple):
    """A mean over `tasks` tasks and its 95% interval; None where it does not exist."""

    value: float | None
    low: float | None
    high: float | None
    tasks: int


class Measure(NamedTuple):
    """`everywhere`: the measure is of all tasks or of none (pass^k with too few episodes)."""

    title: str
    of_task: TaskValue
    everywhere: bool = False


def _mean(take: Callable[[Episode], float | None], *, solved: bool = False) -> TaskValue:
    def of_task(episodes: Sequence[Episode]) -> float | None:
        among = [e for e in episodes if e.success] if solved else episodes
        values = [v for e in among if (v := take(e)) is not None]
        return fmean(values) if values else None

    return of_task


def _chance(estimate: passk.Estimate, k: int) -> TaskValue:
    def of_task(episodes: Sequence[Episode]) -> float | None:
        scored = [e.success for e in episodes if e.success is not None]
        return estimate(len(scored), sum(scored), k)

    return of_task


MEASURES: dict[str, Measure] = {
    "success": Measure("success (world's reward)", _mean(lambda e: e.success)),
    "tools": Measure("tool-call reasonableness", _mean(lambda e: e.tools)),
    "reward": Measure("our reward", _mean(lambda e: e.reward)),
    "calls": Measure("calls", _mean(lambda e: e.calls)),
    "tokens": Measure("tokens", _mean(lambda e: e.tokens)),
    "cost_usd": Measure("cost, USD", _mean(lambda e: e.cost_usd or None)),
    "user_tokens": Measure("tokens of the user's model", _mean(lambda e: e.user_tokens)),
    "user_cost_usd": Measure(
        "cost of the user's model, USD", _mean(lambda e: e.user_cost_usd or None)
    ),
    "seconds": Measure("seconds", _mean(lambda e: e.seconds or None)),
    "calls_to_resolve": Measure("calls to resolve", _mean(lambda e: e.calls, solved=True)),
    "seconds_to_resolve": Measure(
        "seconds to resolve", _mean(lambda e: e.seconds or None, solved=True)
    ),
    **{f"pass^{k}": Measure(f"pass^{k}", _chance(passk.drawn, k), True) for k in KS},
    **{f"(c/n)^{k}": Measure(f"(c/n)^{k}", _chance(passk.powered, k), True) for k in KS[1:]},
    **{f"pass@{k}": Measure(f"pass@{k}", _chance(passk.at_least_one, k), True) for k in KS},
}
OF_USERS = ("user_tokens", "user_cost_usd")
"""What is told only where a model played the user; the agent is not measured by it."""
BRIEF = ("success", "tools", "reward", "calls")
"""What parts are measured by."""


def by_task(episodes: Sequence[Episode]) -> dict[tuple[str, ...], list[Episode]]:
    """Episodes of each task, sorted by task; those that others made fail are left out."""
    tasks: dict[tuple[str, ...], list[Episode]] = {}
    for episode in sorted(episodes, key=lambda e: e.task):
        if episode.excused is None:
            tasks.setdefault(episode.task, []).append(episode)
    return tasks


def excused_fail(episodes: Sequence[Episode]) -> tuple[Episode, ...]:
    """The other way to count: what others made fail is a failure of the agent, as in tau2."""
    return tuple(
        e if e.excused is None else e.model_copy(update={"excused": None, "success": False})
        for e in episodes
    )


def columns(name: str, tasks: Sequence[Sequence[Episode]]) -> Array:
    """tasks x 2: a task's value and 1, or 0 and 0 where the task does not have the measure."""
    measure = MEASURES[name]
    values = [measure.of_task(episodes) for episodes in tasks]
    if measure.everywhere and None in values:
        values = [None] * len(values)
    return np.array([[0.0, 0.0] if v is None else [v, 1.0] for v in values]).reshape(-1, 2)


def mean_of(sums: Array) -> Array:
    """What the sums of `columns` amount to; NaN where no task has the measure."""
    return sums[:, 0] / sums[:, 1]


def measure(
    episodes: Sequence[Episode],
    names: Sequence[str] = tuple(MEASURES),
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> dict[str, Figure]:
    """Every named figure, over the tasks with an episode that others did not make fail."""
    tasks = list(by_task(episodes).values())
    found = {}
    for name in names:
        table = columns(name, tasks)
        value = point(table, mean_of)
        low, high = interval(table, mean_of, samples=samples, seed=seed)
        known = int(table[:, 1].sum())
        found[name] = Figure(value, low, high, known) if known else Figure(None, None, None, 0)
    return found


def parts(
    episodes: Sequence[Episode], *, samples: int = SAMPLES, seed: int = 0
) -> dict[str, dict[str, dict[str, Figure]]]:
    """BRIEF by level, split, fault and known defect of the task (`mark`; `none` for the rest).

    A task with several faults counts under each of them.
    """
    keys: Mapping[str, Callable[[Episode], Sequence[str]]] = {
        "mark": lambda e: e.marks or ("none",),
        "split": lambda e: (e.split,),
        "level": lambda e: (f"{e.level:02d}",),
        "fault": lambda e: e.faults,
    }
    found: dict[str, dict[str, dict[str, Figure]]] = {}
    for name, key in keys.items():
        sorted_out: dict[str, list[Episode]] = {}
        for episode in episodes:
            for value in key(episode):
                sorted_out.setdefault(value, []).append(episode)
        found[name] = {
            value.lstrip("0") or "0" if name == "level" else value: measure(
                sorted_out[value], BRIEF, samples=samples, seed=seed
            )
            for value in sorted(sorted_out)
        }
    return found
