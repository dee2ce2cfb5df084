"""All sets of faults that a site can have at once, as bitsets: one bit for each hypothesis.

In: the number of sectors, the largest number of faults, fault codes that cannot occur. Out: a
Space, in which every atom is an int whose bit h says that hypothesis h contains the atom.

    space = space_of(3, 3)
    space.count                       -> 28_968: 1 + 57 + 1_561 + 27_349 hypotheses
    space.only({"P3.2", "T1"})        -> an int with one bit, the hypothesis of exactly these two

Hypotheses are ordered by their number of faults, so that "at most k faults" are the lowest bits and
an `&` with a short mask costs next to nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from telejudge_envs.base_station.atoms import atoms, exclusive


@dataclass(frozen=True)
class Space:
    """`presence`: atom -> hypotheses that contain it. `upto[k]`: how many have at most k faults."""

    max_faults: int
    upto: tuple[int, ...]
    presence: dict[str, int]

    @property
    def count(self) -> int:
        return self.upto[-1]

    @property
    def full(self) -> int:
        """All hypotheses."""
        return (1 << self.count) - 1

    @functools.cached_property
    def masks(self) -> tuple[int, ...]:
        """For each k the hypotheses with at most k faults, without the last (it is all)."""
        return tuple((1 << n) - 1 for n in self.upto[:-1])

    def of_size(self, k: int) -> int:
        """The number of hypotheses with exactly k faults."""
        return self.upto[k] - (self.upto[k - 1] if k else 0)

    def only(self, faults: Iterable[str]) -> int:
        """The bit of the hypothesis of exactly these faults; 0 when the space has none."""
        wanted = set(faults)
        if len(wanted) > self.max_faults or not wanted <= self.presence.keys():
            return 0
        bits = (1 << self.upto[len(wanted)]) - 1
        for atom in wanted:
            bits &= self.presence[atom]
        below = (1 << self.upto[len(wanted) - 1]) - 1 if wanted else 0
        return bits & ~below

    def faults(self, hypothesis: int) -> tuple[str, ...]:
        """The atoms of a hypothesis, by its number."""
        return tuple(a for a, bits in self.presence.items() if bits >> hypothesis & 1)


@functools.cache
def space_of(sectors: int, max_faults: int, without: frozenset[str] = frozenset()) -> Space:
    """Enumerate; kept for the process. Three faults take some 10 ms, four some 0.2 s and 3 MB.

    `without` holds codes ("S2") that the site cannot have.
    """
    names = atoms(sectors, without=without)
    rows, upto = _rows(names, max_faults)
    return Space(max_faults, upto, dict(zip(names, map(_packed, rows), strict=True)))


def _rows(names: tuple[str, ...], max_faults: int) -> tuple[list[bytearray], tuple[int, ...]]:
    """For each atom one byte a hypothesis, which is quicker to fill than bits are."""
    together = _compatible(names)
    everything = range(len(names))
    upto = [1]
    for k in range(1, max_faults + 1):
        upto.append(upto[-1] + _ways(everything, together, k))
    rows = [bytearray(upto[-1]) for _ in names]
    for k in range(1, max_faults + 1):
        _fill(rows, everything, together, k, upto[k - 1])
    return rows, tuple(upto)


def _compatible(names: tuple[str, ...]) -> list[frozenset[int]]:
    """For each atom the later ones that can be there at the same time."""
    return [
        frozenset(j for j in range(i + 1, len(names)) if not exclusive(names[i], names[j]))
        for i in range(len(names))
    ]


def _ways(allowed: Iterable[int], together: list[frozenset[int]], k: int) -> int:
    if k == 1:
        return len(list(allowed))
    return sum(_ways([j for j in allowed if j in together[i]], together, k - 1) for i in allowed)


def _fill(
    rows: list[bytearray], allowed: Iterable[int], together: list[frozenset[int]], k: int, at: int
) -> int:
    """Write all sets of k allowed atoms from position `at` on; returns the position after them."""
    if k == 1:
        for i in allowed:
            rows[i][at] = 1
            at += 1
        return at
    for i in allowed:
        start = at
        at = _fill(rows, [j for j in allowed if j in together[i]], together, k - 1, at)
        rows[i][start:at] = b"\1" * (at - start)
    return at


_DIGITS = bytes.maketrans(b"\0\1", b"01")


def _packed(row: bytearray) -> int:
    """One bit a byte, the first byte as the lowest bit (base 2 text is read in linear time)."""
    return int(row[::-1].translate(_DIGITS), 2)
