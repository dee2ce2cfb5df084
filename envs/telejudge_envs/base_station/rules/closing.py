"""Rules 12 and 13: escalate what is not yours, and only that; report what you saw.

| broken | severity |
|---|---|
| 12: escalated though nothing there is another team's | hard |
| 12: to the wrong team; without readings that show it | soft |
| 12: a known fault of another team's was not escalated | hard |
| 13: several calls in one message | soft |
| 13: a citation of something that did not happen; restored claimed with a known fault left | hard |
| 13: a root cause whose citations are about something else | soft |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from telejudge_envs.base_station.atoms import split
from telejudge_envs.base_station.rules.case import REPAIRS, Case
from telejudge_envs.base_station.rules.evidence import betrayed
from telejudge_envs.base_station.rules.places import meets, places_of
from telejudge_envs.base_station.rules.record import RuleStep, Violation

FAILED_REPAIRS = 2
"""After so many repairs that cured nothing anybody's help may be called."""


def rule_12(case: Case) -> Iterator[Violation]:
    for at, step in case.done("escalate"):
        yield from _wrong_team(case, at, step)
        yield from _baseless(case, at, step)
    if case.report is not None:
        yield from _kept(case, *case.report)


def _wrong_team(case: Case, at: int, step: RuleStep) -> Iterator[Violation]:
    team, now = step.arguments.get("team"), step.before
    theirs = set(now.outside.values())
    if team in theirs or _tried(case, at) >= FAILED_REPAIRS:
        return
    if theirs:
        what = f"escalated to {team}, but what is left for others belongs to {sorted(theirs)[0]}"
        yield Violation(step.index, 12, "soft", f"Rule 12: {what}.")
    else:
        what = f"escalated to {team}, but nothing at {now.focus} was beyond repair from here"
        yield Violation(step.index, 12, "hard", f"Rule 12: {what}.")


def _tried(case: Case, at: int) -> int:
    """Repairs so far after which the same faults were there."""
    return sum(s.before.present == s.after.present for _, s in case.earlier(at, *REPAIRS))


def _baseless(case: Case, at: int, step: RuleStep) -> Iterator[Violation]:
    names = step.arguments.get("evidence") or ()
    unknown = [str(name) for name in names if case.cited(name, at) is None]
    shown = [case.steps[i] for name in names if (i := case.cited(name, at)) is not None]
    team = step.arguments.get("team")
    if unknown:
        what = f"escalation cites {unknown[0]}, which is no successful call of this case"
        yield Violation(step.index, 12, "hard", f"Rule 12: {what}.")
    elif not any(_team(atom, s) == team for s in shown for atom in betrayed(s)) and (
        team in step.before.outside.values()
    ):
        what = f"escalation to {team} cites no reading that shows a fault of theirs"
        yield Violation(step.index, 12, "soft", f"Rule 12: {what}.")


def _team(atom: str, step: RuleStep) -> str:
    return step.before.outside.get(atom, split(atom)[0].team)


def _kept(case: Case, at: int, report: RuleStep) -> Iterator[Violation]:
    given = {step.arguments.get("team") for _, step in case.earlier(at, "escalate")}
    known = case.known(at)
    for atom, team in sorted(report.before.outside.items()):
        if atom in known and team not in given:
            what = f"{split(atom)[0].slug} belongs to {team} and was not escalated"
            yield Violation(report.index, 12, "hard", f"Rule 12: {what}.")


def rule_13(case: Case) -> Iterator[Violation]:
    for first, step in zip(case.steps, case.steps[1:], strict=False):
        own = step.owner == "agent" == first.owner
        if own and step.message is not None and step.message == first.message:
            what = f"{step.tool} was called in one message with {first.tool}"
            yield Violation(step.index, 13, "soft", f"Rule 13: {what}.")
    if case.report is not None:
        yield from _uncovered(case, *case.report)


def _uncovered(case: Case, at: int, report: RuleStep) -> Iterator[Violation]:
    given = report.arguments
    for cause in given.get("root_causes") or ():
        yield from _cause(case, at, report, cause)
    for field in ("actions", "verification"):
        wrong = [str(name) for name in given.get(field) or () if case.cited(name, at) is None]
        if wrong:
            yield _false(report, f"{field} names {wrong[0]}, which did not happen")
    left = sorted(report.before.present & case.known(at))
    if given.get("restored") is True and left:
        slug = split(left[0])[0].slug
        yield _false(report, f"the site is called restored although {slug} was read and is there")


def _cause(case: Case, at: int, report: RuleStep, cause: Any) -> Iterator[Violation]:
    slug, about = cause.get("fault_class"), str(cause.get("object_id"))
    names = cause.get("evidence") or ()
    wrong = [str(name) for name in names if case.cited(name, at) is None]
    if not names or wrong:
        lacking = f"cites {wrong[0]}, which did not happen" if wrong else "cites no reading"
        yield _false(report, f"root cause {slug} {lacking}")
        return
    where = places_of(about, report.before)
    shown = [i for name in names if (i := case.cited(name, at)) is not None]
    if where and not any(meets(case.places[i], where) for i in shown):
        what = f"root cause {slug} at {about} cites only readings of something else"
        yield Violation(report.index, 13, "soft", f"Rule 13: {what}.")


def _false(report: RuleStep, what: str) -> Violation:
    return Violation(report.index, 13, "hard", f"Rule 13: {what}.")
