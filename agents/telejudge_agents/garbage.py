"""Full garbage collections while many episodes are under way: seldom, and told when.

    with seldom(places) as ended:
        …
        ended()          # once for each episode that is over

A full collection looks at every object of every waiting episode, and all of them wait for it: at
256 a quarter of a second, fourteen times in half a minute by Python's own schedule. Here there is
one each time twice as many episodes are over as there are places (the cycles that 1,000
episodes leave take less than 100 MiB), and what was there before the first episode, such as modules
and the world's data, is not looked at. Short-lived objects are collected as ever.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MANY = 64
"""Places from which on it is worth it."""
SHIFTS = 2
"""Episodes of a place between two collections."""
NEVER = 2**30


@contextmanager
def seldom(places: int) -> Iterator[Callable[[], None]]:
    """Of two runs at once in one process, the first to begin decides for both."""
    over, usual = 0, gc.get_threshold()
    if places < MANY or not gc.isenabled() or usual[2] == NEVER:
        yield lambda: None
        return

    def ended() -> None:
        nonlocal over
        over += 1
        if over % (SHIFTS * places) == 0:
            gc.collect()

    gc.freeze()
    gc.set_threshold(usual[0], usual[1], NEVER)
    try:
        yield ended
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
