"""The truth about an episode: is the network as good as it can be, and is the report right?

In: the state at the end and the task's spec. Out: an Outcome. `answer` is 1 when every check holds:

| check | holds when |
|---|---|
| repaired | no fault is left that the agent could have repaired |
| in_service | every cell that can be on the air is; those under a work order stay LOCKED |
| no_collateral | no new fault, lock or closed port anywhere, on any site |
| escalated | exactly the teams that had to be called were called, with evidence |
| causes | the report names exactly the root causes: multiset F1 on (class, object) is 1 |
| claim | `restored` in the report is what is true |
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from telejudge_envs.base_station.atoms import atoms, object_of, present, split
from telejudge_envs.base_station.physics import LOCKED, ON_PTP, effects, facts_of
from telejudge_envs.base_station.spec import Spec, team_for
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.nouns.trajectory import Check, Outcome, StopReason


def state_checks(db: RanDB, spec: Spec) -> tuple[Check, ...]:
    """The conditions on the network and on escalations."""
    return (
        Check(name="repaired", passed=not left_atoms(db, spec)),
        Check(name="in_service", passed=in_service(db, spec)),
        Check(name="no_collateral", passed=not collateral(db, spec)),
        Check(name="escalated", passed=escalated_right(db, spec)),
    )


def report_checks(db: RanDB, spec: Spec) -> tuple[Check, ...]:
    report = db.report
    f1 = 0.0 if report is None else causes_f1(db, spec, report)
    claim = report is not None and bool(report.get("restored")) == restored(db, spec)
    return (
        Check(name=f"causes (F1 {f1:.2f})", passed=f1 == 1.0),
        Check(name="claim", passed=claim),
    )


def outcome(db: RanDB, spec: Spec, stop: StopReason | None) -> Outcome:
    """`world_reward` equals `answer`; only an episode that ended with a report can be right."""
    checks = (*state_checks(db, spec), *report_checks(db, spec))
    good = stop == "agent_stop" and all(check.passed for check in checks)
    return Outcome(answer=1 if good else 0, checks=checks, world_reward=float(good))


def left_atoms(db: RanDB, spec: Spec) -> list[str]:
    """Injected faults that are still there though the agent could have repaired them."""
    return [a for a in spec.atoms if team_for(spec, a) is None and present(db, db.focus, a)]


def restored(db: RanDB, spec: Spec) -> bool:
    """Whether nothing is left of any injected fault and every cell may carry traffic again."""
    return not any(present(db, db.focus, a) for a in spec.atoms) and in_service(db, spec)


def in_service(db: RanDB, spec: Spec) -> bool:
    """Whether the focus site's cells are as far up as the faults of other teams let them be."""
    real = effects(facts_of(db, db.focus), 1)
    best = effects(_best_facts(db, spec), 1)
    return all(real[name] >= bit for name, bit in best.items() if name.startswith("traffic."))


def collateral(db: RanDB, spec: Spec) -> list[str]:
    """What was broken that had been whole: ids of faults and objects."""
    found = []
    for site_id, site in db.sites.items():
        given = set(spec.atoms) if site_id == db.focus else set()
        shared = {a for a in spec.atoms if a == "T3"}
        found += [
            f"{atom} at {site_id}"
            for atom in atoms(len(site.cells))
            if atom not in given | shared and present(db, site_id, atom)
        ]
        held = {w.object_id for w in db.work_orders if w.open}
        for cell in site.cells:
            injected = site_id == db.focus and f"R6.{cell.sector}" in spec.atoms
            locked = cell.administrativeState == "LOCKED"
            if cell.id in held and not locked:
                found.append(f"{cell.id} unlocked under a work order")
            elif cell.id not in held and locked and not injected:
                found.append(f"{cell.id} left locked")
    found += [port.id for port in db.hub.ports[1:] if port.admin == "down"]
    return found


def escalated_right(db: RanDB, spec: Spec) -> bool:
    wanted = {team for atom in spec.atoms if (team := team_for(spec, atom))}
    made = {e.team for e in db.escalations}
    return wanted == made and all(e.evidence for e in db.escalations)


def causes_f1(db: RanDB, spec: Spec, report: dict[str, Any]) -> float:
    """F1 of the multisets of (class, object) in the report and in the truth."""
    truth = Counter((split(a)[0].slug, object_of(db, db.focus, a)) for a in spec.atoms)
    named = Counter((c["fault_class"], c["object_id"]) for c in report.get("root_causes", ()))
    both = sum((truth & named).values())
    total = sum(truth.values()) + sum(named.values())
    return 2 * both / total if total else 1.0


def _best_facts(db: RanDB, spec: Spec) -> dict[str, int]:
    """The facts if everything that can be repaired were: other teams' faults stay."""
    facts = facts_of(db, db.focus)
    held = {w.object_id for w in db.work_orders if w.open}
    for cell in db.sites[db.focus].cells:
        facts[f"{LOCKED}.{cell.sector}"] = int(cell.id in held)
    for atom in atoms(len(db.sites[db.focus].cells)):
        kept = atom in spec.atoms and team_for(spec, atom) is not None
        facts[atom] = int(kept and present(db, db.focus, atom))
    clock = db.sites[db.focus].clock
    if facts["S1"] and clock.ptp_fitted and clock.ptp_locked:
        facts[ON_PTP] = 1  # without an antenna in stock the other reference has to serve
    return facts
