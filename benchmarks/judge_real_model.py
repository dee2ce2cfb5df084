"""Judge groups of known truth with a real model in every way that we have, and keep the results.

    python benchmarks/judge_real_model.py --base-url http://127.0.0.1:8411/v1 --model NAME \
        --teleqna TeleQnA.zip --corruptions corruptions.jsonl --rollouts rollouts.jsonl \
        --groups teleqna=40 corruptions=4 rollouts=4 --minutes 60 --out runs/real-model

Group by group every judge is asked, the files by turns, until there are as many groups as --groups
says or --minutes are over: whenever it ends, all judges were asked about the same groups. What is
judged a second time (--padding, --attacks; by whom, --again) comes last. Called again it goes on,
with more groups too. What is kept (--keep, a file a judge) holds ids and numbers, no text;
`judge_results.py` makes the document from it.

On TeleQnA every format is tried. On trajectories, whose prompts are many times as long, JSON only,
and neither policy nor tool schemas are shown unless --briefings is given.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_envs.protocol import World
from telejudge_envs.registry import open_world
from telejudge_eval.judge_eval.kept import keep
from telejudge_eval.judge_eval.records import Exam, Result, Sample
from telejudge_eval.judge_eval.run import Files, Plan, evaluate, gather
from telejudge_judges.registry import open_judge
from telejudge_judges.settings import JudgeSettings

BRIEF = Path("benchmarks/brief_judge.jinja")
FORMATS = ("json", "boxed", "tuple")
MODEL_FREE = ("verifier", "consistency")

WAYS: dict[str, dict[str, Any]] = {
    "pointwise": {"judge": "pointwise"},
    "listwise, one order": {"judge": "listwise", "orders": 1},
    "listwise, balanced": {"judge": "listwise", "orders": 2, "max_orders": 2},
}
JUDGES: dict[str, dict[str, Any]] = {
    **{f"{way}, {f}": {**said, "codec": f} for f in FORMATS for way, said in WAYS.items()},
    "pairwise": {"judge": "pairwise", "pairs": 3},
    "consistency": {"judge": "consistency"},
    "verifier": {"judge": "verifier"},
}
"""Settings by the label of tables."""


def main() -> None:
    chosen = _arguments()
    end = time.monotonic() + 60 * chosen.minutes
    groups = {name: int(count) for name, count in (pair.split("=") for pair in chosen.groups)}
    results: dict[str, dict[str, Result]] = {}
    for source, number in _turns(groups):
        if time.monotonic() > end:
            break
        for label in _labels(source):
            if time.monotonic() > end:
                break
            results.setdefault(label, {})[source] = _judge(chosen, source, label, number, Plan())
        print(f"{source} {number}, {(end - time.monotonic()) / 60:.0f} minutes left", flush=True)
    again = Plan(padding=chosen.padding, attacks=chosen.attacks)
    for label, source in [(one, name) for one, by_source in results.items() for name in by_source]:
        asked = chosen.again is None or f"{source}:{label}" in chosen.again
        if again != Plan() and asked and time.monotonic() < end:
            done = len(results[label][source].groups)
            results[label][source] = _judge(chosen, source, label, done, again)
    keep(chosen.keep, results)


def _turns(groups: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Sources by turns in the proportion of their groups, so that any time is a good one to end."""
    turns = [
        ((n - 0.5) / most, name, n) for name, most in groups.items() for n in range(1, most + 1)
    ]
    yield from ((name, n) for _, name, n in sorted(turns))


def _labels(source: str) -> Sequence[str]:
    """Who judges a source: the verifier has nothing to say about questions."""
    if source == "teleqna":
        return [label for label in JUDGES if label != "verifier"]
    return [label for label, said in JUDGES.items() if said.get("codec", "json") == "json"]


def _judge(chosen: argparse.Namespace, source: str, label: str, count: int, plan: Plan) -> Result:
    """The first `count` groups of a source before one judge; what it has judged stays judged."""
    size = chosen.size if source == "teleqna" else chosen.trajectories
    exams, samples = _exams(source, getattr(chosen, source), count, chosen.seed, size)
    settings = _settings(chosen, JUDGES[label])
    plain = settings.judge in MODEL_FREE or chosen.briefings
    judge = open_judge(None, settings, open_world=open_world if plain else _no_world)
    folder = chosen.out / source / label.replace(", ", "-").replace(" ", "-")
    stored = settings.model_dump(mode="json", exclude_unset=True)
    plan = replace(plan, concurrency=1, seed=chosen.seed, bootstrap=100)
    model = "" if settings.judge in MODEL_FREE else chosen.model
    return evaluate(
        judge,
        exams,
        samples,
        folder,
        plan,
        model=model,
        label=label,
        command=shlex.join(["python", *sys.argv]),
        settings=stored,
    )


@cache
def _exams(
    source: str, path: Path, count: int, seed: int, size: int
) -> tuple[list[Exam], list[Sample]]:
    """The same groups and more for a larger count."""
    files = {
        "teleqna": Files(teleqna=path),
        "corruptions": Files(corruptions=(path,)),
        "rollouts": Files(rollouts=(path,)),
    }[source]
    return gather(files, groups=count, seed=seed, size=size)


def _settings(chosen: argparse.Namespace, said: dict[str, Any]) -> JudgeSettings:
    if said["judge"] in MODEL_FREE:
        return JudgeSettings(seed=chosen.seed, **said)
    return JudgeSettings(
        base_url=chosen.base_url,
        model=chosen.model,
        seed=chosen.seed,
        sampling={"temperature": 0, "max_tokens": chosen.max_tokens},
        timeout=900,
        concurrency=1,
        budget=chosen.budget,
        cache=chosen.out / "replies",
        **({} if chosen.shipped_prompt else {"prompt": BRIEF}),
        **said,
    )


def _no_world(name: str) -> World:
    raise UsageError(f"the world {name} is not shown to judges here")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = partial(parser.add_argument)
    add("--base-url", required=True)
    add("--model", required=True)
    add("--teleqna", type=Path)
    add("--corruptions", type=Path)
    add("--rollouts", type=Path)
    add("--groups", nargs="+", required=True, metavar="SOURCE=COUNT")
    add("--size", type=int, default=3, help="answers of a question at most")
    add("--trajectories", type=int, default=2, help="of a group at most")
    add("--minutes", type=float, default=60.0)
    add("--seed", type=int, default=0)
    add("--budget", type=int, default=2_500, help="tokens of evidence a call")
    add("--max-tokens", type=int, default=240, help="of a reply")
    add("--padding", type=int, default=0, help="groups judged again with padded texts")
    add("--attacks", type=int, default=0, help="targets of each attack")
    add("--again", nargs="*", metavar="SOURCE:JUDGE", help="who judges a second time; all without")
    add("--briefings", action="store_true", help="show policies and tool schemas")
    add("--shipped-prompt", action="store_true", help=f"instead of {BRIEF}")
    add("--out", type=Path, default=Path("runs/real-model"))
    add("--keep", type=Path, default=Path("runs/real-model/kept"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
