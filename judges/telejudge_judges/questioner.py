"""One question to a generative judge: evidence in, an entry or a cause for each candidate out.

    said = await Questioner(client, Prompt.load("en"), judge="listwise 1").ask(evidence, Account())
    said["k7qm"]      # an Entry, or the word for why there is none

One call, and one repair turn when something is wrong with the reply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Meter
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message
from telejudge_judges.cache import CachedReply, ReplyCache
from telejudge_judges.codec import Entry, Problem, Reading, parse_reply
from telejudge_judges.detectors.catalogue import WEIGHTS
from telejudge_judges.prompting import Prompt
from telejudge_judges.render import Evidence

KINDS = (*WEIGHTS, "other")
"""Kinds of defects that the prompt offers: the verifier's names, so that both can be compared."""


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
    """Asks with one prompt. `judge` names code and version in the cache's keys."""

    def __init__(
        self,
        client: ChatClient,
        prompt: Prompt,
        *,
        judge: str,
        cache: ReplyCache | None = None,
        json_mode: bool = False,
        seed: int = 0,
    ) -> None:
        self.client, self.prompt, self.judge = client, prompt, judge
        self.cache, self.seed = cache, seed
        self._response_format = {"type": "json_object"} if json_mode else None

    async def ask(self, evidence: Evidence, account: Account) -> dict[str, Entry | str]:
        """By id: an Entry, or the cause of its absence (an endpoint's, or a ProblemKind)."""
        ids = list(evidence.candidates)
        calls = {name: c.calls for name, c in evidence.candidates.items()}
        values = {"fence": evidence.nonce, "evidence": evidence.text, "kinds": KINDS}
        asked = [
            Message(role="system", text=self.prompt.system(**values, ids=ids)),
            Message(role="user", text=self.prompt.user(**values, ids=ids)),
        ]
        try:
            said = await self._complete(asked, account)
        except EndpointError as error:
            account.note(str(error))
            return dict.fromkeys(ids, error.cause)
        first = _read(said.reply, calls)
        if not first.problems:
            self._keep(said)
            return dict(first.entries)
        wanted = [i for i in ids if i not in first.entries] or ids
        problems = [str(p) for p in first.problems]
        repair = self.prompt.repair(**values, ids=wanted, problems=problems)
        asked += [
            Message(role="assistant", text=said.reply.text),
            Message(role="user", text=repair),
        ]
        try:
            again = await self._complete(asked, account)
        except EndpointError as error:
            account.note(str(error))
            return {i: first.entries.get(i, error.cause) for i in ids}
        second = _read(again.reply, {i: calls[i] for i in wanted})
        settled = _settled(ids, {**first.entries, **second.entries}, second.problems)
        missing = sum(isinstance(said, str) for said in settled.values())
        if missing:
            account.note(f"a reply could not be repaired: {second.problems[0]}")
        else:
            account.note("a reply was repaired")
            self._keep(said, again)
        return settled

    async def _complete(self, messages: Sequence[Message], account: Account) -> _Said:
        key = self._key(messages)
        known = self.cache.get(key) if self.cache else None
        if known is not None:
            account.cached += 1
            return _Said(known, None)
        completion = await self.client.complete(
            messages,
            response_format=self._response_format,
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

    def _key(self, messages: Sequence[Message]) -> str:
        endpoint = self.client.endpoint
        sampling = {
            **endpoint.sampling,
            "seed": self.seed,
            "response_format": self._response_format,
        }
        return ReplyCache.key(self.judge, self.prompt.hash, endpoint.model, sampling, messages)

    def _keep(self, *served: _Said) -> None:
        """Store replies that led to entries for all; a useless one is asked for anew next time."""
        for said in served:
            if self.cache is not None and said.key is not None:
                self.cache.put(said.key, said.reply)


def _read(reply: CachedReply, calls: Mapping[str, int]) -> Reading:
    reading = parse_reply(reply.text, calls)
    if reading.problems and reply.finish_reason == "length":
        reading.spoil("unparseable", None, "the reply was cut off at its length limit; be brief")
    return reading


def _settled(
    ids: Sequence[str], entries: Mapping[str, Entry], problems: Sequence[Problem]
) -> dict[str, Entry | str]:
    """An entry for each id, or the kind of the problem that spoils it."""
    causes = {p.id: p.kind for p in reversed(problems)}
    return {i: entries.get(i) or causes.get(i) or causes.get(None) or "missing" for i in ids}
