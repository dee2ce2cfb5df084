"""What readings prove: which faults they betray, and whether faults of one kind could explain them.

    betrayed(step)                       -> atoms without which the reading would have been another
    explained(steps, may_be=REMOTE)      -> whether up to three such faults explain every reading

Both put hypotheses to the formulas of physics.py, one bit for each, as the oracle does.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

from telejudge_envs.base_station.atoms import atoms, exclusive, split
from telejudge_envs.base_station.physics import LOCKED, effects, logged
from telejudge_envs.base_station.rules.record import RuleStep, Situation

AT_MOST = 3
"""Faults in one hypothesis."""


def told(step: RuleStep) -> Situation:
    """The truth that a step's result speaks of."""
    return step.before if step.effect == "read" else step.after


def betrayed(step: RuleStep) -> frozenset[str]:
    """Atoms that are there and whose absence would have changed what the step showed."""
    now = told(step)
    here = sorted(now.present)
    if not here or not step.shows:
        return frozenset()
    full = (1 << len(here)) - 1
    facts = {name: full if bit else 0 for name, bit in now.facts.items()}
    for place, atom in enumerate(here):
        facts[atom] &= ~(1 << place)
        if atom.startswith("R6."):  # a cell that was not left LOCKED would be UNLOCKED
            facts[f"{LOCKED}.{atom[3:]}"] &= ~(1 << place)
    without = effects(facts, full, _sectors(now))
    changed = 0
    for name in step.shows:
        changed |= without[name] ^ (full if now.effects[name] else 0)
    return frozenset(atom for place, atom in enumerate(here) if changed >> place & 1)


@functools.cache
def remote(sectors: int) -> tuple[str, ...]:
    """Faults whose repair needs nobody on site."""
    return tuple(atom for atom in atoms(sectors) if not split(atom)[0].onsite)


def explained(steps: Sequence[RuleStep]) -> bool:
    """Whether remote faults alone, at most three, can explain all that the steps showed.

    Facts that a write left fixed (`sets`) are known from then on. What the change log tells is
    about the start: a wrong value that has a record is one that was there.
    """
    readings = [step for step in steps if step.shows or step.sets]
    if not readings:
        return True
    sectors = _sectors(readings[0].before)
    count, masks = _hypotheses(sectors)
    full = (1 << count) - 1
    logs = {f"was.{atom}": masks[atom] for atom in logged(sectors)}
    possible, known = full, masks | logs
    for step in readings:
        known.update({atom: full * bit for atom, bit in step.sets.items() if atom in known})
        now = told(step)
        facts = {name: full if bit else 0 for name, bit in now.facts.items()} | known
        would = effects(facts, full, sectors) if step.shows else {}
        for name in step.shows:
            possible &= would[name] if now.effects[name] else full ^ would[name]
    return possible != 0


@functools.cache
def _hypotheses(sectors: int) -> tuple[int, dict[str, int]]:
    """Their number, and for every atom the set of hypotheses that contain it."""
    pool = remote(sectors)
    clash = {pair for pair in itertools.combinations(pool, 2) if exclusive(*pair)}
    sets = [
        some
        for size in range(AT_MOST + 1)
        for some in itertools.combinations(pool, size)
        if not any(pair in clash for pair in itertools.combinations(some, 2))
    ]
    masks = dict.fromkeys(atoms(sectors), 0)
    for place, some in enumerate(sets):
        for atom in some:
            masks[atom] |= 1 << place
    return len(sets), masks


def _sectors(now: Situation) -> int:
    return sum(1 for cell in now.cells.values() if cell.site == now.focus)
