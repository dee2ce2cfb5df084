"""One question with its one repair turn, whatever the reply is about.

    dialogue = Dialogue(client, shipped_prompt("rubric", "en"), judge="rubric 1", cache=cache)
    cause = await dialogue.hold(turn, account)

A `Turn` brings the words, reads replies (keeping what was sound in them) and says what is still
wanted. None comes back when nothing is wrong in the end, else the cause: a word of
`EndpointError.cause` or of `codec.ProblemKind`. Replies are cached only when they led to a sound
end, as the questioner of the other generative judges does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.message import Message
from telejudge_judges.cache import CachedReply, ReplyCache
from telejudge_judges.codec import Problem
from telejudge_judges.prompting import Prompt
from telejudge_judges.questioner import Account, Structured


class Turn(Protocol):
    """What is asked and how the reply is read."""

    def values(self) -> Mapping[str, Any]:
        """For the prompt's template: of all that is asked, and then of what is still open."""
        ...

    def schema(self) -> dict[str, Any]:
        """The JSON schema of the reply that is wanted now."""
        ...

    def read(self, text: str) -> Sequence[Problem]:
        """Keep what is sound; tell what is wrong."""
        ...


class Dialogue:
    """Asks with one prompt. `judge` names code and version in the cache's keys."""

    def __init__(
        self,
        client: ChatClient,
        prompt: Prompt,
        *,
        judge: str,
        cache: ReplyCache | None = None,
        structured: Structured = "schema",
        seed: int = 0,
    ) -> None:
        self.client, self.prompt, self.judge = client, prompt, judge
        self.cache, self.structured, self.seed = cache, structured, seed

    async def hold(self, turn: Turn, account: Account) -> str | None:
        """Ask; ask once more, telling what was wrong, if the reply is not sound."""
        values = turn.values()
        asked = [
            Message(role="system", text=self.prompt.system(**values)),
            Message(role="user", text=self.prompt.user(**values)),
        ]
        served: list[tuple[str, CachedReply]] = []
        try:
            problems, reply = await self._ask(turn, asked, served, account)
            if problems:
                told = {**turn.values(), "problems": [str(problem) for problem in problems]}
                asked += [
                    Message(role="assistant", text=reply.text),
                    Message(role="user", text=self.prompt.repair(**told)),
                ]
                problems, _ = await self._ask(turn, asked, served, account)
                left = f"could not be repaired: {problems[0]}" if problems else "was repaired"
                account.note(f"a reply {left}")
        except EndpointError as error:
            account.note(str(error))
            return error.cause
        if problems:
            return problems[0].kind
        for key, reply in served:
            if self.cache is not None:
                self.cache.put(key, reply)
        return None

    async def _ask(
        self,
        turn: Turn,
        messages: Sequence[Message],
        served: list[tuple[str, CachedReply]],
        account: Account,
    ) -> tuple[list[Problem], CachedReply]:
        reply = await self._complete(messages, self._format(turn), served, account)
        problems = list(turn.read(reply.text))
        if problems and reply.finish_reason == "length":
            what = "the reply was cut off at its length limit; be brief"
            problems.append(Problem("unparseable", None, what))
        return problems, reply

    async def _complete(
        self,
        messages: Sequence[Message],
        wanted: Mapping[str, Any] | None,
        served: list[tuple[str, CachedReply]],
        account: Account,
    ) -> CachedReply:
        """The reply; a new one is added to `served` with the key it is to be kept under."""
        endpoint = self.client.endpoint
        sampling = {**endpoint.sampling, "seed": self.seed, "response_format": wanted}
        key = ReplyCache.key(self.judge, self.prompt.hash, endpoint.model, sampling, messages)
        known = self.cache.get(key) if self.cache is not None else None
        if known is not None:
            account.cached += 1
            return known
        completion = await self.client.complete(
            messages, response_format=wanted, seed=self.seed, meter=account.meter
        )
        reply = CachedReply(
            text=completion.message.text,
            finish_reason=completion.finish_reason,
            prompt_tokens=completion.usage.prompt_tokens,
            completion_tokens=completion.usage.completion_tokens,
        )
        served.append((key, reply))
        return reply

    def _format(self, turn: Turn) -> dict[str, Any] | None:
        if self.structured == "off":
            return None
        if self.structured == "object":
            return {"type": "json_object"}
        wrapped = {"name": "items", "strict": True, "schema": turn.schema()}
        return {"type": "json_schema", "json_schema": wrapped}


def closed_object(members: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object with exactly these members."""
    return {
        "type": "object",
        "properties": dict(members),
        "required": list(members),
        "additionalProperties": False,
    }
