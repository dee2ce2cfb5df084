"""What a run was and how its training went, ready to print.

In: the settings, results and metrics of a run, whatever fields they have. Out: names with values,
and the panels of curves.

    facts(data)           # [("seed", "7"), ("wall time", "6 min 12 s"), …]
    curves(data.metrics)  # one dict for each training phase: title, panels (SVG), values
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, TypeGuard

from telejudge_eval.report.data import RunData
from telejudge_eval.report.stats import SUCCESS, Figure, FigureRow, FigureTable, change, figure
from telejudge_eval.report.svg import SMOOTH_FROM, chart, thinned, window
from telejudge_eval.report.text import digest, printable

CURVES: tuple[tuple[str, str, float | None, float | None], ...] = (
    ("success", "Success", 0.0, 1.0),
    ("reward", "Reward", 0.0, 1.0),
    ("true_reward", "Reward by the verifier, measured only", 0.0, 1.0),
    ("agreement", "Answers in which judge and verifier agree", 0.0, 1.0),
    ("concordance", "Pairs of a group that both order alike", 0.0, 1.0),
    ("tools", "Tool-call reasonableness", 0.0, 1.0),
    ("calls", "Calls an episode", 0.0, None),
    ("loss", "Loss", None, None),
    ("kl", "KL to the reference", 0.0, None),
    ("tied_groups", "Tied groups", 0.0, None),
    ("abstained", "Abstentions", 0.0, None),
    ("grad_norm", "Gradient norm", 0.0, None),
    ("clip_frac", "Share of clipped tokens", 0.0, None),
)
COUNTS = ("tied_groups", "abstained")

IDLE_AT_ZERO = ("kl", "clip_frac", "tied_groups", "abstained")
"""A line instead of a panel says that these were 0 all the time."""

PHASE_TITLES = {"sft": "Supervised warm start (SFT)", "grpo": "GRPO"}


def facts(data: RunData) -> list[tuple[str, str]]:
    """The few settings that a reader asks for first, as far as the run has written them."""
    found = []
    for name in ("seed", "recipe", "world", "model", "command", "versions"):
        value = data.config.get(name)
        if isinstance(value, dict):
            parts = [f"{key} {_plain(item)}" for key, item in flat(value)]
            found.append((name, ", ".join(parts)))
        elif value is not None:
            found.append((name, _plain(value)))
    for name in ("wall_seconds", "seconds"):
        value = data.summary.get(name)
        if isinstance(value, int | float):
            minutes, seconds = divmod(round(value), 60)
            found.append(("wall time", f"{minutes} min {seconds:02d} s"))
            break
    judges = sorted({f"{g.verdict.judge} {g.verdict.judge_version}" for g in data.groups})
    if judges:
        found.append(("judge", ", ".join(judges)))
    return [(printable(name), printable(value)) for name, value in found]


GREEDY = (
    ("success", SUCCESS, None),
    ("answer", "Right answer by the judge", None),
    ("tools", "Tool-call reasonableness", 3),
    ("reward", "Reward", 3),
    ("calls", "Calls an episode", 1),
)


def greedy_table(summary: dict[str, Any], phases: Sequence[str]) -> FigureTable | None:
    """Figures of greedy decoding, whose episodes a run counts in its summary but does not store."""
    greedy = [_dict(_dict(summary.get(phase)).get("greedy")) for phase in phases]
    if not any(greedy):
        return None
    rows = []
    for key, name, digits in GREEDY:
        cells = tuple(_greedy_figure(figures, key, digits) for figures in greedy)
        rows.append(FigureRow(name, cells, change(cells, phases, digits), True))
    tasks = max(_whole(figures.get("tasks")) for figures in greedy)
    return FigureTable(f"All tasks, greedy decoding ({tasks}; from summary.json)", tuple(rows))


def _greedy_figure(figures: dict[str, Any], key: str, digits: int | None) -> Figure:
    mean = _dict(figures.get(key)).get("mean")
    count = _whole(figures.get("rollouts"))
    if key in ("answer", "tools", "reward"):
        count -= _whole(figures.get("abstained"))
    if not _finite(mean) or count <= 0:
        return Figure(None, "–", 0)
    return figure(float(mean), count, digits)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as dotted names."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, dict) and value:
            pairs += flat(value, f"{prefix}{name}.")
        else:
            pairs.append((printable(f"{prefix}{name}"), digest(_plain(value), 300)))
    return pairs


def curves(metrics: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Panels by training phase, and all values as a table."""
    drawn = []
    for phase in dict.fromkeys(str(metric.get("phase", "grpo")) for metric in metrics):
        steps = sorted(
            (m for m in metrics if str(m.get("phase", "grpo")) == phase), key=lambda m: m["step"]
        )
        panels = []
        zero = []
        for key, title, low, high in CURVES:
            points = [(float(m["step"]), float(m[key])) for m in steps if _finite(m.get(key))]
            if points and key in IDLE_AT_ZERO and not any(value for _, value in points):
                zero.append(title)
            elif points:
                panels.append(
                    {
                        "title": title,
                        "svg": chart(title, points, low=low, high=high, whole=key in COUNTS),
                    }
                )
        names = list(dict.fromkeys(name for step in steps for name in step if name != "phase"))
        drawn.append(
            {
                "title": PHASE_TITLES.get(phase, phase),
                "steps": len(steps),
                "panels": panels,
                "zero": ", ".join(zero),
                "window": window(len(steps)) if len(steps) >= SMOOTH_FROM else 0,
                "thinned": thinned(len(steps)),
                "names": names,
                "values": [[_value(step.get(name)) for name in names] for step in steps],
            }
        )
    return drawn


def _finite(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else digest(_plain(value), 60)
