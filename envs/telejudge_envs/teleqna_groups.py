"""From multiple-choice questions to groups of answers, with the truth beside them.

In: a question and a seed. Out: a Group whose trajectories are single answers, and which are right.

    made = answer_group(question, seed=0)
    made.group.trajectories[0].messages[-1].text, made.right[made.group.trajectories[0].id]

A judge that expects exactly one right answer is caught: a group holds one, several, none or only
right ones (`FORMS`), 2 to 5 candidates in all. Nothing but the content tells them apart: right and
wrong options alike occur in several wordings, short and long, and some candidates are identical.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Literal, NamedTuple

from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.teleqna import Question

WORLD = "teleqna"

FORMS: dict[str, int] = {"one": 8, "several": 4, "none": 3, "all": 2, "identical": 3}
"""How many candidates are right, with how often of 20 times. `identical`: two are the same text."""

Truth = Literal[0, 1]

SMALLEST, LARGEST = 2, 5

WORDINGS = (
    "{}",
    "{}.",
    "Answer: {}",
    "The answer is: {}.",
    "I would say: {}.",
    "My answer to this question is the following: {}.",
    "{}. This is what fits the question best as far as I can tell.",
    "The question can be answered in a few words. What is asked for here is this: {}.",
    "Let me think about what is asked. Several things could be considered, and after weighing them "
    "against each other my answer is: {}. I am done with the question.",
    "To answer this, I first read the question again with care, then went through what I know of "
    "the subject, and then compared it with what is asked. In the end I settled on this: {}.",
)
"""They say nothing about the content, and are drawn alike for right and for wrong answers."""

POLICY = (
    "You answer a question about telecommunications. An answer is right when its content is right; "
    "its wording and its length do not matter."
)


class AnswerGroup(NamedTuple):
    """`right` is 1 or 0 by trajectory id; `form` is one of FORMS."""

    group: Group
    right: dict[str, Truth]
    form: str


def answer_group(question: Question, seed: int = 0) -> AnswerGroup:
    """The group of a question; the same for the same seed."""
    dice = random.Random(f"{seed}|{question.id}|{question.text}")
    form = dice.choices(list(FORMS), weights=list(FORMS.values()))[0]
    texts = _texts(question, form, dice)
    dice.shuffle(texts)
    group = group_of(question.id, question.text, question.part, [text for text, _ in texts])
    right: dict[str, Truth] = {
        t.id: truth for t, (_, truth) in zip(group.trajectories, texts, strict=True)
    }
    return AnswerGroup(group, right, form)


def group_of(question_id: str, text: str, split: str, answers: Sequence[str]) -> Group:
    """A group whose trajectories are these answers, in this order; its id is that of the content.

    Trajectory ids are the group's with the place.
    """
    group_id = "q" + _hash(question_id, *answers)
    task = TaskView(id=question_id, world=WORLD, split=split, level=1, ticket=text, max_steps=1)
    trajectories = tuple(
        _trajectory(task, f"{group_id}-{place}", answer) for place, answer in enumerate(answers)
    )
    return Group(id=group_id, task=task, trajectories=trajectories)


def _texts(question: Question, form: str, dice: random.Random) -> list[tuple[str, Truth]]:
    """Answers with 1 for right and 0 for wrong."""
    size = dice.randint(SMALLEST, LARGEST)
    if form == "identical":
        texts = _worded(question, dice.randint(0, size - 1), size - 1, dice)
        return [*texts, dice.choice(texts)]
    right = {"one": 1, "several": dice.randint(2, max(2, size - 1)), "none": 0, "all": size}[form]
    return _worded(question, right, max(size, right), dice)


def _worded(
    question: Question, right: int, size: int, dice: random.Random
) -> list[tuple[str, Truth]]:
    """`size` different answers, `right` of them right; no two of the same option and wording."""
    wrong = list(dice.sample(question.wrong, len(question.wrong)))
    contents = [question.right] * right
    contents += [wrong[i] for i in _spread(size - right, len(wrong), dice)]
    truths: list[Truth] = [1 if place < right else 0 for place in range(size)]
    styles = dice.sample(WORDINGS, size)  # one style each: equal contents differ in their words
    worded = (style.format(text) for style, text in zip(styles, contents, strict=True))
    return list(zip(worded, truths, strict=True))


def _spread(count: int, options: int, dice: random.Random) -> Sequence[int]:
    """Which wrong options to use: some twice, as the right one is in groups with several right."""
    if count <= options and dice.random() < 0.5:
        return range(count)
    return [dice.randrange(options) for _ in range(count)]


def _trajectory(task: TaskView, name: str, answer: str) -> Trajectory:
    return Trajectory(
        id=name,
        task_id=task.id,
        world=WORLD,
        agent="options",
        mode="solo",
        messages=(
            Message(role="system", text=POLICY),
            Message(role="user", text=task.ticket),
            Message(role="assistant", text=answer),
        ),
        stop="agent_stop",
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
