"""TeleQnA's multiple-choice questions, read from the packed file that its authors publish.

In: the path of the password-protected zip. Out: questions whose options can be told apart.

    questions = read_teleqna(Path("TeleQnA.zip"))
    questions[0].right, questions[0].wrong

TeleQnA (netop-team/TeleQnA, MIT licence) stays packed so that no model learns it by accident: this
reads it in memory and writes nothing. The zip is AES-encrypted, which Python's zipfile cannot open.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from telejudge_envs.errors import DataError, MissingExtraError
from telejudge_envs.nouns.base import Noun

PASSWORD = "teleqnadataset"
"""Published in the data set's own README."""

Part = Literal["test", "judge", "rl"]

Flaw = Literal["", "equal_options", "no_key", "pointing"]
"""Why a question cannot be taken apart into right and wrong answers: two options are equal, the
answer is not word by word one of them, an option points at others ("all of the above")."""

_SPACE = re.compile(r"\s+")
_POINTS_ELSEWHERE = re.compile(
    r"\b(above|below|both|neither|either|(these|the|listed|other) options?|option [1-5])\b", re.I
)
"""An option such as "Both A and B" means something only beside the others."""


class Question(Noun):
    """`right` and `wrong` are options without their numbers; `number` is its place in the file.
    `options` are all of them in the file's order, and `pointing` those that point at others."""

    number: int
    text: str
    right: str
    wrong: tuple[str, ...]
    category: str
    explanation: str = ""
    options: tuple[str, ...] = ()
    pointing: tuple[str, ...] = ()
    flaw: Flaw = ""

    @property
    def id(self) -> str:
        return f"teleqna-{self.number}"

    @property
    def part(self) -> Part:
        """A fifth of all questions is for tests; of the rest a fifth is for RL, and four for
        judges. Decided by the words of the question, so that equal ones stay together."""
        words = re.sub(r"\W+", " ", self.text).strip().lower()
        drawn = int(hashlib.sha256(words.encode()).hexdigest()[:8], 16) % 25
        return "test" if drawn < 5 else "rl" if drawn < 9 else "judge"


def read_teleqna(path: Path, password: str = PASSWORD) -> tuple[Question, ...]:
    """The questions that can be taken apart into right and wrong answers, in file order.

    Left out: questions with two equal options, those whose answer is not word by word one of the
    options (5 of 10,000), and those with an option that points at others ("all of the above").
    Raises DataError for another file or password, MissingExtraError without pyzipper.
    """
    return tuple(question for question in read_all(path, password) if not question.flaw)


def read_all(path: Path, password: str = PASSWORD) -> tuple[Question, ...]:
    """All questions in file order, those with a flaw too. Raises as read_teleqna does."""
    raw = _unpack(path, password)
    if not isinstance(raw, dict):
        raise DataError(f"{path} holds no JSON object of questions")
    return tuple(_question(path, name, fields) for name, fields in raw.items())


def _unpack(path: Path, password: str) -> Any:
    try:
        import pyzipper
    except ImportError as error:
        raise MissingExtraError("pyzipper", "measure") from error
    try:
        with pyzipper.AESZipFile(path) as packed:
            name = packed.namelist()[0]
            return json.loads(packed.read(name, pwd=password.encode()))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except (pyzipper.BadZipFile, RuntimeError, IndexError, ValueError) as error:
        raise DataError(
            f"{path} is not TeleQnA's zip, or the password is another: {error}"
        ) from error


def _question(path: Path, name: str, fields: Mapping[str, str]) -> Question:
    options = {key: _plain(value) for key, value in fields.items() if key.startswith("option ")}
    everything = tuple(options.values())
    try:
        key, _, told = fields["answer"].partition(":")
        number, text = int(name.rpartition(" ")[2]), fields["question"].strip()
    except (KeyError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: '{name}' is no question: {error!r}") from error
    right = options.pop(key.strip(), None)
    pointing = tuple(option for option in everything if _POINTS_ELSEWHERE.search(option))
    return Question(
        number=number,
        text=text,
        right=right or "",
        wrong=tuple(options.values()),
        category=fields.get("category", ""),
        explanation=fields.get("explanation", ""),
        options=everything,
        pointing=pointing,
        flaw=_flaw(right, _plain(told), everything, pointing),
    )


def _flaw(right: str | None, told: str, options: Sequence[str], pointing: Sequence[str]) -> Flaw:
    if right is None or right != told or len(options) < 2:
        return "no_key"
    if len({option.lower() for option in options}) < len(options):
        return "equal_options"
    return "pointing" if pointing else ""


def _plain(option: str) -> str:
    return _SPACE.sub(" ", option).strip().rstrip(".")
