"""`telejudge data teleqna`: the questions of the packed file, split, without leaks.

    write_questions(Path("TeleQnA.zip"), Path("questions.jsonl"))
    for row in read_questions(Path("questions.jsonl")): ...      # or plain questions and answers

A fifth is for tests; of the rest four fifths are for judges (a tenth of them dev) and one for the
agent's RL. Near duplicates stay together, in the strictest split that any of them has, so the test
questions of `telejudge eval judge`, which are split by their words alone, are all in `test`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pydantic import ConfigDict

from telejudge_envs.errors import DataError
from telejudge_envs.nouns.base import Noun
from telejudge_envs.store import read
from telejudge_envs.teleqna import Question, read_all
from telejudge_judges.opaque import digest
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.files import read_rows, write_rows
from telejudge_training.judge_data.near import clusters, near_pairs
from telejudge_training.judge_data.rows import Card, QuestionRow, Split

SOURCE, LICENCE = "TeleQnA", "MIT"

STRICTEST: tuple[Split, ...] = ("test", "rl", "dev", "train")

DEV_SHARE = 10
"""Percent of the judges' part."""

NOTES = (
    "TeleQnA (netop-team/TeleQnA, MIT) is published packed so that no model learns it by accident: "
    "keep this file, and what is made from it, on your machine.",
    "Questions with an option that points at others (all, both, none of the above) are kept as "
    "multiple choice in the file's order of options, and are in no group of answers.",
)


class PlainQuestion(Noun):
    """A line of any question-and-answer file; other fields are not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str
    answer: str
    category: str = ""


def write_questions(
    packed: Path,
    out: Path,
    *,
    seed: int = 0,
    on_row: Callable[[int, int], None] = lambda done, total: None,
    force: bool = False,
) -> Card:
    """Unpack, leave out what is broken, cluster, split. Raises DataError for another file."""
    making = Making("teleqna", seed, {}, [packed], notes=list(NOTES))
    done = making.done(out)
    if done is not None and not force:
        return done
    questions = []
    for question in read_all(packed):
        making.count("as it is in the file", question.flaw or "sound")
        if question.flaw in ("", "pointing"):
            questions.append(question)
    rows = _split(questions, seed, making, lambda done: on_row(done, len(questions)))
    return making.finish(out, QuestionRow, write_rows(out, rows, QuestionRow))


def read_questions(
    path: Path, made_by: str = "as it came", licence: str = "unknown"
) -> Iterator[QuestionRow]:
    """Rows of ours, or plain questions and answers, which are split by their words.

    Raises DataError naming the line that is neither.
    """
    try:
        first = next(iter(read_rows(path, QuestionRow)), None)
    except DataError:
        first = None
    if first is not None:
        yield from read_rows(path, QuestionRow)
        return
    making = Making(made_by, 0, {})
    for number, plain in enumerate(read(path, PlainQuestion), start=1):
        question = Question(
            number=number,
            text=plain.question,
            right=plain.answer,
            wrong=(),
            category=plain.category,
            options=(plain.answer,),
        )
        name = f"{path.stem}-{number}"
        row = _row(question, name, "", _split_of(question, 0, name), making, path.name, licence)
        yield row.model_copy(update={"id": name, "cluster": name})


def _split(
    questions: Sequence[Question], seed: int, making: Making, on_row: Callable[[int], None]
) -> Iterator[QuestionRow]:
    found = near_pairs([q.text for q in questions], [q.right for q in questions], on_row)
    firsts = clusters(len(questions), found.pairs)
    names = [questions[first].id for first in firsts]
    own: list[Split] = [_split_of(q, seed, name) for q, name in zip(questions, names, strict=True)]
    members: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        members[name].append(place)
    splits: list[Split] = list(own)
    for places in members.values():
        strictest = STRICTEST[min(STRICTEST.index(own[place]) for place in places)]
        for place in places:
            splits[place] = strictest
            if strictest != own[place]:
                making.count("moved beside a near duplicate", f"{own[place]} to {strictest}")
    leaks = sum(splits[one] != splits[other] for one, other in found.pairs)
    almost = sum(
        splits[one] != splits[other] and "test" in (splits[one], splits[other])
        for one, other in found.almost
    )
    making.counts["near duplicates"] = Counter(
        {
            "pairs": len(found.pairs),
            "pairs in different splits by the words alone": sum(
                own[one] != own[other] for one, other in found.pairs
            ),
            "pairs in different splits now": leaks,
            "less near pairs of which one is in test": almost,
        }
    )
    for question, name, split in zip(questions, names, splits, strict=True):
        row = _row(question, question.id, name, split, making, SOURCE, LICENCE)
        making.count("split", split)
        making.count("pointing options", "some" if row.pointing else "none")
        making.licences[LICENCE] += 1
        yield row


def _split_of(question: Question, seed: int, cluster: str) -> Split:
    part = question.part
    if part != "judge":
        return part
    drawn = int(digest("dev", str(seed), cluster)[:8], 16) % 100
    return "dev" if drawn < DEV_SHARE else "train"


def _row(
    question: Question,
    name: str,
    cluster: str,
    split: Split,
    making: Making,
    source: str,
    licence: str,
) -> QuestionRow:
    return QuestionRow(
        id=name,
        text=question.text,
        right=question.right,
        wrong=question.wrong,
        options=question.options,
        category=question.category,
        explanation=question.explanation,
        pointing=question.pointing,
        cluster=cluster,
        split=split,
        provenance=making.provenance(source, licence, name),
    )
