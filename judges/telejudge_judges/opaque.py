"""Names that a judged agent cannot know: candidate ids, the nonce of the data fences, orders.

    names(3, key="…", absent_from=text)   # ('k7qm', 'p3xd', 'w9zt')

All are drawn from a hash of the content, so the same group gives the same prompt and the cache
works; none occurs in the text it is used with.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

_LETTERS = "bcdfghjkmnpqrtvwxz"
_ALPHABET = _LETTERS + "2346789"
NAME_LENGTH = 4


def names(count: int, key: str, absent_from: str) -> tuple[str, ...]:
    """`count` distinct short names that do not occur in `absent_from`."""
    rng, seen, text = _rng(key), dict[str, None](), absent_from.lower()
    tries = 0
    while len(seen) < count:
        tries += 1  # a text that has used up the short names gets longer ones
        length = NAME_LENGTH + tries // (50 + 2 * count)
        name = rng.choice(_LETTERS) + "".join(rng.choices(_ALPHABET, k=length - 1))
        if name not in text:
            seen[name] = None
    return tuple(seen)


def nonce(key: str, absent_from: str) -> str:
    """Twelve hex digits that do not occur in `absent_from`."""
    rng = _rng(f"nonce|{key}")
    while True:
        drawn = f"{rng.getrandbits(48):012x}"
        if drawn not in absent_from:
            return drawn


def orders(count: int, size: int, key: str) -> tuple[tuple[int, ...], ...]:
    """`count` balanced orders of `size` candidates.

    Two orders are each other's reverse, so every pair is seen both ways. With an even `count` they
    are such pairs of rotations, with an odd one rotations alone; when `count == size` each
    candidate stands once in each place (a Latin square).
    """
    base = list(range(size))
    _rng(f"order|{key}").shuffle(base)
    if count % 2 == 0:
        half = count // 2
        turned = [_rotated(base, j * size // half) for j in range(half)]
        return tuple(tuple(order) for one in turned for order in (one, one[::-1]))
    return tuple(tuple(_rotated(base, j * size // count)) for j in range(count))


def another_order(size: int, key: str) -> tuple[int, ...]:
    """A tie-breaker for `orders(2, …)`: those who stood at the ends stand in the middle."""
    return tuple(_rotated(list(orders(1, size, key)[0]), size // 2))


def digest(*parts: str) -> str:
    """A hash of the parts that keeps their borders."""
    sized = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(sized.encode("utf-8", "surrogatepass")).hexdigest()


def _rotated(items: Sequence[int], by: int) -> list[int]:
    return [*items[by:], *items[:by]]


def _rng(key: str) -> random.Random:
    return random.Random(int(digest(key)[:16], 16))
