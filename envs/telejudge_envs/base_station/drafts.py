"""Drafts of tasks: which faults on which topology, and the split that shows them.

In: a split, a level and dice. Out: a Draft whose faults can be there together. By its faults,
sectors and topology it belongs to exactly one split; ood has what the others never show.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from telejudge_envs.base_station.atoms import atoms, exclusive
from telejudge_envs.base_station.faults import FAULTS

HELD_OUT_FAULTS = frozenset({"T4", "S2", "A4"})
HELD_OUT_TOPOLOGY = "ring"
HELD_OUT_PAIRS = frozenset(
    frozenset(p)
    for p in (
        ("P1", "E1"), ("P3", "F2"), ("T3", "R3"), ("T5", "B4"), ("B3", "A1"), ("S1", "R1"),
        ("F1", "R2"), ("F3", "R5"), ("A3", "R4"), ("E2", "R6"), ("P2", "A2"), ("B1", "F3"),
    )
)  # fmt: skip
TOPOLOGIES = {"single": 4, "star": 3, "mixed": 1, "gnss_only": 1, "leased": 1}
SHARES = (("train", 74), ("dev", 8), ("test", 18))
"""How canonical compositions are dealt out, in percent."""


@dataclass(frozen=True)
class Draft:
    """`key` is the canonical composition, `codes` its faults wherever they are."""

    topology: str
    atoms: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.topology}|{'+'.join(sorted(self.atoms))}"

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(a[:2] for a in self.atoms)

    @property
    def out_of_distribution(self) -> bool:
        pairs = {frozenset((a, b)) for a in self.codes for b in self.codes if a != b}
        return (
            self.topology == HELD_OUT_TOPOLOGY
            or bool(self.codes & HELD_OUT_FAULTS)
            or bool(pairs & HELD_OUT_PAIRS)
        )

    def split(self) -> str:
        """The only split that may show it."""
        if self.out_of_distribution:
            return "ood"
        digest = hashlib.sha256(self.key.encode()).digest()
        point = int.from_bytes(digest[:4], "big") % 100
        for name, share in SHARES:
            if point < share:
                return name
            point -= share
        return "test"


def draft_for(name: str, level: int, dice: random.Random) -> Draft:
    """One for the split to try; it may belong to another."""
    topology = dice.choices(list(TOPOLOGIES), list(TOPOLOGIES.values()))[0]
    if name == "ood" and dice.random() < 0.35:
        topology = HELD_OUT_TOPOLOGY
    first = _held_out(level, topology, dice) if name == "ood" else ()
    size = {1: 1, 2: 2, 3: 2, 4: dice.choice((3, 3, 4)), 5: dice.choice((1, 2, 2, 3))}[level]
    if level == 3 and topology == "star" and dice.random() < 0.4:
        return Draft(topology, ("T3", *_drawn(dice, 1, ("T3",), topology)))
    rest = _drawn(dice, max(0, size - len(first)), first, topology)
    return Draft(topology, tuple(sorted((*first, *rest))))


def _held_out(level: int, topology: str, dice: random.Random) -> tuple[str, ...]:
    """A fault, or from two faults on a pair, that only ood shows; none on ood's topology."""
    if topology == HELD_OUT_TOPOLOGY:
        return ()
    if level == 1 or dice.random() < 0.5:
        return (_placed(dice.choice(sorted(HELD_OUT_FAULTS)), dice),)
    pair = sorted(dice.choice(sorted(map(sorted, HELD_OUT_PAIRS))))
    return tuple(_placed(code, dice) for code in pair)


def _placed(code: str, dice: random.Random) -> str:
    return f"{code}.{dice.randrange(1, 4)}" if FAULTS[code].sector else code


def _drawn(
    dice: random.Random, size: int, beside: tuple[str, ...], topology: str
) -> tuple[str, ...]:
    """Compatible atoms: the fault first, then its sector, so that site faults come often enough."""
    without = frozenset({"S2"}) if topology == "gnss_only" else frozenset()
    pool = atoms(without=without)
    codes = sorted({a[:2] for a in pool})
    chosen: list[str] = []
    while len(chosen) < size:
        code = dice.choice(codes)
        atom = dice.choice([a for a in pool if a[:2] == code])
        if not any(exclusive(atom, other) or atom == other for other in (*chosen, *beside)):
            chosen.append(atom)
    return tuple(sorted(chosen))
