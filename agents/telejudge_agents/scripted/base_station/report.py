"""The report that ends a ticket: what an engineer says he found, did, proved and left.

report(desk)["root_causes"]
-> [{"fault_class": "pa_dead", "object_id": "K042-R2", "evidence": ["r4"]}]
"""

from __future__ import annotations

from typing import Any, Protocol

from telejudge_agents.scripted.base_station.case import Case
from telejudge_agents.scripted.base_station.desk import Finding
from telejudge_agents.scripted.base_station.slips import RIVALS, Temper
from telejudge_envs.base_station.faults import FAULTS


class Notes(Protocol):
    """What the engineer remembers at the end."""

    case: Case
    temper: Temper
    worked: list[Finding]
    handed_over: dict[tuple[str, int], str]
    actions: list[str]
    given_up: bool

    def left(self) -> list[str]: ...


def report(notes: Notes) -> dict[str, Any]:
    """The arguments of submit_resolution_report."""
    open_ends = bool(notes.handed_over) or notes.given_up
    restored = not open_ends or notes.temper.slips("false_claim")
    case = notes.case
    verification = [case.answer("list_alarms").id, case.answer("get_kpi").id]
    return {
        "root_causes": _causes(notes),
        "restored": restored,
        "actions": notes.actions,
        "residual_alarms": notes.left() if open_ends else [],
        "escalation": list(dict.fromkeys(notes.handed_over.values())),
        "verification": [v for v in verification if v],
    }


def _causes(notes: Notes) -> list[dict[str, Any]]:
    """Each fault once, with the readings by which it was found first."""
    causes: dict[tuple[str, str], dict[str, Any]] = {}
    slips = notes.temper.slips
    for f in notes.worked:
        slug = f.slug
        if f.code in RIVALS and slips("wrong_class"):
            slug = FAULTS[RIVALS[f.code][0]].slug
        cited = [] if slips("forget_evidence") else list(f.evidence)
        causes.setdefault(
            (slug, f.object_id), {"fault_class": slug, "object_id": f.object_id, "evidence": cited}
        )
    return list(causes.values())
