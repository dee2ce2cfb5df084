"""What the tests of judge data share: groups of both worlds and of answers, made once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from telejudge_training.judge_data.files import read_rows
from telejudge_training.judge_data.qa_groups import Shares, write_answer_groups
from telejudge_training.judge_data.rows import GroupRow
from telejudge_training.judge_data.trajectories import Plan, write_groups

SHARED = Path(__file__).parents[3] / "shared" / "data" / "TeleQnA.zip"

SMALL = Plan(train=6, dev=3, test=4, faults=3, per_task=3, kinds=4, experts=4)

SUBJECTS = ("coverage", "capacity", "latency", "handover", "paging", "roaming", "billing", "timing")


@cache
def group_file() -> Path:
    """Groups of both worlds."""
    out = Path(mkdtemp(prefix="judge-data-")) / "groups.jsonl"
    write_groups(SMALL, out)
    return out


@cache
def groups() -> tuple[GroupRow, ...]:
    return tuple(read_rows(group_file(), GroupRow))


def question_file(folder: Path, count: int = 40) -> Path:
    """Questions as `data teleqna` writes them, with contents made up."""
    lines = []
    for number in range(count):
        subject = SUBJECTS[number % len(SUBJECTS)]
        options = [f"{subject} {word} {number}" for word in ("alpha", "beta", "gamma", "delta")]
        row = {
            "id": f"q-{number}",
            "text": f"Which kind of {subject} has the number {number}?",
            "right": options[0],
            "wrong": options[1:],
            "options": options,
            "category": "Lexicon",
            "explanation": f"The number {number} belongs to {options[0]}.",
            "pointing": ["All of the above"] if number % 10 == 9 else [],
            "cluster": f"q-{number}",
            "split": ("train", "dev", "test", "rl")[number % 4],
            "provenance": {"source": "made up", "licence": "MIT", "made_by": "harness"},
        }
        lines.append(json.dumps(row))
    path = folder / "questions.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def answer_groups(folder: Path, shares: Shares | None = None, seed: int = 0) -> list[GroupRow]:
    out = folder / f"answers-{seed}.jsonl"
    write_answer_groups(question_file(folder), out, shares or Shares(), seed=seed, force=True)
    return list(read_rows(out, GroupRow))


def one_of_each(rows: Sequence[GroupRow]) -> list[GroupRow]:
    """A group of each world and form."""
    found: dict[tuple[str, str], GroupRow] = {}
    for row in rows:
        found.setdefault((row.group.task.world, row.form), row)
    return list(found.values())
