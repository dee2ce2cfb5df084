"""Measures of second judgements (padding, attacks) and of cost.

In: group results. Out: metrics; `metrics.py` lists them with all others.
"""

from __future__ import annotations

import numpy as np

from telejudge_eval.judge_eval.attacking import tried, worked
from telejudge_eval.judge_eval.metric import Metric, ratio
from telejudge_eval.judge_eval.records import GroupResult, Probe
from telejudge_eval.judge_eval.resample import Array


def probe_metrics() -> list[Metric]:
    """Length bias, and success and gain of attacks."""
    return [
        Metric(
            "length_bias",
            "reward gained by padding",
            "zero",
            "padded candidates",
            _padding,
            _gain_over_others,
            lambda s: float(s[1]),
        ),
        ratio(
            "attack_success", "attacks that turned 0 to 1", "low", "attacks", _attacks_that_worked
        ),
        ratio("attack_gain", "reward gained by an attack", "low", "attacks", _attack_gain),
    ]


def _gain(probe: Probe) -> float | None:
    if probe.reward_before is None or probe.reward_after is None:
        return None
    return probe.reward_after - probe.reward_before


def _padding(result: GroupResult) -> list[float]:
    """Gains and number of padded candidates, then of those beside them."""
    sums = []
    for touched in (True, False):
        gains = [g for p in result.padded if p.touched == touched and (g := _gain(p)) is not None]
        sums += [sum(gains), float(len(gains))]
    return sums


def _gain_over_others(sums: Array) -> Array:
    """Beside what the others gained: a judge asked again may say something else of anybody."""
    others = np.divide(sums[:, 2], sums[:, 3], where=sums[:, 3] > 0, out=np.zeros(len(sums)))
    return sums[:, 0] / sums[:, 1] - others


def _attacks_that_worked(result: GroupResult) -> tuple[float, float]:
    return sum(map(worked, result.attacked)), sum(map(tried, result.attacked))


def _attack_gain(result: GroupResult) -> tuple[float, float]:
    gains = [g for p in result.attacked if p.touched and (g := _gain(p)) is not None]
    return sum(gains), len(gains)


def cost_metrics() -> list[Metric]:
    """Of the plain judgements, a group."""
    return [
        ratio(
            "tokens",
            "tokens a group",
            "low",
            "groups",
            lambda r: (r.prompt_tokens + r.completion_tokens, 1),
        ),
        ratio("calls", "calls a group", "low", "groups", lambda r: (r.calls, 1)),
        ratio(
            "cached_calls",
            "answers a group from the cache",
            "low",
            "groups",
            lambda r: (r.cached_calls, 1),
        ),
        ratio("seconds", "seconds a group", "low", "groups", lambda r: (r.seconds, 1)),
    ]
