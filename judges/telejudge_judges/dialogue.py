"""One question to a model with its one repair turn, whatever the reply is about.

    dialogue = Dialogue(client, shipped_prompt("rubric", "en"), judge="rubric 1", cache=folder)
    ending = await dialogue.hold(turn, account)
    ending.cause                  # None, or why something is still without a sound answer

A `Turn` brings the words, reads replies (keeping what was sound in them) and says whether all that
was asked is answered. Everything that asks a model about evidence asks here: verdicts
(questioner.py), rubric items and their drafts, the meta-judge. Replies are cached only when they
led to sound answers to everything; a useless one is asked for anew next time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message
from telejudge_judges.account import Account
from telejudge_judges.cache import CachedReply, ReplyCache
from telejudge_judges.codec import Problem
from telejudge_judges.prompting import Prompt

Structured = Literal["schema", "object", "off"]
"""What the server is asked to hold the model to: the reply's JSON schema, any JSON, nothing."""


class Turn(Protocol):
    """What is asked and how the reply is read."""

    @property
    def name(self) -> str:
        """What the reply's JSON schema is called."""
        ...

    @property
    def settled(self) -> bool:
        """Whether everything that was asked has a sound answer."""
        ...

    def values(self) -> Mapping[str, Any]:
        """For the prompt's template: of all that is asked, and then of what is still open."""
        ...

    def schema(self) -> dict[str, Any] | None:
        """The JSON schema of the reply that is wanted now; None where it is no JSON."""
        ...

    def read(self, text: str) -> Sequence[Problem]:
        """Keep what is sound; tell what is wrong."""
        ...


class Ending(NamedTuple):
    """What was still wrong at the end: with the last reply, or with the endpoint (its cause)."""

    problems: tuple[Problem, ...] = ()
    failed: str | None = None

    @property
    def cause(self) -> str | None:
        """A word of `EndpointError.cause` or of `codec.ProblemKind`; None when nothing is wrong."""
        return self.failed or (self.problems[0].kind if self.problems else None)

    def cause_of(self, name: str) -> str:
        """Why `name`, which has no sound answer, has none."""
        causes: dict[str | None, str] = {p.id: p.kind for p in reversed(self.problems)}
        return self.failed or causes.get(name) or causes.get(None) or "missing"


class _Said(NamedTuple):
    """A reply, and where to keep it when it has served (None: it came from the cache)."""

    reply: CachedReply
    key: str | None


class Dialogue:
    """Asks with one prompt. `judge` names code and version in the cache's keys, `cache` is a
    folder, `json_mode` another word for `structured="object"`."""

    def __init__(
        self,
        client: ChatClient,
        prompt: Prompt,
        *,
        judge: str,
        cache: Path | None = None,
        structured: Structured = "schema",
        json_mode: bool = False,
        seed: int = 0,
    ) -> None:
        self.client, self.prompt, self.judge, self.seed = client, prompt, judge, seed
        self.structured: Structured = "object" if json_mode else structured
        self._cache = None if cache is None else ReplyCache(cache)

    def messages(self, turn: Turn) -> tuple[Message, Message]:
        """What is asked: the system's and the user's message."""
        values = turn.values()
        system, user = self.prompt.system(**values), self.prompt.user(**values)
        return Message(role="system", text=system), Message(role="user", text=user)

    async def hold(self, turn: Turn, account: Account, *, repair: bool = True) -> Ending:
        """Ask; with `repair` ask once more, telling what was wrong, if the reply is not sound."""
        asked: list[Message] = [*self.messages(turn)]
        said: list[_Said] = []
        try:
            problems = await self._ask(turn, asked, said, account)
            if problems and not repair:
                account.note(f"a reply cannot be used: {problems[0]}")
                return Ending(tuple(problems))
            if problems:
                told = {**turn.values(), "problems": [str(problem) for problem in problems]}
                asked += [
                    Message(role="assistant", text=said[0].reply.text),
                    Message(role="user", text=self.prompt.repair(**told)),
                ]
                problems = await self._ask(turn, asked, said, account)
                left = "" if turn.settled else f"could not be repaired: {problems[0]}"
                account.note(f"a reply {left or 'was repaired'}")
        except EndpointError as error:
            account.note(str(error))
            return Ending(failed=error.cause)
        if turn.settled:
            self._keep(said)
        return Ending(tuple(problems))

    async def _ask(
        self, turn: Turn, messages: Sequence[Message], said: list[_Said], account: Account
    ) -> list[Problem]:
        """Add what the model says to `said`; what is wrong with it."""
        said.append(await self._complete(messages, self._format(turn), account))
        reply = said[-1].reply
        problems = list(turn.read(reply.text))
        if problems and reply.finish_reason == "length":
            what = "the reply was cut off at its length limit; be brief"
            problems.append(Problem("unparseable", None, what))
        return problems

    async def _complete(
        self, messages: Sequence[Message], wanted: Mapping[str, Any] | None, account: Account
    ) -> _Said:
        endpoint = self.client.endpoint
        sampling = {**endpoint.sampling, "seed": self.seed, "response_format": wanted}
        key = ReplyCache.key(self.judge, self.prompt.hash, endpoint.model, sampling, messages)
        known = self._cache.get(key) if self._cache is not None else None
        if known is not None:
            account.cached += 1
            return _Said(known, None)
        completion = await self.client.complete(
            messages, response_format=wanted, seed=self.seed, meter=account.meter
        )
        reply = CachedReply(
            text=completion.message.text,
            finish_reason=completion.finish_reason,
            prompt_tokens=completion.usage.prompt_tokens,
            completion_tokens=completion.usage.completion_tokens,
        )
        return _Said(reply, key)

    def _keep(self, served: Sequence[_Said]) -> None:
        for said in served:
            if self._cache is not None and said.key is not None:
                self._cache.put(said.key, said.reply)

    def _format(self, turn: Turn) -> dict[str, Any] | None:
        schema = None if self.structured == "off" else turn.schema()
        if schema is None:
            return None
        if self.structured == "object":
            return {"type": "json_object"}
        wrapped = {"name": turn.name, "strict": True, "schema": schema}
        return {"type": "json_schema", "json_schema": wrapped}


def closed_object(members: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object with exactly these members."""
    return {
        "type": "object",
        "properties": dict(members),
        "required": list(members),
        "additionalProperties": False,
    }
