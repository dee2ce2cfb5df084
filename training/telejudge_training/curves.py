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
    ("agreement", "answers in which judge and auditor agree"),
    ("concordance", "pairs of a group that both order alike"),
)
"""Metrics of GRPO steps that are drawn where a run has them, with the titles of their panels."""

AUDITED = {"reward": "true_reward"}
"""What the auditor measured of the same thing, drawn into the same panel."""

WINDOW = 9
"""Steps of the centred moving average that is drawn over the raw values."""


def draw_curves(metrics: Path, picture: Path) -> None:
    """Draw GRPO's metrics, a panel each. Raises DataError when there is no GRPO step."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtraError("matplotlib", "report") from error
    lines = [line for line in read_metrics(metrics) if line.get("phase") == "grpo"]
    if not lines:
        raise DataError(f"{metrics} has no GRPO step to draw")
    panels = [(name, title) for name, title in PANELS if any(name in line for line in lines)]
    across = -(-len(panels) // 2)
    figure, axes = pyplot.subplots(2, across, figsize=(4 * across, 6), layout="constrained")
    for axis, (name, title) in zip(axes.flat, panels, strict=False):
        _panel(axis, lines, name, title)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    figure.savefig(picture, dpi=110)
    pyplot.close(figure)


def _panel(axis: Any, lines: Sequence[dict[str, Any]], name: str, title: str) -> None:
    _line(axis, lines, name, "#9ec5e8", "#1f5f99", "by the judge, learned from")
    audited = AUDITED.get(name, "")
    if any(line.get(audited) is not None for line in lines):
        _line(axis, lines, audited, "#f0c0b0", "#c0504d", "by the auditor, only measured")
        axis.legend(fontsize=8)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("GRPO step", fontsize=8)
    axis.grid(alpha=0.3)
    if name in ("success", "tools", "reward", "agreement", "concordance"):
        axis.set_ylim(0, 1.02)


def _line(
    axis: Any, lines: Sequence[dict[str, Any]], name: str, pale: str, colour: str, label: str
) -> None:
    points = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
    steps, values = [x for x, _ in points], [y for _, y in points]
    axis.plot(steps, values, color=pale, linewidth=1)
    axis.plot(steps, smooth(values), color=colour, linewidth=2, label=label)


def smooth(values: Sequence[float], window: int = WINDOW) -> list[float]:
    """Centred moving average; near the ends over what there is."""
    half = window // 2
    spans = (values[max(0, i - half) : i + half + 1] for i in range(len(values)))
    return [sum(span) / len(span) for span in spans]
