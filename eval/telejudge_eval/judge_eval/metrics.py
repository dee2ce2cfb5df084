"""The measures of a judge, each as sums over groups and what to make of them.

In: group results. Out: named metrics.

    metric = {m.name: m for m in metrics(results)}["accuracy"]
    metric.combine(metric.table(results).sum(axis=0, keepdims=True))

What a judge abstains on is not right (`accuracy`, `exact_match`), finds no defect, and is left out
where there is nothing to compare (`ranking`, `kendall_tau`, `ece`): read these with `abstention`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from math import sqrt

from telejudge_eval.judge_eval.again import cost_metrics, probe_metrics
from telejudge_eval.judge_eval.metric import Metric, ratio
from telejudge_eval.judge_eval.records import GroupResult, Mark, Spot
from telejudge_eval.judge_eval.scores import auc, calibration


def metrics(results: Sequence[GroupResult]) -> list[Metric]:
    """All metrics that these groups can give a value to, whatever the judge said."""
    found = [
        *_answers(results),
        *_orders(),
        *_defects(),
        *_trust(),
        *probe_metrics(),
        *cost_metrics(),
    ]
    found += [
        auc(f"auc_{kind}", f"AUC, {kind}", results, lambda m, k=kind: _clean_or(m, k), _reward)
        for kind in kinds(results)
    ]
    return found


def kinds(results: Iterable[GroupResult]) -> list[str]:
    """Kinds of what is wrong with some candidate."""
    return sorted({kind for r in results for m in r.marks for kind in m.kinds or ()})


# -- answers


def _answers(results: Sequence[GroupResult]) -> list[Metric]:
    found = [
        ratio("accuracy", "accuracy (Acc)", "high", "candidates", _accuracy),
        ratio("accuracy_judged", "accuracy where judged", "high", "candidates", _accuracy_judged),
        ratio("exact_match", "whole group right", "high", "groups", _exact),
        auc("auc_answer", "AUC, right answers", results, lambda m: m.truth, _odds),
    ]
    strata = sorted({stratum(r) for r in results if r.marks}, key=lambda s: (s == "all", s))
    for wanted in strata:
        found.append(
            ratio(
                f"accuracy_{wanted}_right",
                f"accuracy, {wanted} right",
                "high",
                "candidates",
                lambda r, wanted=wanted: _accuracy(r) if stratum(r) == wanted else (0, 0),
            )
        )
    return found


def stratum(result: GroupResult) -> str:
    """How many candidates of the group are right: `0`, `1`, …, or `all`."""
    right = sum(mark.truth for mark in result.marks)
    return "all" if right == len(result.marks) else str(right)


def _right(mark: Mark) -> bool:
    return mark.answer == mark.truth


def _odds(mark: Mark) -> float | None:
    """How likely the judge thinks a right answer; 0 or 1 from one that tells no confidence."""
    if mark.answer is None:
        return None
    sure = 1.0 if mark.confidence is None else mark.confidence
    return sure if mark.answer == 1 else 1.0 - sure


def _accuracy(result: GroupResult) -> tuple[float, float]:
    return sum(map(_right, result.marks)), len(result.marks)


def _accuracy_judged(result: GroupResult) -> tuple[float, float]:
    judged = [mark for mark in result.marks if mark.answer is not None]
    return sum(map(_right, judged)), len(judged)


def _exact(result: GroupResult) -> tuple[float, float]:
    return float(all(map(_right, result.marks))), float(bool(result.marks))


# -- order of the candidates of a group


def _orders() -> list[Metric]:
    return [
        ratio("ranking", "pairs in the right order", "high", "pairs", _ranking),
        ratio("kendall_tau", "Kendall's tau-b in the group", "high", "groups", _kendall),
    ]


def _rewards(result: GroupResult) -> tuple[list[float], list[float]]:
    """True and judged rewards of the candidates that have both."""
    both = [
        (m.true_reward, m.reward)
        for m in result.marks
        if m.true_reward is not None and m.reward is not None
    ]
    return [truth for truth, _ in both], [said for _, said in both]


def _ranking(result: GroupResult) -> tuple[float, float]:
    """Over pairs of different true reward: 1 when the judge orders them so, 0.5 when it ties."""
    won = pairs = 0.0
    for (truth, said), (other, heard) in combinations(zip(*_rewards(result), strict=True), 2):
        if truth != other:
            pairs += 1
            won += 0.5 if said == heard else float((said > heard) == (truth > other))
    return won, pairs


def _kendall(result: GroupResult) -> tuple[float, float]:
    tau = kendall_tau_b(*_rewards(result))
    return (0.0, 0.0) if tau is None else (tau, 1.0)


def kendall_tau_b(truth: Sequence[float], said: Sequence[float]) -> float | None:
    """(C - D) / sqrt((P - T)(P - S)): concordant and discordant pairs, tied ones in either.

    None when the truth is all tied, so that there is nothing to order; 0 when only the judge ties
    all (the formula has no value there, and the judge has told nothing).
    """
    balance = in_truth = in_said = 0
    for (t, s), (u, v) in combinations(zip(truth, said, strict=True), 2):
        true_sign, said_sign = (t > u) - (t < u), (s > v) - (s < v)
        balance += true_sign * said_sign
        in_truth += true_sign != 0
        in_said += said_sign != 0
    if not in_truth:
        return None
    return balance / sqrt(in_truth * in_said) if in_said else 0.0


# -- defects


def _defects() -> list[Metric]:
    views: dict[str, tuple[str, Callable[[Spot], object]]] = {
        "defects_f1": ("defects found, step and kind (F1)", lambda spot: spot),
        "defects_step_f1": ("defects found, step alone (F1)", lambda spot: spot.step),
        "defects_kind_f1": ("defects found, kind alone (F1)", lambda spot: spot.kind),
    }
    return [
        Metric(
            name,
            title,
            "high",
            "defects",
            lambda r, view=view: _found(r, view),
            lambda s: 2 * s[:, 0] / (2 * s[:, 0] + s[:, 1] + s[:, 2]),
            lambda s: float(s[0] + s[2]),
        )
        for name, (title, view) in views.items()
    ]


def _found(result: GroupResult, view: Callable[[Spot], object]) -> tuple[float, float, float]:
    """Found rightly, found where there is none, missed."""
    hits = false = missed = 0
    for mark in result.marks:
        if mark.true_spots is not None:
            true, said = set(map(view, mark.true_spots)), set(map(view, mark.spots))
            hits += len(true & said)
            false += len(said - true)
            missed += len(true - said)
    return hits, false, missed


def _reward(mark: Mark) -> float | None:
    return mark.reward


def _clean_or(mark: Mark, kind: str) -> int | None:
    """1 for a right and clean candidate, 0 for one with this kind of defect."""
    if mark.kinds is None:
        return None
    if kind in mark.kinds:
        return 0
    return 1 if not mark.kinds and mark.truth == 1 else None


# -- steadiness, calibration, abstention


def _trust() -> list[Metric]:
    return [
        ratio("order_flip_rate", "answers that flip with the order", "low", "groups", _flips),
        calibration(),
        ratio("brier", "Brier score", "low", "candidates", _brier),
        ratio("abstention", "abstained", "low", "candidates", _abstained),
    ]


def _flips(result: GroupResult) -> tuple[float, float]:
    rate = result.order_flip_rate
    return (0.0, 0.0) if rate is None else (rate, 1.0)


def _brier(result: GroupResult) -> tuple[float, float]:
    errors = [
        (mark.confidence - _right(mark)) ** 2
        for mark in result.marks
        if mark.confidence is not None and mark.answer is not None
    ]
    return sum(errors), len(errors)


def _abstained(result: GroupResult) -> tuple[float, float]:
    return sum(mark.abstained is not None for mark in result.marks), len(result.marks)
