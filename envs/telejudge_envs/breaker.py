"""A circuit breaker: an endpoint that keeps failing is left alone for a while.

    breaker = Breaker(after=5, cooldown_s=30.0)
    if breaker.admits(): …ask…; breaker.succeeded() or breaker.failed() or breaker.abandoned()

| state | what happens |
|---|---|
| closed | everybody may ask; `after` failures in a row open it |
| open | nobody may ask, until `cooldown_s` seconds have passed |
| half-open | one may ask, the probe: its success closes the circuit, its failure opens it again |

What counts as a failure is the caller's decision: a client reports one for a completion whose last
attempt failed too, so passing trouble that a retry mends opens nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Safe to share between tasks, event loops and threads; `after=0` never opens."""

    def __init__(
        self,
        after: int = 5,
        cooldown_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.after, self.cooldown_s = after, cooldown_s
        self.opened = 0
        """How often it opened."""
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until: float | None = None
        self._probing = False

    @property
    def state(self) -> State:
        with self._lock:
            if self._until is None:
                return "closed"
            return "half-open" if self._probing or self._clock() >= self._until else "open"

    @property
    def waits_s(self) -> float:
        """Seconds until the next probe may ask; 0 when somebody may ask now."""
        with self._lock:
            return 0.0 if self._until is None else max(0.0, self._until - self._clock())

    def admits(self) -> bool:
        """Whether the caller may ask now; whoever may must report how it went."""
        with self._lock:
            if self._until is None:
                return True
            if self._probing or self._clock() < self._until:
                return False
            self._probing = True
            return True

    def succeeded(self) -> None:
        """The endpoint answered."""
        with self._lock:
            self._failures, self._until, self._probing = 0, None, False

    def failed(self) -> None:
        """The endpoint did not answer, or said that it cannot."""
        with self._lock:
            self._failures += 1
            if not self.after or self._failures < self.after:
                return
            if self._until is None or self._probing:
                self.opened += 1
                self._until = self._clock() + self.cooldown_s
            self._probing = False

    def abandoned(self) -> None:
        """The caller was cancelled: nothing is known, and the next one may probe."""
        with self._lock:
            self._probing = False
