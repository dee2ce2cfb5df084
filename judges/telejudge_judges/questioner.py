"""Verdicts of a generative judge: evidence in, an entry or a cause for each candidate out.

    questioner = Questioner(inquiry.dialogue, "json", language="en")
    said = await questioner.ask(evidence, account)
    said["k7qm"]      # an Entry, or the word for why there is none

One call, and one repair turn when something is wrong with the reply (dialogue.py). `codec` is the
verdict format; where it has a JSON schema the server is asked to keep to it.
"""

from __future__ import annotations

from typing import Any

from telejudge_judges.account import Account
from telejudge_judges.codec import Codec, Entry, Problem, Shown, codec_named
from telejudge_judges.detectors.catalogue import WEIGHTS
from telejudge_judges.dialogue import Dialogue
from telejudge_judges.opaque import digest
from telejudge_judges.prompting import FormatWords
from telejudge_judges.render import Evidence

KINDS = (*WEIGHTS, "other")
"""Kinds of defects that the prompt offers: the verifier's names, so that both can be compared."""


class Questioner:
    """Asks for verdicts in one format. `language` is that of the format's words, which the prompt's
    template finds in `instruction` and `again`. Raises UsageError for a format that is unknown."""

    def __init__(
        self, dialogue: Dialogue, codec: str | Codec = "json", *, language: str = "en"
    ) -> None:
        self.dialogue = dialogue
        self.codec: Codec = codec_named(codec) if isinstance(codec, str) else codec
        self._words = FormatWords.load(self.codec.name, language)

    @property
    def fingerprint(self) -> str:
        """Of how verdicts are asked for."""
        return digest(self.codec.name, self._words.source, *KINDS)

    async def ask(
        self, evidence: Evidence, account: Account, *, repair: bool = True
    ) -> dict[str, Entry | str]:
        """By id: an Entry, or the cause of its absence (an endpoint's, or a ProblemKind).

        Without `repair` a reply is taken as it is.
        """
        turn = VerdictTurn(evidence, self.codec, self._words)
        ending = await self.dialogue.hold(turn, account, repair=repair)
        return {name: turn.entries.get(name) or ending.cause_of(name) for name in turn.shown}


class VerdictTurn:
    """Implements Turn: collects sound entries; a second reply is asked for the others alone."""

    name = "verdicts"

    def __init__(self, evidence: Evidence, codec: Codec, words: FormatWords) -> None:
        self.evidence, self.codec, self.words = evidence, codec, words
        self.shown: Shown = {name: c.calls for name, c in evidence.candidates.items()}
        self.entries: dict[str, Entry] = {}

    @property
    def settled(self) -> bool:
        return all(name in self.entries for name in self.shown)

    @property
    def wanted(self) -> Shown:
        """The candidates whose verdicts the next reply is to hold."""
        left = {name: calls for name, calls in self.shown.items() if name not in self.entries}
        return left or self.shown

    def values(self) -> dict[str, Any]:
        wanted = self.wanted
        return {
            "fence": self.evidence.nonce,
            "evidence": self.evidence.text,
            "reference": self.evidence.reference,
            "kinds": KINDS,
            "ids": list(wanted),
            **self.words.values(wanted, KINDS),
        }

    def schema(self) -> dict[str, Any] | None:
        return self.codec.schema(self.wanted, KINDS)

    def read(self, text: str) -> list[Problem]:
        reading = self.codec.read(text, self.wanted)
        self.entries |= reading.entries
        return reading.problems
