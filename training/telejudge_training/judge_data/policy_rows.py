"""Rows that the agent's model is trained on: numeric problems, multiple choice, open questions.

    write_policy_rows(out, PolicySettings(mcq=0.3), problems=path, questions=path)

Numeric problems come as TeleMath publishes them (`question`, `answer`, `category`, `tags`,
`difficulty`; JSON, JSON lines or parquet); `own_problems.jsonl` holds a dozen of ours, to try
things with. TeleQnA's questions come in the two forms of the seed reports, `mcq` of them as
multiple choice and the rest as open questions; those that point at their options always as
multiple choice. `answer` is what a verifiable reward checks (numeric.py, or the option's text).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from telejudge_envs.nouns.base import Noun
from telejudge_judges.opaque import digest
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.files import read_rows, write_rows
from telejudge_training.judge_data.problems import (
    OWN_LICENCE,
    Problem,
    our_problems,
    read_problems,
)
from telejudge_training.judge_data.questions import read_questions
from telejudge_training.judge_data.rows import Card, PolicyRow, QuestionRow, Split, Turn
from telejudge_training.judge_data.texts import Trace

MATH_SYSTEM = (
    "You are an expert telecommunications engineer. Solve the problem and end with the number "
    "alone in \\boxed{}."
)
MCQ_SYSTEM = (
    "You are an expert telecommunications engineer. Answer the following question accurately and "
    "concisely."
)
OPEN_SYSTEM = (
    "You are an expert in 3GPP standards and telecommunications. Answer the following technical "
    "question accurately and concisely based on 3GPP specifications."
)
REER_SYSTEM = (
    "You are an expert telecommunications engineer. Think step by step between <think> and "
    "</think>, then answer."
)
"""MCQ_SYSTEM and OPEN_SYSTEM are the seed reports' own words."""


class PolicySettings(Noun):
    """`mcq`: share of multiple choice among TeleQnA's questions. `licence`: of the problems."""

    mcq: float = 0.3
    splits: tuple[Split, ...] = ("train", "dev", "test", "rl")
    licence: str = "unknown"
    seed: int = 0


def write_policy_rows(
    out: Path,
    settings: PolicySettings,
    *,
    problems: Path | None = None,
    own_problems: bool = False,
    questions: Path | None = None,
    traces: Path | None = None,
    force: bool = False,
) -> Card:
    """All that is given, in one file: problems, then questions, then traces."""
    told = {**settings.model_dump(exclude={"seed"}), "splits": ",".join(settings.splits)}
    told["own_problems"] = own_problems
    options = (("problems", problems), ("questions", questions), ("traces", traces))
    making = Making("math", settings.seed, told, options=options)
    done = making.done(out)
    if done is not None and not force:
        return done

    def rows() -> Iterator[PolicyRow]:
        if own_problems:
            yield from _math_rows(our_problems(), "own problems", OWN_LICENCE, making)
        if problems is not None:
            found = read_problems(problems)
            yield from _math_rows(found, problems.name, settings.licence, making)
        if questions is not None:
            yield from _question_rows(list(read_questions(questions)), settings, making)
        if traces is not None:
            yield from map(from_trace, read_rows(traces, Trace))

    kept = _counted((row for row in rows() if row.split in settings.splits), making)
    return making.finish(out, PolicyRow, write_rows(out, kept, PolicyRow))


def mcq_row(question: QuestionRow, making: Making, dice: random.Random) -> PolicyRow:
    """The question with its options, shuffled unless one of them points at others."""
    options = list(question.options)
    if not question.pointing:
        dice.shuffle(options)
    listed = "\n".join(f"option {n}: {option}" for n, option in enumerate(options, start=1))
    right = options.index(question.right) + 1
    return _row(
        question,
        making,
        form="mcq",
        system=MCQ_SYSTEM,
        user=f"{question.text}\n\nOptions:\n{listed}",
        reply=f"The correct answer is option {right}: {question.right}",
        options=tuple(options),
    )


def open_row(question: QuestionRow, making: Making) -> PolicyRow:
    return _row(
        question,
        making,
        form="open",
        system=OPEN_SYSTEM,
        user=question.text,
        reply=question.right,
    )


def from_trace(trace: Trace) -> PolicyRow:
    """A trace found by search as a demonstration of thinking."""
    return PolicyRow(
        id=digest("reer", trace.id)[:16],
        split=trace.split,
        form="reer",
        prompt=_turns(REER_SYSTEM, trace.question),
        completion=(
            Turn(role="assistant", content=f"<think>\n{trace.trace}\n</think>\n{trace.answer}"),
        ),
        answer=trace.answer,
        provenance=trace.provenance,
    )


def _math_rows(
    problems: Sequence[Problem], source: str, licence: str, making: Making
) -> Iterator[PolicyRow]:
    for problem in problems:
        name = digest("math", problem.question)[:16]
        point = int(name[:8], 16) % 25
        answer = _number(problem.answer)
        yield PolicyRow(
            id=name,
            split="test" if point < 5 else "rl" if point < 9 else "train",
            form="math",
            prompt=_turns(MATH_SYSTEM, problem.question),
            completion=(Turn(role="assistant", content=f"\\boxed{{{answer}}}"),),
            answer=answer,
            category=problem.category,
            tags=problem.tags,
            difficulty=problem.difficulty,
            provenance=making.provenance(source, licence),
        )


def _question_rows(
    questions: Sequence[QuestionRow], settings: PolicySettings, making: Making
) -> Iterator[PolicyRow]:
    """In each split exactly the share of multiple choice, as far as pointing ones allow."""
    chosen: set[str] = set()
    for split in settings.splits:
        here = [q for q in questions if q.split == split]
        wanted = round(settings.mcq * len(here))
        pointing = [q.id for q in here if q.pointing]
        others = [q.id for q in here if not q.pointing and len(q.options) > 1]
        dice = random.Random(f"{settings.seed}|mcq|{split}")
        more = min(len(others), max(0, wanted - len(pointing)))
        chosen |= {*pointing, *dice.sample(others, more)}
    for question in questions:
        if question.id in chosen:
            yield mcq_row(question, making, random.Random(f"{settings.seed}|{question.id}"))
        else:
            yield open_row(question, making)


def _row(
    question: QuestionRow,
    making: Making,
    *,
    form: str,
    system: str,
    user: str,
    reply: str,
    options: tuple[str, ...] = (),
) -> PolicyRow:
    source, licence = question.provenance.source, question.provenance.licence
    return PolicyRow.model_validate(
        {
            "id": digest(form, question.id)[:16],
            "split": question.split,
            "form": form,
            "prompt": _turns(system, user),
            "completion": (Turn(role="assistant", content=reply),),
            "answer": question.right,
            "options": options,
            "category": question.category,
            "provenance": making.provenance(source, licence, question.id),
        }
    )


def _turns(system: str, user: str) -> tuple[Turn, Turn]:
    return Turn(role="system", content=system), Turn(role="user", content=user)


def _number(answer: float | str) -> str:
    """As text without a needless ".0", exact."""
    if isinstance(answer, str):
        return answer
    short = f"{answer:g}"
    return short if float(short) == answer else repr(answer)


def _counted(rows: Iterator[PolicyRow], making: Making) -> Iterator[PolicyRow]:
    for row in rows:
        making.count("split", row.split)
        making.count("form", row.form)
        making.licences[row.provenance.licence] += 1
        yield row
