"""Numbers that look measured and are always the same: a hash of what is read and when.

share(7, "K042-C1", "RRU.PrbTotDl", 610)        -> 0.33…, the same in every process
spread(2.0, 6.0, 7, "K042-C1", "noise", 610)    -> a number from 2 up to 6
"""

from __future__ import annotations

import functools
from hashlib import blake2b


@functools.lru_cache(maxsize=65536)
def share(*key: object) -> float:
    """A number from [0, 1) that depends on the key only."""
    text = "|".join(map(str, key)).encode()
    return int.from_bytes(blake2b(text, digest_size=6).digest(), "big") / 2.0**48


def spread(low: float, high: float, *key: object) -> float:
    """A number from [low, high) that depends on the key only."""
    return low + (high - low) * share(*key)


def whole(count: int, *key: object) -> int:
    """An integer from 0 to count - 1 that depends on the key only."""
    return int(count * share(*key))
