"""Opinions of judges on one trajectory: how a meta-judge is asked about them, and what it answers.

turn = OpinionTurn(evidence, {"k7qm": opinion_of(verdict)})
problems = turn.read('{"opinions": {"k7qm": {"reason": "step 3 shows it", "supported": true}}}')
turn.supported["k7qm"]        # absent while something is wrong
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telejudge_envs.nouns.verdict import Verdict
from telejudge_judges.codec import Problem
from telejudge_judges.codecs.checks import shown_value
from telejudge_judges.dialogue import closed_object
from telejudge_judges.evidence import compact
from telejudge_judges.named_answers import read_named
from telejudge_judges.render import Evidence

MEANS: Mapping[str, bool] = {
    **{"true": True, "false": False, "yes": True, "no": False},
    **{"是": True, "否": False},
}
"""Spellings that mean one thing only."""

LONGEST = 200
"""Characters kept of a reason."""


def opinion_of(verdict: Verdict) -> str:
    """What a verdict says of its trajectory, as JSON on one line: the same for equal opinions."""
    defects = [{k: v for k, v in d.model_dump().items() if v != ""} for d in verdict.defects]
    return compact({"answer": verdict.answer, "tools": verdict.tools, "defects": defects})


class OpinionTurn:
    """Implements Turn. `opinions` by their opaque ids, in the order shown."""

    name = "opinions"

    def __init__(self, evidence: Evidence, opinions: Mapping[str, str]) -> None:
        self.evidence, self.opinions = evidence, opinions
        self.supported: dict[str, bool] = {}
        self.reasons: dict[str, str] = {}

    @property
    def open(self) -> list[str]:
        """Ids without a sound answer."""
        return [name for name in self.opinions if name not in self.supported]

    @property
    def settled(self) -> bool:
        return not self.open

    @property
    def wanted(self) -> list[str]:
        """Ids that the next reply is to answer."""
        return self.open or list(self.opinions)

    def values(self) -> dict[str, Any]:
        fence = self.evidence.nonce
        lines = [f"{name}: {opinion}" for name, opinion in self.opinions.items()]
        return {
            "fence": fence,
            "evidence": self.evidence.text,
            "opinions": "\n".join([f"<data-{fence} opinions>", *lines, f"</data-{fence}>"]),
            "reference": self.evidence.reference,
            "ids": self.wanted,
        }

    def schema(self) -> dict[str, Any]:
        ruling = closed_object({"reason": {"type": "string"}, "supported": {"type": "boolean"}})
        return closed_object({"opinions": closed_object(dict.fromkeys(self.wanted, ruling))})

    def read(self, text: str) -> list[Problem]:
        return read_named(text, "opinions", known=self.opinions, wanted=self.open, take=self._take)

    def _take(self, name: str, given: dict[str, object]) -> Problem | None:
        supported, reason = given.get("supported"), given.get("reason")
        if isinstance(supported, str):
            supported = MEANS.get(supported.strip().lower(), supported)
        if not isinstance(supported, bool):
            what = f'"{name}".supported must be true or false, got {shown_value(supported)}'
            return Problem("wrong_type", name, what)
        self.supported[name] = supported
        self.reasons[name] = reason[:LONGEST] if isinstance(reason, str) else ""
        return None
