"""One question to a generative judge: evidence in, an entry or a cause for each candidate out.

    said = await Questioner(client, Prompt.load("en"), judge="listwise 1").ask(evidence, Account())
    said["k7qm"]      # an Entry, or the word for why there is none

One call, and one repair turn when something is wrong with the reply. `codec` is the verdict format;
where it has a JSON schema the server is asked to keep to it (`structured`), and one that cannot is
asked for plain text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Meter
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message
from telejudge_judges.cache import CachedReply, ReplyCache
from telejudge_judges.codec import Codec, Entry, Problem, Reading, Shown, codec_named
from telejudge_judges.detectors.catalogue import WEIGHTS
from telejudge_judges.prompting import FormatWords, Prompt
from telejudge_judges.render import Evidence

KINDS = (*WEIGHTS, "other")
"""Kinds of defects that the prompt offers: the verifier's names, so that both can be compared."""

Structured = Literal["schema", "object", "off"]
"""What the server is asked to hold the model to: the format's JSON schema, any JSON, nothing."""


@dataclass
class Account:
    """What judging one group cost, and what is worth a note."""

    meter: Meter = field(default_factory=Meter)
    cached: int = 0
    notes: dict[str, None] = field(default_factory=dict)

    def note(self, *texts: str) -> None:
        """Add notes, each text once."""
        self.notes.update(dict.fromkeys(texts))


class _Said(NamedTuple):
    """A reply, and where to keep it when it has served (None: it came from the cache)."""

    reply: CachedReply
    key: str | None


class Questioner:
    """Asks with one prompt. `judge` names code and version in the cache's keys. `language` is that
    of the format's words, which the prompt's template finds in `instruction` and `again`.
    `json_mode` is another word for `structured="object"`."""

    def __init__(
        self,
        client: ChatClient,
        prompt: Prompt,
        *,
        judge: str,
        cache: ReplyCache | None = None,
        json_mode: bool = False,
        seed: int = 0,
        codec: str | Codec = "json",
        language: str = "en",
        structured: Structured = "schema",
    ) -> None:
        self.client, self.prompt, self.judge = client, prompt, judge
        self.cache, self.seed = cache, seed
        self.codec: Codec = codec_named(codec) if isinstance(codec, str) else codec
        self._words = FormatWords.load(self.codec.name, language)
        self._structured: Structured = "object" if json_mode else structured

    async def ask(
        self, evidence: Evidence, account: Account, *, repair: bool = True
    ) -> dict[str, Entry | str]:
        """By id: an Entry, or the cause of its absence (an endpoint's, or a ProblemKind).

        Without `repair` a reply is taken as it is.
        """
        ids = list(evidence.candidates)
        shown = {name: c.calls for name, c in evidence.candidates.items()}
        values = self._values(evidence, shown)
        asked = [
            Message(role="system", text=self.prompt.system(**values)),
            Message(role="user", text=self.prompt.user(**values)),
        ]
        try:
            said = await self._complete(asked, shown, account)
        except EndpointError as error:
            account.note(str(error))
            return dict.fromkeys(ids, error.cause)
        first = self._read(said.reply, shown)
        if not first.problems:
            self._keep(said)
            return dict(first.entries)
        if not repair:
            account.note(f"a reply cannot be used: {first.problems[0]}")
            return _settled(ids, first.entries, first.problems)
        left = {i: shown[i] for i in ids if i not in first.entries} or shown
        problems = [str(p) for p in first.problems]
        wish = self.prompt.repair(**self._values(evidence, left), problems=problems)
        asked += [
            Message(role="assistant", text=said.reply.text),
            Message(role="user", text=wish),
        ]
        try:
            again = await self._complete(asked, left, account)
        except EndpointError as error:
            account.note(str(error))
            return {i: first.entries.get(i, error.cause) for i in ids}
        second = self._read(again.reply, left)
        settled = _settled(ids, {**first.entries, **second.entries}, second.problems)
        missing = sum(isinstance(said, str) for said in settled.values())
        if missing:
            account.note(f"a reply could not be repaired: {second.problems[0]}")
        else:
            account.note("a reply was repaired")
            self._keep(said, again)
        return settled

    def _values(self, evidence: Evidence, shown: Shown) -> dict[str, Any]:
        """What the prompt's template may use."""
        return {
            "fence": evidence.nonce,
            "evidence": evidence.text,
            "reference": evidence.reference,
            "kinds": KINDS,
            "ids": list(shown),
            **self._words.values(shown, KINDS),
        }

    def _response_format(self, shown: Shown) -> dict[str, Any] | None:
        schema = None if self._structured == "off" else self.codec.schema(shown, KINDS)
        if schema is None:
            return None
        if self._structured == "object":
            return {"type": "json_object"}
        wrapped = {"name": "verdicts", "strict": True, "schema": schema}
        return {"type": "json_schema", "json_schema": wrapped}

    def _read(self, reply: CachedReply, shown: Shown) -> Reading:
        reading = self.codec.read(reply.text, shown)
        if reading.problems and reply.finish_reason == "length":
            detail = "the reply was cut off at its length limit; be brief"
            reading.spoil("unparseable", None, detail)
        return reading

    async def _complete(self, messages: Sequence[Message], shown: Shown, account: Account) -> _Said:
        wanted = self._response_format(shown)
        key = self._key(messages, wanted)
        known = self.cache.get(key) if self.cache else None
        if known is not None:
            account.cached += 1
            return _Said(known, None)
        completion = await self.client.complete(
            messages,
            response_format=wanted,
            seed=self.seed,
            meter=account.meter,
        )
        reply = CachedReply(
            text=completion.message.text,
            finish_reason=completion.finish_reason,
            prompt_tokens=completion.usage.prompt_tokens,
            completion_tokens=completion.usage.completion_tokens,
        )
        return _Said(reply, key)

    def _key(self, messages: Sequence[Message], wanted: Mapping[str, Any] | None) -> str:
        endpoint = self.client.endpoint
        sampling = {**endpoint.sampling, "seed": self.seed, "response_format": wanted}
        return ReplyCache.key(self.judge, self.prompt.hash, endpoint.model, sampling, messages)

    def _keep(self, *served: _Said) -> None:
        """Store replies that led to entries for all; a useless one is asked for anew next time."""
        for said in served:
            if self.cache is not None and said.key is not None:
                self.cache.put(said.key, said.reply)


def _settled(
    ids: Sequence[str], entries: Mapping[str, Entry], problems: Sequence[Problem]
) -> dict[str, Entry | str]:
    """An entry for each id, or the kind of the problem that spoils it."""
    causes = {p.id: p.kind for p in reversed(problems)}
    return {i: entries.get(i) or causes.get(i) or causes.get(None) or "missing" for i in ids}
