"""The imperfect expert: the engineer's walk with slips, each with its own probability.

In: messages only; the dice are seeded per (task, seed). Out: demonstrations that a model can learn
from and must then improve on: every right decision is still the most frequent one.

    expert()                      # solves about 40% of tau2's test tasks
    expert(Flaws(level=0.5))      # half as careless
    expert(Flaws(level=0))        # the engineer
"""

from __future__ import annotations

from dataclasses import dataclass

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_agents.scripted.engineer import engineer_planner
from telejudge_agents.scripted.temper import FlawRates, careless


@dataclass(frozen=True)
class Flaws(FlawRates):
    """How often each slip is made (see engineer.Slip)."""

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


def expert(flaws: Flaws | None = None) -> ScriptedFactory:
    """The imperfect expert as an AgentFactory."""
    return careless(flaws or Flaws(), engineer_planner)
