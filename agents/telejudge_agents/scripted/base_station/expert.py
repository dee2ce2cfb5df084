"""The imperfect expert: the engineer's walk with slips, each with its own probability.

In: messages only; the dice are seeded per (task, seed). Out: demonstrations that a model can learn
from and must then improve on: every right decision is still the most frequent one.

    expert()                      # solves about half of the tasks of levels 1 and 2
    expert(Flaws(level=0.5))      # half as careless
    expert(Flaws(level=0))        # the engineer
"""

from __future__ import annotations

from dataclasses import dataclass

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_agents.scripted.base_station.dialect import BASE_STATION
from telejudge_agents.scripted.base_station.engineer import engineer_planner
from telejudge_agents.scripted.temper import FlawRates, careless


@dataclass(frozen=True)
class Flaws(FlawRates):
    """How often each slip is made (see slips.Slip)."""

    reset_first: float = 0.04
    overlook: float = 0.07
    close_on_quiet: float = 0.10
    skip_kpi: float = 0.08
    skip_read: float = 0.04
    misdiagnose: float = 0.12
    keep_wrong_cause: float = 0.65
    wrong_sector: float = 0.05
    escalate_early: float = 0.07
    never_escalate: float = 0.35
    forget_impact: float = 0.15
    forget_approval: float = 0.15
    forget_mitigation: float = 0.25
    forget_parts: float = 0.05
    forget_lock: float = 0.10
    forget_isolation: float = 0.10
    forget_unlock: float = 0.10
    skip_verify: float = 0.20
    skip_sweep: float = 0.35
    stop_early: float = 0.05
    ignore_error: float = 0.20
    wrong_class: float = 0.10
    forget_evidence: float = 0.08
    false_claim: float = 0.30
    redundant_read: float = 0.05
    idle_read: float = 0.06
    failed_call: float = 0.03


def expert(flaws: Flaws | None = None) -> ScriptedFactory:
    """The imperfect expert as an AgentFactory."""
    return careless(flaws or Flaws(), engineer_planner, BASE_STATION)
