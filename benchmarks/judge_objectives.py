"""Train the embedded judge on one file of groups with every objective, and keep how each judges.

    telejudge data trajectories --train 2400 --dev 60 --test 150 --faults 150 --out groups.jsonl
    python benchmarks/judge_objectives.py groups.jsonl --out runs/objectives

The same pools, tokenizer, seed and number of candidates an update for all; `JUDGES` says the rest.
Each judge is examined as soon as it is there, on test groups that no training saw, in one order and
(unless it reads candidates alone) in four, and with each attack once. Called again it goes on where
it was. What is kept (--keep, a file a judge and number of orders) holds ids and numbers, no text;
`judge_objectives_table.py` makes the document from it.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from telejudge_eval.judge_eval.kept import keep
from telejudge_eval.judge_eval.records import Exam, Result, Sample
from telejudge_eval.judge_eval.run import Files, Plan, evaluate, gather
from telejudge_judges.embedded.folder import save
from telejudge_judges.embedded.judge import EmbeddedJudge
from telejudge_training.embedded_judge.languages import languages_of
from telejudge_training.embedded_judge.objectives import begun
from telejudge_training.embedded_judge.pools import LabelledPool, pools_of
from telejudge_training.embedded_judge.settings import EmbeddedJudgeRecipe, laptop
from telejudge_training.embedded_judge.teach import taught
from telejudge_training.judge_data.files import read_rows
from telejudge_training.judge_data.rows import GroupRow

ORDERS = 4
KEPT = Path("docs/results/judge-objectives")


@dataclass(frozen=True)
class Way:
    """`times`: updates in those of the others; `start`: label of the judge it begins with or
    learns from."""

    objective: str = "listwise"
    times: float = 1.0
    start: str | None = None
    learning_rate: float = 2e-3
    shape: dict[str, int] = field(default_factory=dict)


STUDENT = {"hidden": 64, "layers": 2, "heads": 2, "intermediate": 192}

JUDGES: dict[str, Way] = {
    "base": Way(times=0),
    "pointwise": Way("pointwise"),
    "listwise": Way(),
    "listwise, twice the updates": Way(times=2),
    "pairs": Way("pairs"),
    "bt": Way("bt"),
    "rrhf": Way("rrhf"),
    "grpo": Way("grpo", start="listwise", learning_rate=2e-4),
    "opd": Way("opd", start="listwise", shape=STUDENT),
}
"""By label, in the order of the tables."""

FIRST = ("listwise", "pointwise", "bt", "grpo", "opd", "pairs", "rrhf", "base")
"""The order of training, so that a run cut short has the most different ones; others follow."""


class Bench:
    """The groups, read once, and what all judges share."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen, self.recipe = chosen, recipe_of(Way(), chosen.updates)
        rows = list(read_rows(chosen.groups, GroupRow))
        steps = self.recipe.shape.steps
        self.train: list[LabelledPool] = pools_of(rows, "train", steps)
        self.dev: list[LabelledPool] = pools_of(rows, "dev", steps)
        del rows
        self.languages = languages_of(self.train, self.recipe)

    def folder(self, label: str) -> Path:
        return self.chosen.out / label.replace(", ", "-").replace(" ", "-")

    def judge(self, label: str, way: Way) -> Path:
        """The folder of the judge, trained unless it is there."""
        folder, seed = self.folder(label), self.chosen.seed
        if (folder / "judge" / "judge.json").exists():
            return folder / "judge"
        recipe = recipe_of(way, self.chosen.updates)
        if not way.times:
            save(begun(recipe, self.train, seed, None, self.languages), folder / "judge")
            return folder / "judge"
        start = None if way.start is None else self.judge(way.start, JUDGES[way.start])
        parts = taught(
            recipe,
            self.train,
            self.dev,
            folder / "train",
            seed=seed,
            key=recipe.key(seed, label),
            start=start,
            languages=self.languages if start is None else None,
            on_line=lambda step, steps, line: _tell(label, step, line),
        )
        save(parts, folder / "judge")
        return folder / "judge"


def recipe_of(way: Way, updates: int) -> EmbeddedJudgeRecipe:
    learning = {
        "objective": way.objective,
        "steps": max(1, round(way.times * updates)),
        "learning_rate": way.learning_rate,
        "threads": 1,
    }
    return laptop().with_(learning=learning, shape=way.shape)


def examined(
    folder: Path, label: str, way: Way, chosen: argparse.Namespace, exams: Exams
) -> dict[str, Result]:
    """By label: in one order with attacks, and in four where order can matter."""
    one, several = EmbeddedJudge(folder), EmbeddedJudge(folder, orders=ORDERS)
    ways = [(label, one, Plan(attacks=1, concurrency=1, seed=chosen.seed))]
    parts = next(iter(one.parts.values()))
    if parts.spec.shape.candidates > 1:
        plan = Plan(concurrency=1, seed=chosen.seed)
        ways.append((f"{label}, {ORDERS} orders", several, plan))
    weights = sum(p.numel() for p in parts.network.parameters())
    settings = {
        **asdict(way),
        "updates": round(way.times * chosen.updates),
        "candidates": recipe_of(way, chosen.updates).learning.candidates,
        "weights": weights,
    }
    return {
        name: evaluate(
            judge,
            *exams,
            folder.parent / f"examined-{number}",
            plan,
            label=name,
            command="python benchmarks/judge_objectives.py",
            settings=settings,
        )
        for number, (name, judge, plan) in enumerate(ways)
    }


Exams = tuple[Sequence[Exam], Sequence[Sample]]


def main() -> None:
    import torch

    chosen = _arguments()
    torch.set_num_threads(1)
    exams = gather(Files(trajectories=(chosen.groups,)), groups=chosen.test, seed=chosen.seed)
    bench = Bench(chosen)
    results: dict[str, dict[str, Result]] = {}
    for label in sorted(JUDGES, key=lambda one: (*FIRST, *JUDGES).index(one)):
        began = time.process_time()
        folder = bench.judge(label, JUDGES[label])
        trained = time.process_time()
        for name, result in examined(folder, label, JUDGES[label], chosen, exams).items():
            results[name] = {"groups": result}
        said = f"{trained - began:.0f} s of training, {time.process_time() - trained:.0f} s judging"
        print(f"{label}: {said} (CPU)", flush=True)
        _keep(chosen.keep, results)


def _keep(folder: Path, results: dict[str, dict[str, Result]]) -> None:
    """In the order of the tables, whatever is there by now."""
    for old in folder.glob("*.json"):
        old.unlink()
    named: Callable[[str], int] = lambda name: list(JUDGES).index(  # noqa: E731
        name.removesuffix(f", {ORDERS} orders")
    )
    keep(folder, {name: results[name] for name in sorted(results, key=named)})


def _tell(label: str, step: int, line: object) -> None:
    if step % 100 == 0:
        print(label, line, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n", maxsplit=1)[0])
    parser.add_argument("groups", type=Path, help="a file of `telejudge data trajectories`")
    parser.add_argument("--out", type=Path, default=Path("runs/objectives"))
    parser.add_argument("--keep", type=Path, default=KEPT)
    parser.add_argument("--updates", type=int, default=800)
    parser.add_argument("--test", type=int, default=120, help="test groups to judge, all sources")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
