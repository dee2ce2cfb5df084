"""The imperfect expert: the engineer's walk with slips, each with its own probability.

In: messages only; the dice are seeded per (task, seed). Out: demonstrations that a model can learn
from and must then improve on: every right decision is still the most frequent one.

    expert()                      # solves about 40% of tau2's test tasks
    expert(Flaws(level=0.5))      # half as careless
    expert(Flaws(level=0))        # the engineer
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from telejudge_agents.scripted.base import Planner, ScriptedFactory
from telejudge_agents.scripted.engineer import Slip, engineer_planner
from telejudge_envs.nouns.task import TaskView


@dataclass(frozen=True)
class Flaws:
    """Probability of each slip at each decision where it is possible (see engineer.Slip); `level`
    scales them all, and none exceeds 1."""

    level: float = 1.0
    overlook: float = 0.08
    skip_check: float = 0.03
    wrong_fix: float = 0.03
    skip_fix: float = 0.05
    half_fix: float = 0.08
    forget_verify: float = 0.30
    forget_goal: float = 0.15
    stop_early: float = 0.03
    give_up: float = 0.60
    needless_transfer: float = 0.02
    no_handover: float = 0.30
    redundant_read: float = 0.07
    idle_read: float = 0.07
    failed_call: float = 0.04

    def rate(self, slip: Slip) -> float:
        return min(1.0, self.level * float(getattr(self, slip)))


class Careless:
    """A temper that slips by the rates of `flaws`."""

    def __init__(self, flaws: Flaws, seed: str) -> None:
        self.flaws = flaws
        self.rng = random.Random(seed)

    def slips(self, slip: Slip) -> bool:
        return self.rng.random() < self.flaws.rate(slip)


def expert(flaws: Flaws | None = None) -> ScriptedFactory:
    """The imperfect expert as an AgentFactory."""
    chosen = flaws or Flaws()

    def planner(task: TaskView, seed: int) -> Planner:
        return engineer_planner(Careless(chosen, f"{task.id}|{seed}"))

    name = "expert" if chosen.level == 1 else f"expert:{chosen.level:g}"
    return ScriptedFactory(name, planner)
