"""Verdicts of a generative judge: evidence in, an entry or a cause for each candidate out.

    questioner = Questioner(inquiry.dialogue, "json", language="en")
    said = await questioner.ask(evidence, account)
    said["k7qm"]      # an Entry, or the word for why there is none

One call, and one repair turn when something is wrong with the reply (dialogue.py). `codec` is the
verdict format; where it has a JSON schema the server is asked to keep to it.
"""

from __future__ import annotations

from typing import Any, Protocol

from telejudge_envs.nouns.message import Message
from telejudge_judges.account import Account
from telejudge_judges.codec import Codec, Entry, Problem, Shown, codec_named
from telejudge_judges.detectors.catalogue import WEIGHTS
from telejudge_judges.dialogue import Dialogue
from telejudge_judges.opaque import digest
from telejudge_judges.prompting import FormatWords
from telejudge_judges.render import Evidence

KINDS = (*WEIGHTS, "other")
"""Kinds of defects that the prompt offers: the verifier's names, so that both can be compared."""


class Asks(Protocol):
    """What judges need of a questioner; one that only writes down what is asked makes data sets."""

    @property
    def codec(self) -> Codec: ...

    def messages(self, evidence: Evidence) -> tuple[Message, Message]:
        """What is asked about the evidence: the system's and the user's message."""
        ...

    async def ask(
        self, evidence: Evidence, account: Account, *, repair: bool = True
    ) -> dict[str, Entry | str]:
        """By id: an Entry, or the cause of its absence (an endpoint's, or a ProblemKind).

        Without `repair` a reply is taken as it is.
        """
        ...


class Questioner:
    """Implements Asks, for verdicts in one format. `language` is that of the format's words, which
    the prompt's template finds in `instruction` and `again`. Raises UsageError for a format that is
    unknown."""

    def __init__(
        self, dialogue: Dialogue, codec: str | Codec = "json", *, language: str = "en"
    ) -> None:
        self.dialogue = dialogue
        self._codec: Codec = codec_named(codec) if isinstance(codec, str) else codec
        self._words = FormatWords.load(self._codec.name, language)

    @property
    def codec(self) -> Codec:
        return self._codec

    @property
    def fingerprint(self) -> str:
        """Of how verdicts are asked for."""
        return digest(self._codec.name, self._words.source, *KINDS)

    def messages(self, evidence: Evidence) -> tuple[Message, Message]:
        return self.dialogue.messages(self._turn(evidence))

    async def ask(
        self, evidence: Evidence, account: Account, *, repair: bool = True
    ) -> dict[str, Entry | str]:
        turn = self._turn(evidence)
        ending = await self.dialogue.hold(turn, account, repair=repair)
        return {name: turn.entries.get(name) or ending.cause_of(name) for name in turn.shown}

    def _turn(self, evidence: Evidence) -> VerdictTurn:
        return VerdictTurn(evidence, self._codec, self._words)


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
