"""Which faults hide which: how many rounds of "fix what is visible, read again" it takes.

In: atoms. Out: the rounds, each with the atoms that become visible in it.

    rounds(("T3", "P3.1"))       -> (("T3",), ("P3.1",))     the trunk hides the breaker
    rounds(("E1", "P3.1"))       -> (("E1", "P3.1"),)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from telejudge_envs.base_station.atoms import atoms
from telejudge_envs.base_station.physics import (
    BATTERY_EMPTY,
    HOLDOVER_LOST,
    LOCKED,
    ON_PTP,
    RING,
    effects,
    logged,
)
from telejudge_envs.base_station.remedies.proofs import NOT_VISIBLE_WITH, VISIBLE

SECTORS = 3


def facts_for(
    present: Iterable[str],
    *,
    ring: bool = False,
    holdover_lost: bool = False,
    work_order: int = 0,
    was: Iterable[str] | None = None,
) -> dict[str, int]:
    """The facts of a site that has just these faults; `was`: faults at the start, for the log."""
    have = set(present)
    log = have if was is None else set(was)
    facts = {atom: int(atom in have) for atom in atoms(SECTORS)}
    facts |= {f"was.{atom}": int(atom in log) for atom in logged(SECTORS)}
    facts |= {
        BATTERY_EMPTY: 0,
        HOLDOVER_LOST: int(holdover_lost),
        ON_PTP: int("S2" in have),
        RING: int(ring),
    }
    for i in range(1, SECTORS + 1):
        facts[f"{LOCKED}.{i}"] = int(f"R6.{i}" in have or i == work_order)
    return facts


def is_visible(atom: str, seen: Mapping[str, int]) -> bool:
    """Whether a reading would show the fault, given the effects of the site."""
    code, _, i = atom.partition(".")
    if any(not seen[name.format(i=i)] for name in VISIBLE[code]):
        return False
    return not any(seen[name.format(i=i)] for name in NOT_VISIBLE_WITH.get(code, ()))


def rounds(
    composition: Iterable[str],
    *,
    stuck: Iterable[str] = (),
    ring: bool = False,
    holdover_lost: bool = False,
    work_order: int = 0,
) -> tuple[tuple[str, ...], ...] | None:
    """The rounds, or None when some fault never becomes visible.

    `stuck` are faults of other teams: seen, handed over, but not gone.
    """
    at_first, remaining = list(composition), list(composition)
    unseen = set(remaining)
    found: list[tuple[str, ...]] = []
    while unseen:
        seen = effects(
            facts_for(
                remaining,
                ring=ring,
                holdover_lost=holdover_lost,
                work_order=work_order,
                was=at_first,
            ),
            1,
        )
        now = tuple(a for a in remaining if a in unseen and is_visible(a, seen))
        if not now:
            return None
        found.append(now)
        unseen -= set(now)
        remaining = [a for a in remaining if a not in now or a in set(stuck)]
    return tuple(found)
