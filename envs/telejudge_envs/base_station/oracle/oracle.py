"""What somebody with perfect reasoning would know: an exact posterior over sets of faults.

In: the world at the start, then what each call showed or changed. Out: probabilities.

    oracle = Oracle(db)
    oracle.see(("alarm.LOSS_OF_SIGNAL",), {"alarm.LOSS_OF_SIGNAL": 1})   # -> bits of information
    oracle.posterior()["T1"]                                             # -> 1.0
    oracle.write({"T1": 0}, db)
    oracle.posterior()["T1"], oracle.posterior(now=False)["T1"]          # -> 0.0, 1.0

The oracle never uses which faults there are: it reads from the state what no fault changes
(topology, work orders, clock), and the bits it is shown. What is exact: Bayes' rule over *all* sets
of up to `max_faults` faults that can be together, for the given prior. An approximation begins
where the evidence fits no set of up to three. The space is then widened to four faults; their prior
weight was 0 until then, so that earlier answers were too narrow. `approximate` says so, also when
the world has more faults than the space (a flag about the answers, never used in them).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from telejudge_envs.base_station.atoms import atoms, present
from telejudge_envs.base_station.oracle.belief import Belief, Start, clocked_of
from telejudge_envs.base_station.oracle.cures import Action, Cures
from telejudge_envs.base_station.oracle.space import space_of
from telejudge_envs.base_station.physics import LOCKED, ON_PTP
from telejudge_envs.base_station.state import RanDB

PRIOR = (0.02, 0.55, 0.28, 0.15, 0.08)
"""Relative weight of 0, 1, … 4 faults at a site with a ticket, uniform among sets of one size; four
count only in a wide space. A judgement: single faults are the rule, a ticket without a fault is
rare. Checked on 500 generated tasks as gold reads them before its first fix: of the faults given
less than 10%, 1.0% on average, 0.9% were there."""

EXACT_FAULTS = 3
WIDEST = 4
SURE = 0.9
"""From this probability on a fault counts as known (design: `premature write`)."""


class Oracle:
    """Follows one episode from its start. Bits and probabilities are of the focus site."""

    def __init__(
        self,
        db: RanDB,
        max_faults: int = EXACT_FAULTS,
        without: frozenset[str] = frozenset(),
        *,
        prior: Sequence[float] = PRIOR,
    ) -> None:
        """`db` as it is when the episode begins. `without`: codes of faults that cannot occur
        (S2 where no PTP is fitted is left out by itself)."""
        self._start, self._prior = Start.of(db), tuple(prior)
        self._without = without | self._start.impossible
        self.cures = Cures.of(db)
        self._belief = self._new_belief(max_faults)
        self._past: list[tuple[Mapping[str, int], Mapping[str, int]] | Mapping[str, int]] = []
        self._true_size = sum(present(db, db.focus, a) for a in atoms(self._start.sectors))
        self._contradicted = False

    @property
    def approximate(self) -> bool:
        """Whether more than three faults, or evidence that fits no hypothesis, are in play."""
        size = self._belief.space.max_faults
        return self._contradicted or size > EXACT_FAULTS or self._true_size > size

    @property
    def possible_sets(self) -> int:
        """The number of fault sets that everything seen still allows."""
        return self._belief.alive.bit_count()

    # -- what happened

    def see(self, names: Iterable[str], real: Mapping[str, int]) -> float:
        """A reading showed these effects with their real values; its gain in bits."""
        seen = {name: real[name] for name in names}
        left = self._belief.agreeing(seen)
        if not left:
            left = self._widen(seen)
        if not left:
            self._contradicted = True
            return 0.0
        gain = self._surprise(left)
        if left != self._belief.alive:
            self._belief.alive = left
            self._past.append(seen)
        return gain

    def write(self, sets: Mapping[str, int], after: RanDB | Mapping[str, int] | None) -> None:
        """A call succeeded. `after`: the state then, or only its settings that depend on the clock
        (`belief.clocked_of`), or None when no time passed."""
        clocked = clocked_of(after) if isinstance(after, RanDB) else dict(after or {})
        self._belief.write(sets, clocked)
        self._past.append((dict(sets), clocked))

    # -- what is known

    def posterior(self, now: bool = True) -> dict[str, float]:
        """Probability of every atom: to be there now, or to have been there at the start."""
        belief = self._belief
        facts, total = belief.now if now else belief.initial, belief.mass(belief.alive)
        return {atom: belief.mass(belief.alive & facts[atom]) / total for atom in belief.initial}

    def top(self, count: int = 3) -> list[tuple[str, float]]:
        """The faults most probably there now, the most probable first; ties in table order."""
        return _highest(self.posterior(), count)

    def any_of(self, wanted: Iterable[str]) -> float:
        """Probability that at least one of these atoms is there now."""
        event = 0
        for atom in wanted:
            event |= self._belief.now[atom]
        return self._belief.probability(event)

    def possible(self, atom: str, now: bool = False) -> bool:
        """Whether the atom is in the posterior's support: at the start, or now."""
        facts = self._belief.now if now else self._belief.initial
        return bool(self._belief.alive & facts.get(atom, 0))

    def target_probability(self, sets: Mapping[str, int]) -> float | None:
        """Before a call with these `sets`: probability that a fault that it is good against is
        there. None when by its nature the call is good against none (to lock a cell is no cure)."""
        wanted = self.targets(sets)
        return self.any_of(wanted) if wanted else None

    def targets(self, sets: Mapping[str, int]) -> list[str]:
        """The atoms that a call with these `sets` takes away. A switch to PTP takes none away, but
        spares the cells the lack of GNSS (S1)."""
        if sets.get(ON_PTP):
            return ["S1"]
        return [
            name
            for name, bit in sets.items()
            if not bit
            and name in self._belief.initial
            and not (name.startswith("R6.") and sets.get(f"{LOCKED}.{name[3:]}"))
        ]

    def cheapest(self, at_least: float = SURE) -> Action | None:
        """The cheapest call that cures a fault known with this probability; among equals for the
        most probable one. None while no fault is known so well: then it is cheapest to read."""
        return cheapest_of(self.cures, self.posterior(), at_least)

    # -- inside

    def _new_belief(self, max_faults: int) -> Belief:
        space = space_of(self._start.sectors, max_faults, self._without)
        return Belief(space, self._start, self._prior[: max_faults + 1])

    def _widen(self, seen: Mapping[str, int]) -> int:
        """Repeat the episode with more faults allowed; returns what then fits, 0 for nothing."""
        for size in range(self._belief.space.max_faults + 1, WIDEST + 1):
            belief = self._new_belief(size)
            for event in self._past:
                belief.write(*event) if isinstance(event, tuple) else belief.see(event)
            if left := belief.agreeing(seen):
                self._belief = belief
                return left
        return 0

    def _surprise(self, left: int) -> float:
        """Exactly 0 when nothing is excluded, so that redundant readings can be told."""
        if left == self._belief.alive:
            return 0.0
        return -math.log2(self._belief.probability(left))


def cheapest_of(cures: Cures, posterior: Mapping[str, float], at_least: float) -> Action | None:
    """See Oracle.cheapest."""
    known = [(a, p) for a, p in posterior.items() if p >= at_least]
    if not known:
        return None
    atom, p = min(known, key=lambda k: (cures.cheapest(k[0]).cost, -k[1]))
    return replace(cures.cheapest(atom), probability=p)


def _highest(posterior: Mapping[str, float], count: int) -> list[tuple[str, float]]:
    return sorted(posterior.items(), key=lambda item: -item[1])[:count]
