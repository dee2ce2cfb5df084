"""What a judge paid and what it was worth, GRPO step by step: each sparring round, then a main run.

    telejudge train embedded-judge --run-dir runs/judge
    telejudge run --run-dir runs/main
    python benchmarks/sparring_curves.py --judge runs/judge --main runs/main

Prints a table (means over the last ten steps) and draws docs/embedded-judge-sparring.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean
from typing import Any

from telejudge_training.curves import smooth
from telejudge_training.journal import read_metrics

LAST = 10
FIGURES = ("reward", "true_reward", "agreement", "concordance", "success", "calls")
TITLES = {
    "reward": "paid by the judge",
    "true_reward": "worth by the verifier",
    "agreement": "answers agreed",
    "concordance": "pairs ordered alike",
    "success": "success",
    "calls": "calls an episode",
}


def main() -> None:
    said = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    said.add_argument("--judge", type=Path, required=True, help="a run of train embedded-judge")
    said.add_argument("--main", type=Path, nargs="*", default=[], help="runs of telejudge run")
    said.add_argument("--out", type=Path, default=Path("docs/embedded-judge-sparring.png"))
    chosen = said.parse_args()
    runs = {
        f"{number} rounds of sparring": _steps(folder / "train" / "metrics.jsonl")
        for number, folder in enumerate(sorted((chosen.judge / "sparring").glob("*-[0-9]")))
    }
    for folder in chosen.main:
        runs[f"shipped: {folder.name}"] = _steps(folder / "train" / "metrics.jsonl")
    print(_table(runs))
    _draw(runs, chosen.out)
    print(f"\n{chosen.out} drawn")


def _steps(path: Path) -> list[dict[str, Any]]:
    return [line for line in read_metrics(path) if line["phase"] == "grpo"]


def _table(runs: dict[str, list[dict[str, Any]]]) -> str:
    head = ["judge after", "GRPO steps", *TITLES.values()]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, steps in runs.items():
        means = [fmean(line[key] for line in steps[-LAST:]) for key in FIGURES]
        cells = [f"{mean:.1f}" if mean > 1 else f"{mean:.2f}" for mean in means]
        lines.append(f"| {name} | {len(steps)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _draw(runs: dict[str, list[dict[str, Any]]], out: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    size = (3.4 * len(runs), 3.2)
    figure, axes = pyplot.subplots(
        1, len(runs), figsize=size, layout="constrained", sharey=True, squeeze=False
    )
    for axis, (name, steps) in zip(axes.flat, runs.items(), strict=True):
        at = [line["step"] for line in steps]
        for key, colour in (("reward", "#1f5f99"), ("true_reward", "#c0504d")):
            axis.plot(at, smooth([line[key] for line in steps]), color=colour, label=TITLES[key])
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("GRPO step", fontsize=8)
        axis.set_ylim(0, 1.02)
        axis.grid(alpha=0.3)
    axes.flat[0].set_ylabel("mean reward")
    axes.flat[0].legend(fontsize=8)
    figure.savefig(out, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
