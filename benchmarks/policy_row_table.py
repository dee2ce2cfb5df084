"""The document on judges as rewards, from what `policy_row.py` kept.

python benchmarks/policy_row_table.py        # RESULTS -> DOCUMENT

Words come from `introduction.md` and `findings.md` there; every figure of the tables is read from
the results.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from telejudge_eval.judge_eval.document import table
from telejudge_eval.judge_eval.sheets import NOTHING
from telejudge_training.files import read_json

Run = dict[str, Any]

EARNED: dict[str, str] = {
    "reward": "paid",
    "true_reward": "worth, by the verifier",
    "agreement": "answers agreed",
    "concordance": "pairs ordered alike",
}


RESULTS = Path("docs/results/policy-row")
DOCUMENT = Path("docs/judges-as-rewards.md")


def rendered(root: Path = Path()) -> str:
    """The whole document; `root` is the repository."""
    folder = root / RESULTS
    runs = [read_json(path) for path in sorted(folder.glob("*.json"))]
    payers = sorted({run["payer"] for run in runs}, key=lambda p: (p != "verifier", p))
    seeds = sorted({run["seed"] for run in runs})
    one = runs[0]
    said = (
        f"{one['after']['tasks']} unseen test tasks, {one['after']['rollouts']} episodes sampled; "
        f"{one['steps']} GRPO steps, {one['episodes']:,} episodes a payer and seed. 95% intervals "
        "are over tasks; the spread of seeds is beside them."
    )
    parts = (
        (folder / "introduction.md").read_text(encoding="utf-8").strip(),
        f"## What agents became\n\n{said}\n\n{_success(runs, payers, seeds)}",
        f"## What they were paid\n\n{_earned(runs, payers)}",
        (folder / "findings.md").read_text(encoding="utf-8").strip(),
    )
    return "\n\n".join(parts) + "\n"


def _success(runs: Sequence[Run], payers: Sequence[str], seeds: Sequence[int]) -> str:
    found = {(run["payer"], run["seed"]): run for run in runs}
    begun = {run["seed"]: run["before"]["success"]["mean"] for run in runs}
    lines = [
        ("*before*", *(f"{begun[seed]:.1%}" for seed in seeds), _mean(begun.values()), NOTHING)
    ]
    for payer in payers:
        own = [found.get((payer, seed)) for seed in seeds]
        known = [run for run in own if run is not None]
        lines.append(
            (
                payer,
                *(NOTHING if run is None else _with_interval(run) for run in own),
                _mean(run["after"]["success"]["mean"] for run in known),
                _mean(run["after"]["tools"]["mean"] for run in known),
            )
        )
    header = ("success, paid by", *(f"seed {seed}" for seed in seeds), "mean", "reasonableness")
    return table(header, lines)


def _earned(runs: Sequence[Run], payers: Sequence[str]) -> str:
    """Means over seeds of the last steps' figures."""
    lines = []
    for payer in payers:
        own = [run["training"] for run in runs if run["payer"] == payer]
        cells = []
        for name in EARNED:
            values = [figures[name] for figures in own if name in figures]
            cells.append(f"{fmean(values):.2f}" if values else NOTHING)
        lines.append((payer, *cells))
    return table(("last ten steps, paid by", *EARNED.values()), lines)


def _with_interval(run: Run) -> str:
    success = run["after"]["success"]
    return f"{success['mean']:.1%} ({success['low']:.1%} to {success['high']:.1%})"


def _mean(values: Iterable[float]) -> str:
    return f"{fmean(values):.1%}"


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(), encoding="utf-8")
    print(f"{DOCUMENT} written")
