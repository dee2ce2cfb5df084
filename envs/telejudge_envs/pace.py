"""So many requests a minute and no more: for endpoints that count.

pace = Pace(per_minute=600); await pace.wait()     # at most ten a second, evenly
"""

from __future__ import annotations

import asyncio
import time


class Pace:
    """One event loop's; None: no limit."""

    def __init__(self, per_minute: float | None) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0

    async def wait(self) -> None:
        """Until the caller may ask; callers are let through in the order in which they came."""
        if not self._gap:
            return
        now = time.monotonic()
        at = max(now, self._next)
        self._next = at + self._gap
        await asyncio.sleep(at - now)
