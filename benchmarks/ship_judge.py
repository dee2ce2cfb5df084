"""Examine trained embedded judges on groups they have never seen, and make them those that ship.

    telejudge train embedded-judge --recipe tau2-telecom --run-dir runs/judge-tau2-telecom
    telejudge train embedded-judge --recipe base-station --run-dir runs/judge-base-station
    telejudge data trajectories --train 0 --dev 0 --test 200 --faults 150 --out runs/unseen.jsonl
    python benchmarks/ship_judge.py --run tau2-telecom=runs/judge-tau2-telecom \
        --run base-station=runs/judge-base-station --groups runs/unseen.jsonl

One network a world, whatever else it learned from. For each world: held-out groups of unseen
tasks, of unseen faults and pairs of faults, and with kinds of corruption that nobody trained on;
hostile texts and padding; the same groups in four orders; and the admission test. Judges, records
and card go to --ship, the results (ids and numbers, no text) to --keep.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import torch

from telejudge_envs.nouns.admission import Admission
from telejudge_eval.judge_eval.admission import admit
from telejudge_eval.judge_eval.kept import keep
from telejudge_eval.judge_eval.records import Exam, Result, Sample
from telejudge_eval.judge_eval.run import Files, Plan, evaluate, gather
from telejudge_eval.judge_eval.sheets import shown
from telejudge_judges.embedded import SHIPPED
from telejudge_judges.embedded.folder import load
from telejudge_judges.embedded.judge import EmbeddedJudge
from telejudge_judges.registry import open_judge
from telejudge_judges.settings import JudgeSettings

ORDERS = 4
FILES = ("judge.json", "tokenizer.json", "model.safetensors")
SHOWN = {
    "accuracy": "answers right",
    "defects_f1": "defects: F1 of (call, kind)",
    "defects_step_f1": "defects: F1 of the call",
    "auc_answer": "AUC of the answer",
    "ranking": "pairs in the right order",
    "attack_success": "attacks that bought a right answer",
    "ece": "calibration error",
    "abstention": "abstained",
}
CARD = """\
# The shipped embedded judge

A generative listwise judge: it reads a group's calls and results, and writes the defects of every
call and right or wrong for every candidate. One network for each of its worlds (weights:
{parameters}). Trained from scratch on trajectories of known truth
made by scripted agents and the corruption engine, and on what agents did that were trained against
it; no text of any other data set or model is in it. Licence: Apache-2.0; the tool texts of
tau2-telecom in its vocabulary are τ2-bench's (MIT).

Made by

{training}
    telejudge data trajectories --train 0 --dev 0 --test 200 --faults 150 --out runs/unseen.jsonl
    python benchmarks/ship_judge.py --groups runs/unseen.jsonl{runs}

{made}

Version `{version}`. On held-out groups (95% bootstrap intervals; `orders`: flips between {orders}
orders of the same candidates, which a user never sees, since one canonical order is shown):

{tables}
Its limits: it knows these two worlds, their tools and these defects, and abstains on others. What
an agent says is not read, so a lie that shows in no call is not seen. Agents that act like none of
the scripted ones are judged by what was learned from those; measure before you trust it
(`telejudge eval judge --judge embedded`), and watch its agreement with the verifier in training.
"""


def main() -> None:
    chosen = _arguments()
    torch.set_num_threads(1)
    folder = chosen.out / "judge"
    for world, run in chosen.run.items():
        shutil.copytree(run / "judge", folder / world, dirs_exist_ok=True)
    exams, samples = gather(Files(trajectories=(chosen.groups,)), groups=chosen.most, seed=0)
    results: dict[str, dict[str, Result]] = {}
    tables, admissions = [], {}
    for world in chosen.run:
        own = [exam for exam in exams if exam.group.task.world == world]
        told = [sample for sample in samples if sample.source.startswith(world)]
        one = _examined(chosen, folder, world, own, told, orders=1)
        several = _examined(chosen, folder, world, own, told, orders=ORDERS)
        path = chosen.out / f"{world}-1" / "result.json"
        admissions[world] = admit(path)
        results.setdefault("embedded, one order", {})[world] = one
        results.setdefault(f"embedded, {ORDERS} orders", {})[world] = several
        tables.append(_table(world, one, several, admissions[world]))
    keep(chosen.keep, results)
    _ship(chosen, folder, admissions, "\n".join(tables))
    print("\n".join(tables))


def _examined(
    chosen: argparse.Namespace,
    folder: Path,
    world: str,
    exams: list[Exam],
    samples: list[Sample],
    orders: int,
) -> Result:
    settings = JudgeSettings(judge="embedded", folder=folder, orders=orders)
    judge = open_judge(None, settings)
    plan = Plan(concurrency=1, bootstrap=1000)
    if orders == 1:
        plan = replace(plan, padding=20, attacks=chosen.attacks)
    return evaluate(
        judge,
        exams,
        samples,
        chosen.out / f"{world}-{orders}",
        plan,
        label=f"embedded, {orders} order{'s' if orders > 1 else ''}",
        command=" ".join(["python", *sys.argv]),
        settings={"judge": "embedded", "orders": orders},
    )


def _table(world: str, one: Result, several: Result, admission: Admission) -> str:
    sources = [name for name in one.measures if name != "all"]
    head = ["", "all", *sources]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, title in SHOWN.items():
        cells = [
            shown(name, one.measures.get(source, {}).get(name)) for source in ("all", *sources)
        ]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    cells = [
        shown("order_flip_rate", several.measures.get(source, {}).get("order_flip_rate"))
        for source in ("all", *sources)
    ]
    lines.append(f"| flips in {ORDERS} orders | {' | '.join(cells)} |")
    why = "; ".join(admission.reasons)
    verdict = "passed" if admission.passed else f"**failed**: {why}"
    return f"**{world}**, admission test {verdict}\n\n" + "\n".join(lines) + "\n"


def _ship(
    chosen: argparse.Namespace,
    folder: Path,
    admissions: dict[str, Admission],
    tables: str,
) -> None:
    chosen.ship.mkdir(parents=True, exist_ok=True)
    for world in chosen.run:
        for name in FILES:
            (chosen.ship / world).mkdir(exist_ok=True)
            shutil.copyfile(folder / world / name, chosen.ship / world / name)
    for world, admission in admissions.items():
        text = admission.model_dump_json(indent=1) + "\n"
        (chosen.ship / f"admission-{world}.json").write_text(text, encoding="utf-8")
    card = CARD.format(
        parameters=", ".join(f"{world}: {_weights(chosen.ship / world):,}" for world in chosen.run),
        training="\n".join(
            f"    telejudge train embedded-judge --recipe {world} --run-dir runs/judge-{world}"
            for world in chosen.run
        ),
        runs="".join(f" \\\n        --run {w}=runs/judge-{w}" for w in chosen.run),
        made="\n".join(_made(world, run) for world, run in chosen.run.items()),
        version=EmbeddedJudge(chosen.ship).version,
        orders=ORDERS,
        tables=tables,
    )
    (chosen.ship / "README.md").write_text(card, encoding="utf-8")


def _weights(folder: Path) -> int:
    return sum(weight.numel() for weight in load(folder).network.parameters())


def _made(world: str, run: Path) -> str:
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    took = (
        "in several goes"
        if summary.get("resumed")
        else f"{summary['seconds']:,.0f} s of wall clock"
    )
    learned = f"{summary['candidates']['train']:,} candidates of scripted agents"
    return f"- {world}: seed {summary['seed']}, {took}, {learned}"


def _arguments() -> argparse.Namespace:
    said = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    said.add_argument(
        "--run",
        action="append",
        required=True,
        metavar="WORLD=FOLDER",
        help="of telejudge train embedded-judge; repeated",
    )
    said.add_argument("--groups", type=Path, required=True, help="of telejudge data trajectories")
    said.add_argument("--out", type=Path, default=Path("runs/judge-examined"))
    said.add_argument("--ship", type=Path, default=SHIPPED)
    said.add_argument("--keep", type=Path, default=Path("runs/judge-results"))
    said.add_argument("--most", type=int, default=None, help="groups of the file at most")
    said.add_argument("--attacks", type=int, default=6, help="wrong candidates for each attack")
    chosen = said.parse_args()
    chosen.run = {world: Path(run) for world, _, run in (one.partition("=") for one in chosen.run)}
    return chosen


if __name__ == "__main__":
    main()
