"""Numeric problems in the form of TeleMath's published file, and a dozen of our own.

    read_problems(Path("telemath.json"))     # JSON, JSON lines or parquet
    our_problems()

TeleMath (netop-team) has 500 problems with the fields `question`, `answer`, `category`, `tags` and
`difficulty`. Ours (`own_problems.jsonl`) are none of them: they are there to try things with.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError

from telejudge_envs.errors import DataError
from telejudge_envs.nouns.base import Noun
from telejudge_training.judge_data.files import PARQUET

OWN = "own_problems.jsonl"
OWN_LICENCE = "Apache-2.0"


class Problem(Noun):
    """A line of TeleMath's file; further fields are not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str
    answer: float | str
    category: str = ""
    tags: tuple[str, ...] = ()
    difficulty: str = ""


def our_problems() -> list[Problem]:
    """The dozen that ships with the package."""
    text = (resources.files("telejudge_training.judge_data") / OWN).read_text("utf-8")
    return [Problem.model_validate_json(line) for line in text.splitlines()]


def read_problems(path: Path) -> list[Problem]:
    """TeleMath's problems from JSON, JSON lines or parquet. Raises DataError naming the row."""
    if path.suffix == PARQUET:
        import pyarrow.parquet

        given: Any = pyarrow.parquet.read_table(path).to_pylist()
    else:
        text = path.read_text(encoding="utf-8")
        try:
            given = json.loads(text) if text.lstrip().startswith("[") else _lines(text)
        except ValueError as error:
            raise DataError(f"{path} is neither JSON nor JSON lines: {error}") from error
    problems = []
    for number, fields in enumerate(given, start=1):
        try:
            problems.append(Problem.model_validate(fields))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise DataError(f"{path}, problem {number}: {place}: {first['msg']}") from error
    return problems


def _lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]
