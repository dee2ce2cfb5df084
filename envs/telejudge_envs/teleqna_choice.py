"""TeleQnA's questions as they are put to a model: lettered options, in file order or shuffled.

    asked = as_choice(question)                      # as its authors order the options
    asked = as_choice(question, shuffled_by=7)       # another order for each seed, the same again
    prompt(asked), asked.letter

An order that a model prefers, or has learnt by heart, shows as the difference between the two.
Options that point at others ("both of the above", "options 1 and 3") mean something only where
they stand: such questions keep their order.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from telejudge_envs.nouns.base import Noun
from telejudge_envs.teleqna import Flaw, Question

LETTERS = "ABCDE"
CATEGORIES = (
    "Lexicon",
    "Research overview",
    "Research publications",
    "Standards overview",
    "Standards specifications",
)
LEFT_OUT: frozenset[Flaw] = frozenset({"no_key", "equal_options"})
"""Questions whose key is none of the options, or not one alone: 23 of the 10,000."""


class Choice(Noun):
    """`options` in the order in which they are shown; `right` is the key's place among them."""

    id: str
    text: str
    options: tuple[str, ...]
    right: int
    category: str

    @property
    def letter(self) -> str:
        return LETTERS[self.right]


def askable(questions: Iterable[Question]) -> tuple[Question, ...]:
    """Those that have exactly one right option."""
    return tuple(q for q in questions if q.flaw not in LEFT_OUT)


def as_choice(question: Question, *, shuffled_by: int | None = None) -> Choice:
    """The question as shown; the order depends on the seed and the question alone."""
    options = list(question.options)
    if shuffled_by is not None and not question.pointing:
        random.Random(f"{shuffled_by}|{question.id}|{question.text}").shuffle(options)
    return Choice(
        id=question.id,
        text=question.text,
        options=tuple(options),
        right=options.index(question.right),
        category=question.category,
    )


def prompt(choice: Choice) -> str:
    """Ends with `Answer:`; the model goes on with a space and a letter."""
    options = "\n".join(
        f"{letter}. {option}" for letter, option in zip(LETTERS, choice.options, strict=False)
    )
    return f"Question: {choice.text}\n{options}\nAnswer:"
