"""Names that a judged agent cannot know: candidate ids, the nonce of the data fences, orders.

    names(3, key="…", absent_from=text)   # ('k7qm', 'p3xd', 'w9zt')

All are drawn from a hash of the content, so the same group gives the same prompt and the cache
works; none occurs in the text it is used with.
"""

from __future__ import annotations

import hashlib
import random

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
    """The first `count` of a balanced sequence of orders of `size` candidates; fewer when the
    sequence ends.

    Orders 2i and 2i+1 are each other's reverse, so every pair is seen both ways. The rows are those
    of a Williams design: all of them together (`size`, twice as many when it is odd) are a Latin
    square in which each candidate stands equally often in each place, and each follows each other
    equally often (Williams 1949, doi:10.1071/CH9490149). Whoever stood in the middle at first
    stands at the ends next.
    """
    base = list(range(size))
    _rng(f"order|{key}").shuffle(base)
    zigzag = [place // 2 + 1 if place % 2 else -(place // 2) for place in range(size)]
    rows = [tuple(base[(z + row) % size] for z in zigzag) for row in range(size)]
    by_middle = sorted(range(1, size), key=lambda row: abs(2 * rows[0].index(base[row]) - size + 1))
    found: dict[tuple[int, ...], None] = {}
    for row in (0, *by_middle) if size else ():
        found.setdefault(rows[row])
        found.setdefault(rows[row][::-1])
    return tuple(found)[:count]


def digest(*parts: str) -> str:
    """A hash of the parts that keeps their borders."""
    sized = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(sized.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint_of(source: object) -> str:
    """What tells a source of anchors or references from another: its `fingerprint`, which changes
    with what it gives; else only its name, so a function of one's own should carry one."""
    known = getattr(source, "fingerprint", None)
    if isinstance(known, str):
        return known
    named = source if hasattr(source, "__qualname__") else type(source)
    return f"{named.__module__}.{getattr(named, '__qualname__', '')}"


def _rng(key: str) -> random.Random:
    return random.Random(int(digest(key)[:16], 16))
