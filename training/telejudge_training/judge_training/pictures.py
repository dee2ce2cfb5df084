"""metrics.jsonl of a judge's training in, a picture of its curves out.

draw(run / "metrics.jsonl", run / "curves.png")
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from telejudge_envs.errors import DataError, MissingExtraError
from telejudge_training.curves import smooth
from telejudge_training.journal import read_metrics

PANELS = (
    ("loss", "loss"),
    ("reward", "reward of a reply"),
    ("accuracy", "pairs in the right order"),
    ("verdicts", "share of right verdicts"),
    ("verified", "true defects named a reply"),
    ("false_alarms", "false defects named a reply"),
    ("unreadable", "share of unreadable replies"),
    ("disagreement", "share of verdicts that other orders do not share"),
    ("mean_token_accuracy", "tokens guessed first"),
    ("entropy", "entropy (nats a token)"),
    ("completions/mean_length", "tokens of a reply"),
    ("learning_rate", "learning rate"),
)
"""Figures that are drawn where a run has them, with the titles of their panels."""

PHASES = {"train": "#1f5f99", "dev": "#c0504d"}


def draw(metrics: Path, picture: Path) -> None:
    """A panel for each known figure; validation in another colour. Raises DataError without any."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingExtraError("matplotlib", "report") from error
    lines = list(read_metrics(metrics))
    panels = [(name, title) for name, title in PANELS if any(name in line for line in lines)]
    if not panels:
        raise DataError(f"{metrics} has nothing to draw")
    across = min(3, len(panels))
    down = -(-len(panels) // across)
    size = (4 * across, 3 * down)
    figure, axes = pyplot.subplots(down, across, figsize=size, layout="constrained", squeeze=False)
    for axis, (name, title) in zip(axes.flat, panels, strict=False):
        _panel(axis, lines, name, title)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    figure.savefig(picture, dpi=110)
    pyplot.close(figure)


def _panel(axis: Any, lines: Sequence[dict[str, Any]], name: str, title: str) -> None:
    for phase, colour in PHASES.items():
        points = [(x["step"], x[name]) for x in lines if x["phase"] == phase and name in x]
        if not points:
            continue
        steps, values = zip(*points, strict=True)
        if phase == "dev":
            axis.plot(steps, values, color=colour, marker="o", markersize=3, label="validation")
            axis.legend(fontsize=8)
        else:
            axis.plot(steps, values, color=colour, alpha=0.35, linewidth=1)
            axis.plot(steps, smooth(values), color=colour, linewidth=2)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("update", fontsize=8)
    axis.grid(alpha=0.3)
