"""What judges are worth as rewards: agents trained at equal episodes, paid by one judge each.

    python benchmarks/judge_objectives.py groups.jsonl --out runs/objectives
    python benchmarks/policy_row.py --judges runs/objectives --out runs/policy

Base-station tasks; for every seed one warm start, from which an agent is trained by GRPO once for
every payer: the verifier (ground truth), the judges that `judge_objectives.py` trained, which never
sparred with an agent, and the one that ships, which did. The verifier measures all of them. Called
again it goes on where it was; what is kept (--keep, a file a seed and payer) is read by
`policy_row_table.py`.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from statistics import fmean
from typing import Any

from telejudge_envs.registry import open_world
from telejudge_judges.embedded.judge import EmbeddedJudge
from telejudge_judges.protocol import Judge
from telejudge_judges.verifier import Verifier
from telejudge_training.embedded import train_embedded
from telejudge_training.files import write_json
from telejudge_training.journal import read_metrics
from telejudge_training.recipe import EmbeddedRecipe, base_station

PAYERS = ("verifier", "listwise", "pointwise", "bt", "shipped")
KEPT = Path("docs/results/policy-row")
LAST = 10
"""GRPO steps at the end over which rewards are averaged."""

WHILE_TRAINING = ("reward", "true_reward", "agreement", "concordance")


def main() -> None:
    chosen = _arguments()
    recipe = base_station("policy-row").with_(
        grpo={"steps": chosen.steps}, processes=chosen.processes
    )
    chosen.keep.mkdir(parents=True, exist_ok=True)
    for seed in chosen.seeds:
        for payer in chosen.payers:
            figures = trained(recipe, payer, seed, chosen.judges, chosen.out / f"seed{seed}")
            write_json(chosen.keep / f"seed{seed}-{payer}.json", figures)
            print(
                f"seed {seed}, paid by {payer}: {figures['before']['success']['mean']:.1%} -> "
                f"{figures['after']['success']['mean']:.1%}",
                flush=True,
            )


def trained(
    recipe: EmbeddedRecipe, payer: str, seed: int, judges: Path, folder: Path
) -> dict[str, Any]:
    """The agent of one payer, with what it earned while it learned."""
    world, verifier = open_world(recipe.world), Verifier(open_world)
    paid = _payer(payer, judges, verifier)
    run_dir = folder / payer
    _share_the_warm_start(folder / PAYERS[0], run_dir)
    auditor = None if paid is verifier else verifier
    summary = train_embedded(recipe, world, paid, run_dir, seed, auditor=auditor)
    lines = [x for x in read_metrics(run_dir / "train" / "metrics.jsonl") if x["phase"] == "grpo"]
    return {
        "payer": payer,
        "judge": f"{paid.name} {paid.version}",
        "seed": seed,
        "steps": len(lines),
        "episodes": len(lines) * recipe.grpo.tasks_per_step * recipe.grpo.group_size,
        "before": _figures(summary["before"]),
        "after": _figures(summary["after"]),
        "training": {
            name: fmean(line[name] for line in lines[-LAST:])
            for name in WHILE_TRAINING
            if all(name in line for line in lines)
        },
    }


def _payer(name: str, judges: Path, verifier: Verifier) -> Judge:
    if name == "verifier":
        return verifier
    return EmbeddedJudge() if name == "shipped" else EmbeddedJudge(judges / name / "judge")


def _share_the_warm_start(source: Path, run_dir: Path) -> None:
    """Every payer begins with the same model, which was made and measured once."""
    if run_dir == source or run_dir.exists() or not (source / "before.jsonl").exists():
        return
    made = run_dir.with_suffix(".new")
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(source / "warm", made / "warm")
    shutil.copy(source / "before.jsonl", made)
    made.rename(run_dir)


def _figures(summary: dict[str, Any]) -> dict[str, Any]:
    names = ("success", "tools", "reward", "calls", "tasks", "rollouts")
    return {**{n: summary[n] for n in names}, "greedy": summary["greedy"]["success"]}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n", maxsplit=1)[0])
    parser.add_argument("--judges", type=Path, required=True, help="--out of judge_objectives.py")
    parser.add_argument("--out", type=Path, default=Path("runs/policy"))
    parser.add_argument("--keep", type=Path, default=KEPT)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--payers", nargs="+", choices=PAYERS, default=list(PAYERS))
    parser.add_argument("--steps", type=int, default=30, help="GRPO steps")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
