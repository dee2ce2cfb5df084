"""A label for every call of a trajectory: what it told, whether it was justified, in one sentence.

In: the world at the start and the calls. Out: StepLabels.

    labels = label_steps(db_at_start, steps)
    labels[2].sentence
    -> "get_fronthaul excluded 1,204 of 1,618 possible fault sets (2.0 bits);
        rru_breaker_open on K042-FD2 is now at 93%."
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from telejudge_envs.base_station.atoms import split
from telejudge_envs.base_station.oracle.cures import Action, impact_of
from telejudge_envs.base_station.oracle.oracle import EXACT_FAULTS, SURE, Oracle, cheapest_of
from telejudge_envs.base_station.oracle.steps import OracleStep
from telejudge_envs.base_station.physics import LOCKED
from telejudge_envs.base_station.state import RanDB

DISPATCH = "dispatch_technician"
WASTED = ("reset_board", "reset_rru")
"""Calls that interrupt service; where they cure nothing they were never the cheapest means."""

WORTH_MENTIONING = 0.05
"""By how much a probability must move for the sentence to name its fault."""

VISIT_SUPPORTED = 0.5
"""A visit is justified when a fault that needs one is at least as likely as not."""


@dataclass(frozen=True)
class StepLabel:
    """What the oracle says of one call.

    `gain_bits`: information of what it showed, 0.0 when it told nothing new. `top`: the three
    faults most probably there after the call. `target_probability`: before the call, that a fault
    that it is good against is there; None for calls that cure nothing by nature, and for locking
    and unlocking that frames a repair. `cheapest`: the cheapest cure of a fault known with 90%
    before the call, None while none is (an escalated fault no longer counts). `sufficient`: no
    gentler call would have done. `possible_sets`: after the call.
    """

    index: int
    tool: str
    gain_bits: float
    top: tuple[tuple[str, float], ...]
    target_probability: float | None
    cheapest: Action | None
    sufficient: bool
    possible_sets: int
    approximate: bool
    sentence: str


def label_steps(
    db_at_start: RanDB, steps: Iterable[OracleStep], *, max_faults: int = EXACT_FAULTS
) -> list[StepLabel]:
    """Labels in the order of the calls; some 10 ms for 25 calls (three faults)."""
    labeller = Labeller(Oracle(db_at_start, max_faults))
    return [labeller.label(step) for step in steps]


class Labeller:
    """Labels one call after the other; `oracle` is where it stands."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self._posterior = oracle.posterior()
        self._index = 0
        self._locks: dict[str, float | None] = {}
        """Sectors that the agent locked -> how probably they had been left locked (to lock hides
        that), or None when work on them has begun since."""
        self._handed_over: set[str] = set()

    def label(self, step: OracleStep) -> StepLabel:
        oracle, before, known = self.oracle, self.oracle.possible_sets, self._posterior
        open_ = {a: p for a, p in self._posterior.items() if a not in self._handed_over}
        cheapest = cheapest_of(oracle.cures, open_, SURE)
        target = self._target(step) if step.ok else None
        sufficient = not step.ok or self._sufficient(step)
        gain = self._happen(step) if step.ok else 0.0
        if gain or step.sets:
            self._posterior = oracle.posterior()
        top = sorted(self._posterior.items(), key=lambda item: -item[1])[:3]
        label = StepLabel(
            index=self._index,
            tool=step.tool,
            gain_bits=gain,
            top=tuple(top),
            target_probability=target,
            cheapest=cheapest,
            sufficient=sufficient,
            possible_sets=oracle.possible_sets,
            approximate=oracle.approximate,
            sentence="",
        )
        self._index += 1
        return replace(label, sentence=self._sentence(step, label, before, known))

    # -- judgements

    def _target(self, step: OracleStep) -> float | None:
        """Unlocking after a lock of one's own frames a repair, unless nothing else was done in
        between: then the pair was meant to wake a hung cell."""
        for sector, left in self._locks.items():
            if step.sets.get(f"{LOCKED}.{sector}") == 0:
                return None if left is None else max(left, self.oracle.any_of([f"B4.{sector}"]))
        return self.oracle.target_probability(step.sets)

    def _sufficient(self, step: OracleStep) -> bool:
        if step.tool == DISPATCH:
            onsite = [a for a in self._posterior if self._asks_for_visit(a)]
            return self.oracle.any_of(onsite) >= VISIT_SUPPORTED
        cured = self.oracle.targets(step.sets)
        if not cured:
            return step.tool not in WASTED
        meant = max(cured, key=lambda atom: self._posterior[atom])
        return impact_of(step.tool, step.arguments) <= self.oracle.cures.cheapest(meant).cost

    def _asks_for_visit(self, atom: str) -> bool:
        """That a fault is beyond repair may show only when somebody there has tried."""
        best = self.oracle.cures.cheapest(atom)
        return best.onsite or (bool(best.team) and split(atom)[0].onsite)

    def _happen(self, step: OracleStep) -> float:
        if step.effect != "read":
            self.oracle.write(step.sets, step.clocked)
            self._note_locks(step)
        if step.tool == "escalate":
            cures, team = self.oracle.cures, step.arguments.get("team")
            self._handed_over |= {a for a in cures.names if cures.cheapest(a).team == team}
        return self.oracle.see(step.shows, step.bits) if step.shows else 0.0

    def _note_locks(self, step: OracleStep) -> None:
        touched = _sectors_of(step)
        for sector in touched & self._locks.keys():
            self._locks[sector] = None
        for sector in touched:
            locked = step.sets.get(f"{LOCKED}.{sector}")
            if locked:
                self._locks[sector] = self._posterior.get(f"R6.{sector}", 0.0)
            elif locked == 0:
                self._locks.pop(sector, None)

    # -- words

    def _sentence(
        self, step: OracleStep, label: StepLabel, before: int, known: Mapping[str, float]
    ) -> str:
        words = f"{step.tool} {self._told(step, label, before, known)}"
        return (
            f"{words} (approximate: more than three faults)." if label.approximate else words + "."
        )

    def _told(
        self, step: OracleStep, label: StepLabel, before: int, known: Mapping[str, float]
    ) -> str:
        if not step.ok:
            return "failed, so it told and changed nothing"
        if label.target_probability is not None:
            return _aimed(label)
        if label.gain_bits > 0:
            bits = f"{label.gain_bits:.1f}" if label.gain_bits >= 0.1 else "under 0.1"
            return f"{_excluded(label, before)} ({bits} bits); {self._moved(label, known)}"
        if step.effect == "read":
            return f"told nothing new; {self._leader(label)}"
        if not label.sufficient:
            why = "needs a visit" if step.tool == DISPATCH else "it would cure"
            return f"was not called for: no fault that {why} is likely" + _instead(label)
        return f"changes no fault; {self._leader(label)}"

    def _moved(self, label: StepLabel, known: Mapping[str, float]) -> str:
        """The fault of which the reading told most, else the one that leads."""
        moved = {a: abs(p - known[a]) for a, p in self._posterior.items()}
        atom = max(moved, key=lambda a: (moved[a], self._posterior[a]))
        if moved[atom] < WORTH_MENTIONING:
            return self._leader(label)
        return f"{self.fault_name(atom)} is now at {_percent(self._posterior[atom])}"

    def _leader(self, label: StepLabel) -> str:
        atom, p = label.top[0]
        if p == 0:
            return "no fault is left to suspect"
        return f"most probable is {self.fault_name(atom)} at {_percent(p)}"

    def fault_name(self, atom: str) -> str:
        """`rru_breaker_open on K042-FD2`."""
        slug, where = self.oracle.cures.names[atom]
        return f"{slug} on {where}"


def _aimed(label: StepLabel) -> str:
    chance = label.target_probability or 0.0
    verdict = "justified" if chance >= SURE else "premature" if chance > 0 else "pointless"
    words = f"was {verdict}: a fault that it is good against was there with {_percent(chance)}"
    return words if label.sufficient else words + ", but gentler means exist" + _instead(label)


def _excluded(label: StepLabel, before: int) -> str:
    gone = before - label.possible_sets
    if gone <= 0:
        return f"fits no set of three faults; {label.possible_sets:,} wider sets are possible"
    return f"excluded {gone:,} of {before:,} possible fault sets"


def _instead(label: StepLabel) -> str:
    best = label.cheapest
    return "" if best is None else f" (cheapest: {best.tool} on {best.object_id})"


def _percent(p: float) -> str:
    """Rounded, but never to a certainty that is none."""
    if 0 < p < 0.01:
        return "under 1%"
    return "over 99%" if 0.99 < p < 1 else f"{p:.0%}"


def _sectors_of(step: OracleStep) -> set[str]:
    """The sectors that a write works on: by what it sets and the radio unit that it names."""
    found = {name.partition(".")[2] for name in step.sets} - {""}
    unit = step.arguments.get("rru_id")
    return found | ({unit[-1:]} if isinstance(unit, str) else set())
