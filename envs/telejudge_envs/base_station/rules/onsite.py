"""Rules 6 and 9: alarms are evidence; send somebody for a reason.

| broken | severity |
|---|---|
| 6: an AUTOMATIC alarm, or one whose cause is still there, was cleared by hand | hard |
| 6: a MANUAL alarm was cleared without a look at its object | soft |
| 9: a visit that the readings do not call for, or a second one without news | soft |
"""

from __future__ import annotations

from collections.abc import Iterator

from telejudge_envs.base_station.rules.case import Case
from telejudge_envs.base_station.rules.evidence import explained
from telejudge_envs.base_station.rules.places import places_of
from telejudge_envs.base_station.rules.record import RuleStep, Violation


def rule_6(case: Case) -> Iterator[Violation]:
    for at, step in case.done("clear_alarm"):
        alarm = str(step.arguments.get("alarm_id"))
        about, kind = step.before.standing.get(alarm, ("", "AUTOMATIC"))
        if kind == "AUTOMATIC":
            # Alarms that a fault raised are all AUTOMATIC: while one can be cleared, it is real.
            what = f"{alarm} clears by itself when its cause is gone, and was cleared by hand"
            yield Violation(step.index, 6, "hard", f"Rule 6: {what}.")
        elif not case.looked_at(at, places_of(about, step.before)):
            what = f"{alarm} was cleared without a reading of {about} that shows it repaired"
            yield Violation(step.index, 6, "soft", f"Rule 6: {what}.")


def rule_9(case: Case) -> Iterator[Violation]:
    last: dict[str, int] = {}
    for at, step in case.done("dispatch_technician"):
        site = str(step.arguments.get("site_id"))
        since = last.get(site, -1)
        if not _called_for(case, site, since + 1, at):
            when = " since the last visit" if since >= 0 else ""
            what = f"nothing read{when} speaks for a fault on site at {site}"
            yield Violation(step.index, 9, "soft", f"Rule 9: {what}.")
        last[site] = at


def _called_for(case: Case, site: str, start: int, end: int) -> bool:
    """Whether faults that can be repaired from afar cannot explain what was read."""
    steps: tuple[RuleStep, ...] = case.steps[start:end]
    if not steps or site != steps[-1].after.focus:
        return False
    alone = any(not explained([step]) for step in steps if step.shows)
    return alone or not explained(steps)
