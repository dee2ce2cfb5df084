"""How careful the same walk is walked: never wrong, or wrong in a dosed way. For every world.

    Steady().slips("overlook")                          # False, always
    Careless(Flaws(overlook=0.1), "task|0")             # slips("overlook") in one of ten cases

A world's engineer asks its temper at each decision. Which slips there are (a Literal) and how often
each is made (a dataclass of FlawRates) is the world's own.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from telejudge_agents.scripted.base import TAU2, Dialect, Planner, ScriptedFactory
from telejudge_envs.nouns.task import TaskView

Slip = TypeVar("Slip", bound=str, contravariant=True)


class Temper(Protocol[Slip]):
    """Says whether the agent slips at a decision. `rng` picks among ways to slip."""

    rng: random.Random

    def slips(self, slip: Slip) -> bool: ...


class Steady:
    """Never slips."""

    rng = random.Random(0)

    def slips(self, slip: str) -> bool:
        return False


@dataclass(frozen=True)
class FlawRates:
    """Base of a world's flaws: a field is the probability of the slip of its name at each decision
    where it is possible; `level` scales them all, and none exceeds 1."""

    level: float = 1.0

    def rate(self, slip: str) -> float:
        return min(1.0, self.level * float(getattr(self, slip)))


class Careless:
    """Slips by the rates of `flaws`; one throw of the dice a decision."""

    def __init__(self, flaws: FlawRates, seed: str) -> None:
        self.flaws = flaws
        self.rng = random.Random(seed)

    def slips(self, slip: str) -> bool:
        return self.rng.random() < self.flaws.rate(slip)


def careful(walk: Callable[[Steady], Planner], dialect: Dialect = TAU2) -> ScriptedFactory:
    """`engineer`: the walk without a slip."""
    return ScriptedFactory("engineer", lambda task, seed: walk(Steady()), dialect=dialect)


def careless(
    flaws: FlawRates, walk: Callable[[Careless], Planner], dialect: Dialect = TAU2
) -> ScriptedFactory:
    """`expert`, or `expert:LEVEL`: the walk with slips; the dice are seeded per (task, seed)."""

    def planner(task: TaskView, seed: int) -> Planner:
        return walk(Careless(flaws, f"{task.id}|{seed}"))

    name = "expert" if flaws.level == 1 else f"expert:{flaws.level:g}"
    return ScriptedFactory(name, planner, dialect=dialect)
