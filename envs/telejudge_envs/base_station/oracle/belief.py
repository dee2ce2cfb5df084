"""A set of hypotheses that are still possible, and what each of them says about the world now.

In: the site at the start, then readings and writes. Out: probabilities of events.

    belief = Belief(space, Start.of(db), prior)
    belief.see({"alarm.LOSS_OF_SIGNAL": 1})
    belief.probability(belief.now["T1"])    -> 1.0

Every fact is a bitset over hypotheses and `physics.effects` runs on those bitsets as it runs on the
bits of the real world, so that what a hypothesis predicts cannot differ from what the world does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from telejudge_envs.base_station.atoms import atoms, present
from telejudge_envs.base_station.oracle.space import Space
from telejudge_envs.base_station.physics import (
    BATTERY_EMPTY,
    HOLDOVER_LOST,
    LOCKED,
    ON_PTP,
    RING,
    battery_empty,
    effects,
    holdover_over,
    logged,
)
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.errors import UsageError

CLOCKED = (BATTERY_EMPTY, HOLDOVER_LOST)
"""Settings that time and resets change, in every hypothesis alike."""


@dataclass(frozen=True)
class Start:
    """What the site is apart from its faults: the same for all hypotheses.

    `locked`: cells that a work order or somebody (no fault) had LOCKED. `ordered`: cells under an
    open work order, which cannot be "left locked". `ptp_fitted`: whether a PTP master exists.
    """

    sectors: int
    constants: Mapping[str, int]
    clocked: Mapping[str, int]
    on_ptp: bool
    ptp_fitted: bool
    locked: frozenset[int]
    ordered: frozenset[int]

    @classmethod
    def of(cls, db: RanDB) -> Start:
        """Read from the real state, faults taken out."""
        site = db.sites[db.focus]
        held = {w.object_id for w in db.work_orders if w.open}
        return cls(
            sectors=len(site.cells),
            constants={RING: int(site.ring)},
            clocked=clocked_of(db),
            on_ptp=site.clock.active == "ptp" and not present(db, db.focus, "S2"),
            ptp_fitted=site.clock.ptp_fitted,
            locked=frozenset(
                c.sector
                for c in site.cells
                if c.administrativeState == "LOCKED" and not present(db, db.focus, f"R6.{c.sector}")
            ),
            ordered=frozenset(c.sector for c in site.cells if c.id in held),
        )

    @property
    def impossible(self) -> frozenset[str]:
        """Fault codes that this site cannot have."""
        return frozenset() if self.ptp_fitted else frozenset({"S2"})


def clocked_of(db: RanDB) -> dict[str, int]:
    """The settings that depend on the clock, of the focus site, as they really are."""
    return {
        BATTERY_EMPTY: int(battery_empty(db, db.focus)),
        HOLDOVER_LOST: int(holdover_over(db, db.focus)),
    }


class Belief:
    """`alive`: the possible hypotheses. `now`: facts, `initial`: the faults before any write."""

    def __init__(self, space: Space, start: Start, prior: Sequence[float]) -> None:
        self.space, self.start = space, start
        self._weights = [p / max(1, space.of_size(k)) for k, p in enumerate(prior)]
        self.initial = {**dict.fromkeys(_never(start, space), 0), **space.presence}
        self.now = _facts(start, self.initial, space.full)
        self.alive = space.full
        for sector in start.ordered:
            self.alive &= ~self.initial[f"R6.{sector}"]
        self._effects: dict[str, int] | None = None

    @property
    def effects(self) -> dict[str, int]:
        """What each hypothesis predicts to be seen now; computed once between writes."""
        if self._effects is None:
            self._effects = effects(self.now, self.space.full, self.start.sectors)
        return self._effects

    def effect(self, name: str) -> int:
        try:
            return self.effects[name]
        except KeyError:
            raise UsageError(
                f"no effect '{name}' in physics.effects; correct the `shows` of the tool"
            ) from None

    def agreeing(self, seen: Mapping[str, int]) -> int:
        """The possible hypotheses that predict all of these bits."""
        left = self.alive
        for name, bit in seen.items():
            told = left & self.effect(name)
            left = told if bit else left ^ told
        return left

    def see(self, seen: Mapping[str, int]) -> None:
        self.alive = self.agreeing(seen)

    def write(self, sets: Mapping[str, int], clocked: Mapping[str, int]) -> None:
        """A call left these facts at these values, and then it was later."""
        full = self.space.full
        before = dict(self.now)
        for name, bit in sets.items():
            if name not in self.now:
                raise UsageError(f"no fact '{name}'; correct the `sets` of the tool")
            self.now[name] = full if bit else 0
        if (
            sets.get(ON_PTP) and "S2" not in sets
        ):  # a lost master is still lost: only they differ who never had it lost
            self.now["S2"] = self.initial["S2"] if self.start.ptp_fitted else full
        for name in CLOCKED:
            self.now[name] = full if clocked.get(name, int(bool(self.now[name]))) else 0
        if before != self.now:
            self._effects = None

    def mass(self, bits: int) -> float:
        """The prior weight of a set of hypotheses."""
        total, below = 0.0, 0
        for weight, mask in zip(self._weights, self.space.masks, strict=False):
            upto = (bits & mask).bit_count()
            total += weight * (upto - below)
            below = upto
        return total + self._weights[self.space.max_faults] * (bits.bit_count() - below)

    def probability(self, event: int) -> float:
        """Of an event (a set of hypotheses), given everything seen."""
        return self.mass(self.alive & event) / self.mass(self.alive)


def _never(start: Start, space: Space) -> set[str]:
    """Atoms that physics asks for though the space leaves them out."""
    return set(atoms(start.sectors)) - space.presence.keys()


def _facts(start: Start, initial: Mapping[str, int], full: int) -> dict[str, int]:
    facts = dict(initial)
    for name, bit in (*start.constants.items(), *start.clocked.items()):
        facts[name] = full if bit else 0
    facts[ON_PTP] = full if start.on_ptp else initial["S2"]
    for i in range(1, start.sectors + 1):
        facts[f"{LOCKED}.{i}"] = full if i in start.locked else initial[f"R6.{i}"]
    for atom in logged(start.sectors):
        facts[f"was.{atom}"] = initial[atom]
    return facts
