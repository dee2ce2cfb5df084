"""Where a model lives and how it is to be asked: data, no behaviour.

    Endpoint(base_url="http://127.0.0.1:8000/v1", model="qwen3-8b", sampling={"temperature": 0})

The key is never printed and never stored: `model_dump()` leaves it out.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.base import Noun
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Usage

KEY_VARIABLES = ("TELEJUDGE_API_KEY", "OPENAI_API_KEY")
RESERVED = {"model", "messages", "tools", "stream", "n", "response_format"}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Prices(Noun):
    """What a million tokens cost, in US dollars."""

    prompt: float = Field(default=0.0, ge=0)
    completion: float = Field(default=0.0, ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Prompt tokens that the server had in its cache; None: as much as others."""

    def cost(self, prompt: int, completion: int, cached: int = 0) -> float:
        """Dollars for so many tokens; `cached` of the prompt's were in the cache."""
        kept = self.prompt if self.cached is None else self.cached
        fresh = max(0, prompt - cached)
        return (fresh * self.prompt + cached * kept + completion * self.completion) / 1e6


class Endpoint(Noun):
    """An OpenAI-compatible chat endpoint.

    Sampling parameters that the `openai` package does not know (`top_k`, `chat_template_kwargs`,
    …) are sent along in the body, as vLLM and SGLang expect.
    """

    base_url: str
    """Up to and including `/v1`."""
    model: str
    api_key: str | None = Field(default=None, repr=False, exclude=True)
    """None: taken from TELEJUDGE_API_KEY, else OPENAI_API_KEY, else "none" (local servers)."""
    timeout_s: float = Field(default=120.0, gt=0)
    """For one attempt, from connecting to the last byte."""
    deadline_s: float = Field(default=600.0, gt=0)
    """For all attempts of one completion together, waits between them included."""
    max_retries: int = Field(default=4, ge=0)
    """Attempts after the first."""
    concurrency: int = Field(default=8, ge=1)
    """Completions under way at once; a retrying one keeps its place, so the load falls with it."""
    breaker_after: int = Field(default=5, ge=0)
    """Completions failing in a row after which the endpoint is left alone; 0: never."""
    breaker_cooldown_s: float = Field(default=30.0, ge=0)
    """For so long; then one completion is tried, and the others when it succeeds."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Completions begun in a minute at most, evenly spread; None: as many as there are places."""
    stream: bool = False
    """Whether answers are asked for as a stream: some proxies cut connections that are silent."""
    prices: Prices | None = None
    sampling: dict[str, Any] = Field(default_factory=dict)
    send_seed: bool = True
    """Some servers refuse the parameter `seed`; then set this to False."""

    @field_validator("base_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"base_url must look like http://host:port/v1, got {value!r}")
        return value.rstrip("/")

    @field_validator("sampling")
    @classmethod
    def _only_sampling(cls, value: dict[str, Any]) -> dict[str, Any]:
        wrong = sorted(RESERVED & set(value))
        if wrong:
            raise ValueError(f"not sampling parameters: {', '.join(wrong)}; the client sets them")
        return value

    @property
    def is_loopback(self) -> bool:
        return urlsplit(self.base_url).hostname in LOOPBACK

    def key(self) -> str:
        """The key to send. Raises UsageError for an empty one given on purpose."""
        if self.api_key is not None:
            if not self.api_key.strip():
                raise UsageError("api_key is empty; leave it out, or give 'none' for no key")
            return self.api_key
        return next((os.environ[v] for v in KEY_VARIABLES if os.environ.get(v)), "none")


class Completion(Noun):
    """One answer of a model. `logprobs` only when `sampling` asked for them.

    `usage` counts this completion alone: requests made, retries among them, tokens, seconds.
    """

    message: Message
    usage: Usage
    finish_reason: str
    retries: int = 0
    logprobs: tuple[float, ...] | None = None


class Meter:
    """Adds up usage: of an agent's episode, of a judge's group, of a whole client.

    Pass one to `ChatClient.complete`: it counts failed requests too, which no Completion reports.
    """

    def __init__(self) -> None:
        self.usage = Usage()

    def add(self, **amounts: float) -> None:
        """`meter.add(requests=1, seconds=0.5)`; names are fields of Usage."""
        now = {name: getattr(self.usage, name) + amount for name, amount in amounts.items()}
        self.usage = self.usage.model_copy(update=now)
