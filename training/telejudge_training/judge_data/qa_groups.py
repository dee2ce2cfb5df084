"""`telejudge data groups`: questions in, groups of answers of known truth out.

    write_answer_groups(questions, out, Shares(one=8, several=4, none=3))

| form | candidates |
|---|---|
| one | one right, the others wrong |
| several | two right or more, in different words |
| none | nobody right |
| all | everybody right |
| identical | as chance will have it, two of them the same text |
| lengths | the same contents twice, once in few words and once in many |

Nothing but the content tells right from wrong: wordings, short and long, are drawn alike for both,
and the order is shuffled. Wrong answers are the question's own and a model's distractors; right
ones its key and a model's paraphrases of it (`data distractors`).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from telejudge_envs.nouns.base import Noun
from telejudge_envs.teleqna_groups import WORDINGS, group_of
from telejudge_judges.fuse import fuse
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.files import read_rows, write_rows
from telejudge_training.judge_data.questions import read_questions
from telejudge_training.judge_data.rows import (
    Binary,
    CandidateTruth,
    Card,
    GroupRow,
    QuestionRow,
    Split,
)
from telejudge_training.judge_data.texts import Distractor

SHORT, LONG = 20, 60
"""Characters of a wording's own words up to which it counts as short, and from which as long."""


class Shares(Noun):
    """How often each form is drawn, relative to the others; and how large groups are."""

    one: float = 8
    several: float = 4
    none: float = 3
    all: float = 2
    identical: float = 3
    lengths: float = 3
    smallest: int = 2
    largest: int = 5
    per_question: int = 1

    def forms(self) -> dict[str, float]:
        sizes = ("smallest", "largest", "per_question")
        return {name: value for name, value in self if name not in sizes}


class Content(NamedTuple):
    """Something that a candidate may say; equal `key`s mean the same."""

    text: str
    key: str
    right: Binary


class Said(NamedTuple):
    """A candidate: a content in some wording."""

    text: str
    content: Content


def write_answer_groups(
    questions: Path,
    out: Path,
    shares: Shares,
    *,
    distractors: Sequence[Path] = (),
    splits: Sequence[Split] = ("train", "dev", "test"),
    seed: int = 0,
    on_question: Callable[[int, int], None] = lambda done, total: None,
    force: bool = False,
) -> Card:
    """Questions that point at their options, and those without a wrong answer, are left out."""
    told = {**shares.model_dump(), "splits": ",".join(splits)}
    options = [("distractors", one) for one in distractors]
    making = Making("groups", seed, told, [questions], options)
    done = making.done(out)
    if done is not None and not force:
        return done
    more = _by_question(distractors)
    rows = _groups(questions, shares, more, frozenset(splits), seed, making, on_question)
    return making.finish(out, GroupRow, write_rows(out, rows, GroupRow))


def _groups(
    path: Path,
    shares: Shares,
    more: Mapping[str, Sequence[Distractor]],
    splits: frozenset[str],
    seed: int,
    making: Making,
    on_question: Callable[[int, int], None],
) -> Iterable[GroupRow]:
    questions = list(read_questions(path))
    for number, question in enumerate(questions, start=1):
        on_question(number, len(questions))
        if question.split not in splits:
            continue
        if question.pointing:
            making.count("left out", "options that point at others")
            continue
        right, wrong = contents(question, more.get(question.id, ()))
        if not wrong:
            making.count("left out", "no wrong answer")
            continue
        for nth in range(shares.per_question):
            dice = random.Random(f"{seed}|{question.id}|{nth}")
            forms = shares.forms()
            form = dice.choices(list(forms), weights=list(forms.values()))[0]
            yield _group(question, form, _said(form, right, wrong, shares, dice), making, dice)


def contents(
    question: QuestionRow, more: Sequence[Distractor]
) -> tuple[list[Content], list[Content]]:
    """What is right and what is wrong. Paraphrases of the key have its content."""
    right = [Content(question.right, "option:right", 1)]
    right += [Content(d.text, "option:right", 1) for d in more if d.kind == "paraphrase"]
    wrong = [Content(text, f"option:{n}", 0) for n, text in enumerate(question.wrong)]
    wrong += [Content(d.text, f"distractor:{d.id}", 0) for d in more if d.kind == "wrong"]
    return right, wrong


def _said(
    form: str,
    right: Sequence[Content],
    wrong: Sequence[Content],
    shares: Shares,
    dice: random.Random,
) -> list[Said]:
    size = dice.randint(shares.smallest, shares.largest)
    if form == "identical":
        said = _worded(_pick(right, wrong, dice.randint(0, size - 1), size - 1, dice), dice)
        return [*said, dice.choice(said)]
    if form == "lengths":
        return _in_two_lengths(right, wrong, size, dice)
    most = max(2, size - 1)
    count = {"one": 1, "several": dice.randint(2, most), "none": 0, "all": size}[form]
    return _worded(_pick(right, wrong, count, max(size, count), dice), dice)


def _pick(
    right: Sequence[Content],
    wrong: Sequence[Content],
    count: int,
    size: int,
    dice: random.Random,
) -> list[Content]:
    """`count` right and the rest wrong. Wrong ones repeat as right ones do, half of the time."""
    chosen = [dice.choice(right) for _ in range(count)]
    left = size - count
    if left <= len(wrong) and dice.random() < 0.5:
        return chosen + dice.sample(wrong, left)
    return chosen + [dice.choice(wrong) for _ in range(left)]


def _worded(chosen: Sequence[Content], dice: random.Random) -> list[Said]:
    """One wording each: equal contents differ in their words."""
    styles = dice.sample(WORDINGS, len(chosen))
    return [Said(s.format(c.text), c) for s, c in zip(styles, chosen, strict=True)]


def _in_two_lengths(
    right: Sequence[Content], wrong: Sequence[Content], size: int, dice: random.Random
) -> list[Said]:
    own = {style: len(style.format("")) for style in WORDINGS}
    short = [style for style, length in own.items() if length <= SHORT]
    long = [style for style, length in own.items() if length >= LONG]
    among = [dice.choice(right), *dice.sample(wrong, min(len(wrong), max(1, size // 2)))]
    chosen = dice.sample(among, max(1, min(len(among), size // 2)))
    styles = zip(dice.sample(short, len(chosen)), dice.sample(long, len(chosen)), strict=True)
    return [
        Said(style.format(content.text), content)
        for content, pair in zip(chosen, styles, strict=True)
        for style in pair
    ]


def _group(
    question: QuestionRow, form: str, said: Sequence[Said], making: Making, dice: random.Random
) -> GroupRow:
    shuffled = dice.sample(said, len(said))
    group = group_of(question.id, question.text, question.split, [s.text for s in shuffled])
    truths = {
        trajectory.id: CandidateTruth(
            answer=one.content.right,
            tools=1.0,
            reward=fuse(one.content.right, 1.0),
            defects=(),
            origin=one.content.key,
            reason=question.explanation,
        )
        for trajectory, one in zip(group.trajectories, shuffled, strict=True)
    }
    count = sum(truth.answer for truth in truths.values())
    making.count("split", question.split)
    making.count("form", form)
    making.count("right candidates of all", f"{count} of {len(truths)}")
    making.licences[question.provenance.licence] += 1
    for one in shuffled:
        length = "long" if len(one.text) - len(one.content.text) >= LONG else "short"
        making.count("wordings", f"{'right' if one.content.right else 'wrong'}, {length}")
    return GroupRow(
        id=group.id,
        split=question.split,
        form=form,
        group=group,
        truths=truths,
        provenance=making.provenance(
            question.provenance.source, question.provenance.licence, question.id
        ),
    )


def _by_question(paths: Sequence[Path]) -> dict[str, list[Distractor]]:
    found: dict[str, list[Distractor]] = defaultdict(list)
    for path in paths:
        for one in read_rows(path, Distractor):
            if one.kept:
                found[one.question_id].append(one)
    return found
