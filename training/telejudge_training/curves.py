"""metrics.jsonl in, a picture of the learning curves out.

draw_curves(run / "train" / "metrics.jsonl", run / "curves.png")
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from telejudge_envs.errors import DataError, MissingExtraError
from telejudge_training.journal import read_metrics

PANELS = (
    ("success", "success (the world's reward)"),
    ("tools", "tool-call reasonableness"),
    ("reward", "reward"),
    ("calls", "calls an episode"),
    ("tied_groups", "tied groups a step"),
    ("entropy", "entropy (nats a token)"),
)
"""Metrics of GRPO steps that are drawn, with the titles of their panels."""

WINDOW = 9
"""Steps of the centred moving average that is drawn over the raw values."""


def draw_curves(metrics: Path, picture: Path) -> None:
    """Draw GRPO's metrics as six panels. Raises DataError when there is no GRPO step."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtraError("matplotlib", "report") from error
    lines = [line for line in read_metrics(metrics) if line.get("phase") == "grpo"]
    if not lines:
        raise DataError(f"{metrics} has no GRPO step to draw")
    figure, axes = pyplot.subplots(2, 3, figsize=(12, 6), layout="constrained")
    for axis, (name, title) in zip(axes.flat, PANELS, strict=True):
        _panel(axis, lines, name, title)
    figure.savefig(picture, dpi=110)
    pyplot.close(figure)


def _panel(axis: Any, lines: Sequence[dict[str, Any]], name: str, title: str) -> None:
    points = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
    steps, values = [x for x, _ in points], [y for _, y in points]
    axis.plot(steps, values, color="#9ec5e8", linewidth=1)
    axis.plot(steps, smooth(values), color="#1f5f99", linewidth=2)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("GRPO step", fontsize=8)
    axis.grid(alpha=0.3)
    if name in ("success", "tools", "reward"):
        axis.set_ylim(0, 1.02)


def smooth(values: Sequence[float], window: int = WINDOW) -> list[float]:
    """Centred moving average; near the ends over what there is."""
    half = window // 2
    spans = (values[max(0, i - half) : i + half + 1] for i in range(len(values)))
    return [sum(span) / len(span) for span in spans]
