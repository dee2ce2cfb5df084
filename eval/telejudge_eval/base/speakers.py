"""The model that is measured, behind one door: a folder, a GGUF file, or an endpoint.

    speaker = open_speaker("models/small", seed=0)
    speaker = open_speaker("http://127.0.0.1:8000/v1", model="qwen3-8b", seed=0)
    said = await speaker.say(system, question, max_tokens=30)
    letter = await speaker.choose(choice)

A local model chooses the letter of the highest log-likelihood, as lm-evaluation-harness does (and
with the same prompt); an endpoint is asked for a letter, which has to be found in its reply.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from telejudge_agents.protocol import AgentFactory
from telejudge_envs.client import ChatClient
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message
from telejudge_envs.teleqna_choice import LETTERS, Choice, prompt

CHOOSE = (
    "Answer the multiple-choice question with the letter of the right option, and nothing else."
)

_LETTER = re.compile(
    r"^\W*(?:the )?(?:right |correct )?(?:answer|option)?(?: is)?\W*([A-E])(?![A-Za-z])", re.I
)
_BOXED = re.compile(r"\\boxed\{\W*([A-E])\W*\}")


class Said(NamedTuple):
    """A reply; seconds are wall time."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class Speaker(Protocol):
    """`how` says in words how the model is run."""

    name: str
    how: str
    versions: dict[str, str]

    async def say(
        self, system: str, user: str, *, max_tokens: int, temperature: float = 0.0, seed: int = 0
    ) -> Said:
        """One reply. Raises EndpointError when there is none."""
        ...

    async def choose(self, choice: Choice) -> tuple[int | None, Said]:
        """The place of the chosen option; None when the reply names none."""
        ...

    def agents(self, max_tokens: int) -> AgentFactory:
        """The model as an agent, greedy."""
        ...


def open_speaker(
    where: str,
    *,
    model: str | None = None,
    api_key: str | None = None,
    timeout: float = 120.0,
    seed: int = 0,
    name: str | None = None,
) -> Speaker:
    """Raises UsageError when there is no such folder or file, or an endpoint has no model name."""
    if where.startswith(("http://", "https://")):
        if model is None:
            raise UsageError("an endpoint needs --model, the model's name there")
        return EndpointSpeaker(where, model, api_key=api_key, timeout=timeout, seed=seed, name=name)
    from telejudge_eval.base.local_speaker import LocalSpeaker

    return LocalSpeaker(Path(where), name=name)


class EndpointSpeaker:
    """A model at an OpenAI-compatible endpoint."""

    how = "at an OpenAI-compatible endpoint; options are asked for as a letter"

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None,
        timeout: float,
        seed: int,
        name: str | None,
    ) -> None:
        from importlib import metadata

        from telejudge_envs.endpoint import Endpoint

        self.name = name or model
        self.versions = {"aiohttp": metadata.version("aiohttp"), "model": model}
        self._endpoint = Endpoint(
            base_url=base_url,
            model=model,
            api_key=api_key,
            timeout_s=timeout,
            deadline_s=2 * timeout,
            max_retries=1,
        )
        self._seed = seed

    async def say(
        self, system: str, user: str, *, max_tokens: int, temperature: float = 0.0, seed: int = 0
    ) -> Said:
        client = self._client(max_tokens, temperature)
        asked = [Message(role="system", text=system), Message(role="user", text=user)]
        started = time.perf_counter()
        done = await client.complete(asked, seed=self._seed + seed)
        usage = done.usage
        return Said(
            done.message.text,
            usage.prompt_tokens,
            usage.completion_tokens,
            time.perf_counter() - started,
        )

    async def choose(self, choice: Choice) -> tuple[int | None, Said]:
        said = await self.say(CHOOSE, prompt(choice), max_tokens=8)
        return letter_in(said.text, len(choice.options)), said

    def agents(self, max_tokens: int) -> AgentFactory:
        from telejudge_agents.chat import ChatAgents

        return ChatAgents(self._client(max_tokens, 0.0), name=self.name, length_retries=0)

    def _client(self, max_tokens: int, temperature: float) -> ChatClient:
        sampling: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature}
        return ChatClient(self._endpoint.model_copy(update={"sampling": sampling}))


def letter_in(reply: str, options: int) -> int | None:
    """The place of the option that a reply names; None for none, or for one that is not there."""
    found = _BOXED.search(reply) or _LETTER.search(reply.strip())
    place = LETTERS.index(found[1].upper()) if found else options
    return place if place < options else None
