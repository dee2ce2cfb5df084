"""`telejudge eval judge` without its command line: files and a judge in, a folder with results out.

    exams, samples = gather(Files(rollouts=(Path("r.jsonl"),)), groups=50, seed=0)
    result = evaluate(judge, exams, samples, Path("out"), Plan(padding=20, attacks=1))

The folder: `result.json` (numbers only), `judged.jsonl` (for `telejudge report`; it holds the
groups' texts), and the verdicts themselves, from which an interrupted run goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telejudge_envs import store
from telejudge_envs.errors import UsageError
from telejudge_envs.progress import progress
from telejudge_eval.judge_eval import sources
from telejudge_eval.judge_eval.attacking import attacks
from telejudge_eval.judge_eval.examine import (
    JUDGED,
    RESULT,
    Change,
    Judged,
    examine,
    judged_group,
    padding,
)
from telejudge_eval.judge_eval.measure import SAMPLES, measures
from telejudge_eval.judge_eval.records import Exam, Result, Sample
from telejudge_judges.protocol import Judge

CLAIM = "examined.json"


@dataclass(frozen=True)
class Files:
    """Where groups with known truths come from."""

    rollouts: tuple[Path, ...] = ()
    corruptions: tuple[Path, ...] = ()
    trajectories: tuple[Path, ...] = ()
    teleqna: Path | None = None


@dataclass(frozen=True)
class Plan:
    """What is judged a second time: `padding` groups of each source with padded candidates, and
    `attacks` groups for each attack."""

    padding: int = 0
    attacks: int = 0
    bootstrap: int = SAMPLES
    concurrency: int = 8
    seed: int = 0


def gather(
    files: Files, *, groups: int | None, seed: int, size: int = sources.LARGEST
) -> tuple[list[Exam], list[Sample]]:
    """Exams of all files, at most `groups` from each. Raises UsageError when there are none."""
    readers: list[tuple[Path, Callable[..., list[Exam]]]] = [
        *((path, sources.from_rollouts) for path in files.rollouts),
        *((path, sources.from_corruptions) for path in files.corruptions),
        *((path, sources.from_trajectories) for path in files.trajectories),
    ]
    if files.teleqna is not None:
        readers.append((files.teleqna, sources.from_teleqna))
    if not readers:
        raise UsageError(
            "nothing to judge: give --rollouts, --corruptions, --trajectories or --teleqna; "
            "rollouts with known outcome come from `telejudge rollout`, the others from "
            "`telejudge data corruptions` and `telejudge data trajectories`"
        )
    exams: list[Exam] = []
    samples: list[Sample] = []
    for path, read in readers:
        made = read(path, seed=seed, groups=groups, size=size)
        if not made:
            raise UsageError(f"{path} holds no group whose truth is known")
        exams += made
        samples += _samples(path, made)
    if len({exam.group.id for exam in exams}) < len(exams):
        raise UsageError("two files hold the same group; give each rollout once")
    return exams, samples


def _samples(path: Path, exams: Sequence[Exam]) -> list[Sample]:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    made = []
    for source in dict.fromkeys(exam.source for exam in exams):
        own = [exam for exam in exams if exam.source == source]
        candidates = sum(len(exam.truths) for exam in own)
        made.append(
            Sample(
                source=source,
                file=path.name,
                sha256=sha256,
                groups=len(own),
                candidates=candidates,
            )
        )
    return made


def evaluate(
    judge: Judge,
    exams: Sequence[Exam],
    samples: Sequence[Sample],
    folder: Path,
    plan: Plan,
    *,
    model: str = "",
    label: str = "",
    command: str = "",
    settings: dict[str, Any] | None = None,
) -> Result:
    """Judge, measure, and store. A folder of another judge or of other files is refused."""
    _claim(folder, judge, samples, plan.seed)
    judged = asyncio.run(_judged(judge, exams, folder, plan))
    results = tuple(one.result for one in judged)
    result = Result(
        judge=judge.name,
        judge_version=judge.version,
        model=model,
        label=label,
        command=command,
        settings=settings or {},
        seed=plan.seed,
        samples=tuple(samples),
        groups=results,
        measures=measures(results, samples=plan.bootstrap, seed=plan.seed),
    )
    (folder / RESULT).write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
    store.write(folder / JUDGED, [judged_group(one) for one in judged])
    return result


async def _judged(judge: Judge, exams: Sequence[Exam], folder: Path, plan: Plan) -> list[Judged]:
    def again(plain: Sequence[Judged]) -> list[Change]:
        padded = padding(exams, plan.padding, plan.seed)
        return [*padded, *attacks(plain, plan.attacks, plan.seed)]

    done, total = 0, len(exams)
    with progress(f"{judge.name} judges groups") as update:

        def on_judged() -> None:
            nonlocal done
            done += 1
            update(done, total)

        def on_planned(more: int) -> None:
            nonlocal total
            total = len(exams) + more

        update(0, total)
        return await examine(
            judge,
            exams,
            again,
            folder,
            concurrency=plan.concurrency,
            on_judged=on_judged,
            on_planned=on_planned,
        )


def _claim(folder: Path, judge: Judge, samples: Sequence[Sample], seed: int) -> None:
    """Group ids name trajectories, not their content: verdicts of other files must not be taken."""
    held = {
        "judge": [judge.name, judge.version],
        "files": sorted({sample.sha256 for sample in samples}),
        "seed": seed,
    }
    path = folder / CLAIM
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) != held:
            raise UsageError(
                f"{folder} holds an evaluation of another judge, of other files or of another "
                "seed; choose another folder"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
