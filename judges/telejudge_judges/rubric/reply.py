"""Rubric items about one trajectory: how they are asked, and what a model answers, read strictly.

    turn = ItemTurn(items, evidence, calls=7)
    problems = turn.read('{"items": {"q1": {"verdict": "yes", "step": 3}, …}}')
    turn.answers["q1"].verdict        # "yes", "no" or "na"; absent while something is wrong

Fences, prose and thinking around the JSON are tolerated; inside it nothing is guessed. A second
reply (to a repair request) fills what the first left open and cannot change what was sound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from telejudge_judges.codec import Problem
from telejudge_judges.codecs.checks import shown_value
from telejudge_judges.dialogue import closed_object
from telejudge_judges.named_answers import read_named
from telejudge_judges.render import Evidence
from telejudge_judges.rubric.items import RubricItem

VERDICTS: Mapping[str, Literal["yes", "no", "na"]] = {
    **{"yes": "yes", "no": "no", "na": "na"},
    **{"true": "yes", "false": "no", "n/a": "na", "not applicable": "na"},
    **{"是": "yes", "否": "no", "不适用": "na"},
}
"""Spellings that mean one thing only."""


class Answer(NamedTuple):
    """One item's answer. `step` is the call that shows it, None for the whole trajectory."""

    verdict: Literal["yes", "no", "na"]
    step: int | None = None
    reason: str = ""


class ItemTurn:
    """Implements Turn. Items get the names q1, q2, … in their order."""

    name = "items"

    def __init__(self, items: Sequence[RubricItem], evidence: Evidence, calls: int) -> None:
        self.items = {f"q{n}": item for n, item in enumerate(items, start=1)}
        self.evidence, self.calls = evidence, calls
        self.answers: dict[str, Answer] = {}

    @property
    def open(self) -> list[str]:
        """Names of the items without a sound answer."""
        return [name for name in self.items if name not in self.answers]

    @property
    def settled(self) -> bool:
        return not self.open

    @property
    def wanted(self) -> list[str]:
        """Names of the items that the next reply is to answer."""
        return self.open or list(self.items)

    @property
    def by_id(self) -> dict[str, Answer]:
        """Answers by item id."""
        return {self.items[name].id: answer for name, answer in self.answers.items()}

    def values(self) -> dict[str, Any]:
        return {
            "fence": self.evidence.nonce,
            "evidence": self.evidence.text,
            "reference": self.evidence.reference,
            "items": [(name, item.text) for name, item in self.items.items()],
            "names": self.wanted,
        }

    def schema(self) -> dict[str, Any]:
        answer = closed_object(
            {
                "verdict": {"type": "string", "enum": ["yes", "no", "na"]},
                "step": {"type": ["integer", "null"]},
                "reason": {"type": "string"},
            }
        )
        return closed_object({"items": closed_object(dict.fromkeys(self.wanted, answer))})

    def read(self, text: str) -> list[Problem]:
        """Read a reply; the problems are what is wrong with it and still matters."""
        return read_named(text, "items", known=self.items, wanted=self.open, take=self._take)

    def _take(self, name: str, given: dict[str, object]) -> Problem | None:
        said, step, reason = given.get("verdict"), given.get("step"), given.get("reason", "")
        verdict = VERDICTS.get(str(said).strip().lower())
        if verdict is None:
            what = f'"{name}".verdict must be "yes", "no" or "na", got {shown_value(said)}'
            return Problem("wrong_type", name, what)
        if step is not None and (isinstance(step, bool) or not isinstance(step, int)):
            what = f'"{name}".step must be a step number or null, got {shown_value(step)}'
            return Problem("wrong_type", name, what)
        if step is not None and not 0 <= step < self.calls:
            last = f"0 to {self.calls - 1}" if self.calls else "none, so null"
            what = f'"{name}".step is {shown_value(step)}, but the steps are {last}'
            return Problem("out_of_range", name, what)
        kept = reason[:500] if isinstance(reason, str) else ""
        self.answers[name] = Answer(verdict, step, kept)
        return None
