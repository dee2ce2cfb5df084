"""Rules 10 and 11: prove the repair; mitigate first and say what is left.

| broken | severity |
|---|---|
| 10: a repair without alarms and KPI read afterwards; a report without a sweep of the site | soft |
| 11: cells left without a clock although PTP was good; a known fault left unsaid | soft |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from telejudge_envs.base_station.atoms import split
from telejudge_envs.base_station.rules.case import REPAIRS, Case
from telejudge_envs.base_station.rules.places import Place, meets, target
from telejudge_envs.base_station.rules.record import RuleStep, Violation


def rule_10(case: Case) -> Iterator[Violation]:
    last = -1
    end = len(case.steps) if case.report is None else case.report[0]
    for at, step in case.done(*REPAIRS, "lock_cell"):
        if at >= end:
            continue
        last = at
        if step.tool in REPAIRS and (missing := _unread(case, at, end, case.places[at])):
            what = f"{' and '.join(missing)} not read after {step.tool} on {target(step)}"
            yield Violation(step.index, 10, "soft", f"Rule 10: {what}.")
    if case.report is not None:
        yield from _sweep(case, last, *case.report)


def _unread(case: Case, at: int, end: int, where: frozenset[Place]) -> list[str]:
    later = range(at + 1, end)
    missing = []
    if not any(_alarms(case, i, where) for i in later):
        missing.append("alarms")
    if not any(case.steps[i].tool == "get_kpi" and _good(case, i, where) for i in later):
        missing.append("KPI")
    return missing


def _alarms(case: Case, i: int, where: frozenset[Place]) -> bool:
    listed = case.steps[i].tool == "list_alarms"
    return listed and case.steps[i].arguments.get("state") != "cleared" and _good(case, i, where)


def _good(case: Case, i: int, where: frozenset[Place]) -> bool:
    return case.steps[i].ok and meets(case.places[i], where)


def _sweep(case: Case, last: int, end: int, report: RuleStep) -> Iterator[Violation]:
    """Alarms and KPIs of all cells of the ticket's site after the last change."""
    site = report.before.focus
    missing = []
    later = range(last + 1, end)
    if not any(_alarms(case, i, frozenset({Place(site, 0)})) for i in later):
        missing.append("the alarms")
    for name, cell in report.before.cells.items():
        here = frozenset({Place(site, cell.sector)})
        read = any(case.steps[i].tool == "get_kpi" and _good(case, i, here) for i in later)
        if cell.site == site and not read:
            missing.append(f"the KPIs of {name}")
    if missing:
        what = f"reported without reading {' and '.join(missing)} of {site} after the last change"
        yield Violation(report.index, 10, "soft", f"Rule 10: {what}.")


def rule_11(case: Case) -> Iterator[Violation]:
    for at, step in case.done("dispatch_technician"):
        if _leaves_cells_down(step) and "S1" in case.known(at):
            what = f"visit to {step.before.focus} before its clock was switched to the good PTP"
            yield Violation(step.index, 11, "soft", f"Rule 11: {what}.")
            break
    if case.report is not None:
        yield from _unsaid(case, *case.report)


def _leaves_cells_down(step: RuleStep) -> bool:
    now = step.before
    return (
        step.arguments.get("site_id") == now.focus
        and bool(now.effects["alarm.LOSS_OF_SYNCHRONIZATION"])
        and "S1" in now.present
        and now.focus in now.clock_options
    )


def _admitted(report: RuleStep, left: Sequence[str]) -> bool:
    """Whether the report says that the site is not restored and names all that is left: a fault
    without an alarm has no other place in it."""
    named = {cause.get("fault_class") for cause in report.arguments.get("root_causes", ())}
    wholly = all(split(atom)[0].slug in named for atom in left)
    return report.arguments.get("restored") is False and wholly


def _unsaid(case: Case, at: int, report: RuleStep) -> Iterator[Violation]:
    """Known faults that are left, and that the report neither lists nor hands over."""
    given = {str(step.arguments.get("team")) for _, step in case.earlier(at, "escalate")}
    now = report.before
    left = [
        atom for atom in sorted(now.present & case.known(at)) if now.outside.get(atom) not in given
    ]
    said = report.arguments.get("residual_alarms") or _admitted(report, left)
    if left and not said and not report.arguments.get("escalation"):
        what = f"the report says nothing of what is left ({left[0]})"
        if not report.arguments.get("restored"):
            yield Violation(report.index, 11, "soft", f"Rule 11: {what}.", evidence=", ".join(left))
