"""What went wrong at an endpoint, and whether and when to ask again.

A `Trouble` comes in from the transport, an `EndpointError` goes out when patience ends.
Waits grow exponentially with jitter from a seeded generator and honour Retry-After.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from telejudge_envs.errors import MissingExtraError

RETRIED_STATUS = (408, 409, 429)
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0

ADVICE = {
    "timeout": "raise timeout_s or deadline_s, or lower the concurrency",
    "rate_limited": "lower the concurrency, raise deadline_s, or check the quota",
    "server_error": "look at the server's log",
    "connection": "check base_url and that the server is up",
    "bad_request": "check the model name, sampling parameters and message format",
    "auth": "set TELEJUDGE_API_KEY to a key that may use this model",
    "context_overflow": "send less (a smaller evidence budget) or use a model with more context",
    "bad_response": "check that base_url ends in /v1 and that the server speaks OpenAI's chat API",
    "refused": "the model declined this content; use another model",
    "circuit_open": "it is asked again after breaker_cooldown_s; look at the earlier errors",
}
"""For each cause of an EndpointError, what to do."""

_SICK = frozenset({"timeout", "rate_limited", "server_error", "connection", "bad_response"})

_OVERFLOW = re.compile(
    r"context_length|context length|maximum context|context window|context size"
    r"|prompt is too long|too many tokens|longer than the maximum",
    re.IGNORECASE,
)


class Trouble(Exception):
    """One failed attempt."""

    def __init__(
        self,
        cause: str,
        what: str,
        *,
        again: bool = False,
        after: float | None = None,
        tokens: tuple[int, int] = (0, 0),
        status: int | None = None,
    ) -> None:
        super().__init__(what)
        self.cause = cause
        self.what = what
        self.again = again
        """Whether another attempt may help."""
        self.after = after
        """Seconds that the server asked us to wait."""
        self.tokens = tokens
        """Prompt and completion tokens that the attempt cost all the same."""
        self.status = status
        """The HTTP status, where the server gave one."""

    @property
    def is_sickness(self) -> bool:
        """Whether it speaks of the endpoint's health, not of what it was asked."""
        return self.cause in _SICK


def status_trouble(status: int, body: str, headers: Mapping[str, str]) -> Trouble:
    """What an HTTP status other than 2xx means; `body` is quoted in the message."""
    what = f"answered {status}: {_excerpt(body)}"
    if status == 429:
        spent = "insufficient_quota" in body
        after = retry_after(headers)
        return Trouble("rate_limited", what, again=not spent, after=after, status=status)
    if status >= 500 or status in RETRIED_STATUS:
        cause = "timeout" if status in (408, 504) else "server_error"
        return Trouble(cause, what, again=True, after=retry_after(headers), status=status)
    if status in (401, 403):
        return Trouble("auth", what, status=status)
    if status == 413 or _OVERFLOW.search(body):
        return Trouble("context_overflow", what, status=status)
    return Trouble("bad_request", what, status=status)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait by `Retry-After` (seconds or HTTP date); None when absent or nonsense."""
    given = headers.get("retry-after")
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        try:
            until = parsedate_to_datetime(given)
        except ValueError:
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        seconds = (until - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if seconds < float("inf") else None


def wait_before(attempt: int, trouble: Trouble, rng: random.Random) -> float:
    """Seconds before attempt `attempt + 1` (attempts count from 1)."""
    ceiling = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1))
    jittered = ceiling * rng.uniform(0.5, 1.0)
    return jittered if trouble.after is None else max(trouble.after, 0.1 * jittered)


def attempts(max_retries: int, deadline_s: float, rng: random.Random) -> Any:
    """A tenacity AsyncRetrying: bounded in number and in time, re-raising the last Trouble.

    It gives up at once when the next wait would end after the deadline.
    """
    try:
        import tenacity
    except ImportError as error:
        raise MissingExtraError("tenacity", "endpoint") from error

    def wait(state: tenacity.RetryCallState) -> float:
        trouble = state.outcome.exception() if state.outcome else None
        assert isinstance(trouble, Trouble), f"retried on {trouble!r}"
        return wait_before(state.attempt_number, trouble, rng)

    def is_worth_it(error: BaseException) -> bool:
        return isinstance(error, Trouble) and error.again

    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(is_worth_it),
        wait=wait,
        stop=tenacity.stop_after_attempt(max_retries + 1) | tenacity.stop_before_delay(deadline_s),
        reraise=True,
    )


def _excerpt(text: str, limit: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[:limit]}…"
