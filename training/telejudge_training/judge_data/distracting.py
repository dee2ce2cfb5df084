"""`telejudge data distractors`: the step around distractors.py, and how its texts compare.

write_distractors(questions, out, settings, writer, solver, most=100)
for line in comparison(read_rows(out, Distractor), questions): print(line)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.base import Noun
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.distractors import DistractorSettings, Writer, alike
from telejudge_training.judge_data.files import write_rows
from telejudge_training.judge_data.questions import read_questions
from telejudge_training.judge_data.rows import Card, QuestionRow, Split
from telejudge_training.judge_data.texts import Distractor
from telejudge_training.judge_data.work import Work


class QuestionWork(Noun):
    """What was written for one question; `failed` is the endpoint's cause when it gave up."""

    key: str
    made: tuple[Distractor, ...] = ()
    failed: str = ""


def write_distractors(
    questions: Path,
    out: Path,
    settings: DistractorSettings,
    writer: ChatClient,
    solver: ChatClient,
    *,
    most: int = 0,
    splits: Sequence[Split] = ("train", "dev"),
    on_question: Callable[[int, int], None] = lambda done, total: None,
    force: bool = False,
) -> Card:
    """Question by question, kept at once; a restart asks for the rest and for what failed."""
    told = {**settings.model_dump(exclude={"seed"}), "most": most, "splits": ",".join(splits)}
    told |= {"model": writer.endpoint.model, "solver_model": solver.endpoint.model}
    making = Making("distractors", settings.seed, told, [questions])
    done = making.done(out)
    if done is not None and not force:
        return done
    chosen = [q for q in read_questions(questions) if q.split in splits and not q.pointing]
    chosen = chosen[:most] if most else chosen
    with Work(out, QuestionWork, lambda one: one.key) as work:
        hand = Writer(writer, solver, settings, making)
        asyncio.run(_all(hand, chosen, work, on_question))
        found = [work.known[q.id] for q in chosen]
    rows = [row for one in found for row in one.made]
    _count(making, rows, found, hand)
    card = making.finish(out, Distractor, write_rows(out, rows, Distractor))
    if not any(one.failed for one in found):
        work.clear()
    return card


async def _all(
    hand: Writer,
    chosen: Sequence[QuestionRow],
    work: Work[QuestionWork],
    on_question: Callable[[int, int], None],
) -> None:
    left = [q for q in chosen if q.id not in work.known or work.known[q.id].failed]
    done = len(chosen) - len(left)
    free = asyncio.Semaphore(hand.writer.endpoint.concurrency)
    on_question(done, len(chosen))

    async def one(question: QuestionRow) -> None:
        nonlocal done
        async with free:
            try:
                made = QuestionWork(key=question.id, made=tuple(await hand.work_on(question)))
            except EndpointError as error:
                made = QuestionWork(key=question.id, failed=error.cause)
            work.add(made)
        done += 1
        on_question(done, len(chosen))

    try:
        async with asyncio.TaskGroup() as tasks:
            for question in left:
                tasks.create_task(one(question))
    finally:
        await hand.writer.close()
        if hand.solver is not hand.writer:
            await hand.solver.close()


def _count(
    making: Making, rows: Sequence[Distractor], found: Sequence[QuestionWork], hand: Writer
) -> None:
    for row in rows:
        what = "kept" if row.kept else row.detail
        making.count(f"{row.kind} answers", what)
        making.licences[row.provenance.licence] += 1
    for one in found:
        making.count("questions", f"failed: {one.failed}" if one.failed else "done")
    spent = hand.meter.usage
    making.notes.append(
        f"{spent.requests:,} calls, {spent.prompt_tokens:,} prompt and "
        f"{spent.completion_tokens:,} completion tokens and {hand.unread:,} "
        "replies that cannot be read in this run"
    )


class Compared(NamedTuple):
    """One line of the comparison. `believed`: mean share of the solver's replies that chose such
    an option; `fooled`: share of the questions on which at least one reply chose one."""

    what: str
    options: int
    believed: float
    fooled: float
    like_the_key: float
    """Mean likeness with the right answer, percent."""
    length: float
    """Mean length relative to the right answer's."""


def comparison(rows: Iterable[Distractor], questions: Mapping[str, QuestionRow]) -> list[Compared]:
    """Generated distractors that are kept, all generated ones, and real options, on the same
    questions: those for which the real ones were asked about."""
    known = list(rows)
    both = {row.question_id for row in known if row.kind == "real"}
    parts = {
        "kept": [r for r in known if r.kind == "wrong" and r.kept],
        "all generated": [r for r in known if r.kind == "wrong" and r.confidence is not None],
        "real": [r for r in known if r.kind == "real"],
    }
    return [
        _compared(what, [r for r in part if r.question_id in both], questions)
        for what, part in parts.items()
    ]


def _compared(
    what: str, part: Sequence[Distractor], questions: Mapping[str, QuestionRow]
) -> Compared:
    if not part:
        nothing = float("nan")
        return Compared(what, 0, nothing, nothing, nothing, nothing)
    by_question: dict[str, float] = {}
    for row in part:
        most = max(by_question.get(row.question_id, 0.0), row.confidence or 0.0)
        by_question[row.question_id] = most
    keys = [questions[row.question_id].right for row in part]
    return Compared(
        what=what,
        options=len(part),
        believed=fmean(row.confidence or 0.0 for row in part),
        fooled=fmean(most > 0 for most in by_question.values()),
        like_the_key=fmean(alike(r.text, [key]) for r, key in zip(part, keys, strict=True)),
        length=fmean(len(r.text) / max(1, len(key)) for r, key in zip(part, keys, strict=True)),
    )
