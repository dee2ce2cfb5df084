"""The sections without tools: TeleQnA as choice and as open question, TeleMath."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import TypeVar

from telejudge_envs.errors import EndpointError
from telejudge_envs.teleqna import Question
from telejudge_envs.teleqna_choice import as_choice
from telejudge_envs.teleqna_groups import group_of
from telejudge_eval.base.records import Item
from telejudge_eval.base.settings import BaseSettings
from telejudge_eval.base.speakers import Said, Speaker
from telejudge_judges.protocol import Judge
from telejudge_training.judge_data.numeric import consensus, numeric_reward, value_in
from telejudge_training.judge_data.policy_rows import MATH_SYSTEM, OPEN_SYSTEM
from telejudge_training.judge_data.problems import Problem

SHORT_TOKENS = 30
"""The seed reports' cap on answers, under which their judges were accurate."""
SHORT = f"{OPEN_SYSTEM} Use at most {SHORT_TOKENS} tokens: one short phrase."
TEMPERATURE = 0.6

T = TypeVar("T")
Tell = Callable[[str, int, int], None]
"""Hears of progress: section, items done, items in all."""


def drawn(things: Sequence[T], count: int, seed: int, name: str) -> list[T]:
    """`count` of them at most, in an order that the seed decides; a larger count adds more."""
    order = list(things)
    random.Random(f"{seed}|{name}").shuffle(order)
    return order[:count]


async def choose(
    speaker: Speaker, question: Question, section: str, shuffled_by: int | None
) -> Item:
    """One multiple-choice question."""
    choice = as_choice(question, shuffled_by=shuffled_by)
    try:
        place, said = await speaker.choose(choice)
    except EndpointError as error:
        return _failed(section, question.id, question.category, error)
    return _item(
        section, question.id, question.category, float(place == choice.right), said
    ).model_copy(update={"unread": place is None})


async def answer_openly(
    speaker: Speaker, judge: Judge, question: Question, section: str, settings: BaseSettings
) -> Item:
    """One open question: answered by the model, then judged with the key as a reference."""
    short = section.endswith(str(SHORT_TOKENS))
    try:
        said = await speaker.say(
            SHORT if short else OPEN_SYSTEM,
            question.text,
            max_tokens=SHORT_TOKENS if short else settings.open_tokens,
        )
    except EndpointError as error:
        return _failed(section, question.id, question.category, error)
    group = group_of(question.id, question.text, question.part, [said.text])
    [verdict] = (await judge.judge(group)).verdicts
    item = _item(section, question.id, question.category, verdict.answer, said)
    return item.model_copy(
        update={"why": f"judge: {verdict.abstained}"[:200] if verdict.abstained else ""}
    )


async def solve(speaker: Speaker, problem: Problem, name: str, settings: BaseSettings) -> Item:
    """One numeric problem: the share of right samples, and cons@k when there are several."""
    replies: list[Said] = []
    k = settings.samples
    for sample in range(k):
        try:
            replies.append(
                await speaker.say(
                    MATH_SYSTEM,
                    problem.question,
                    max_tokens=settings.problem_tokens,
                    temperature=0.0 if k == 1 else TEMPERATURE,
                    seed=settings.seed + sample,
                )
            )
        except EndpointError as error:
            return _failed("telemath", name, problem.category, error)
    texts, key = [r.text for r in replies], str(problem.answer)
    right = fmean(numeric_reward(text, key, problem.question) for text in texts)
    item = _item("telemath", name, problem.category, right, replies[-1])
    extra = {f"cons@{k}": consensus(texts, key, problem.question)} if k > 1 else {}
    return item.model_copy(
        update={
            "extra": extra,
            "unread": all(value_in(text, problem.question) is None for text in texts),
            "prompt_tokens": sum(r.prompt_tokens for r in replies),
            "completion_tokens": sum(r.completion_tokens for r in replies),
            "seconds": sum(r.seconds for r in replies),
        }
    )


def _item(section: str, name: str, part: str, score: float | None, said: Said) -> Item:
    return Item(
        section=section,
        id=name,
        part=part,
        score=score,
        prompt_tokens=said.prompt_tokens,
        completion_tokens=said.completion_tokens,
        seconds=said.seconds,
        reply=said.text,
    )


def _failed(section: str, name: str, part: str, error: EndpointError) -> Item:
    return Item(section=section, id=name, part=part, score=None, why=f"endpoint: {error.cause}")
