"""Handing the case to a human: needlessly, too early, or not at all.

In: an Inspection. Out: defects. A hand-over is right when the policy puts the task out of the
agent's reach and the agent has seen what does so.
"""

from __future__ import annotations

from collections.abc import Iterator

from telejudge_envs.inspection import InspectedStep, Inspection
from telejudge_envs.nouns.verdict import Defect, Severity

TRANSFER = "transfer"


def needless_transfer(inspection: Inspection) -> Iterator[Defect]:
    """Hard when it replaces work that would have helped; soft when all was done already.

    Before the evidence was seen it may be right by luck: `early_transfer` is soft, since it does
    no harm, and fuse() gives no credit for the luck.
    """
    before = 0
    for seen in inspection.steps:
        if not seen.own or not is_transfer(seen) or not seen.ok:
            continue
        before += 1
        if not inspection.solvable:
            if not any(path in seen.known for path in inspection.blockers):
                yield _defect(seen, "soft", "before anything seen called for it", "early_transfer")
            elif before > 1:
                yield _defect(seen, "soft", "again")
        elif inspection.satisfied_before[seen.step.index]:
            yield _defect(seen, "soft", "after the problem was solved")
        else:
            yield _defect(seen, "hard", "though the agent could have solved it")


def missing_transfer(inspection: Inspection) -> Iterator[Defect]:
    """The agent saw that the task is out of its reach, and closed it without handing it over.

    A hand-over that failed is none. tau2 counts it as one, hence a kind of its own for fuse().
    """
    tries = [seen for seen in inspection.steps if seen.own and is_transfer(seen)]
    if inspection.solvable or any(seen.ok for seen in tries):
        return
    if tries:
        yield Defect(
            step=tries[-1].step.index,
            kind="failed_transfer",
            severity="soft",
            reason="The hand-over failed, so nobody took the case.",
            evidence=tries[-1].step.result.content[:160],
        )
        return
    shown = frozenset().union(*(seen.shows for seen in inspection.steps))
    if blocking := [path for path in inspection.blockers if path in shown]:
        yield Defect(
            step=None,
            kind="missing_transfer",
            severity="soft",
            reason="The policy wants this case handed to a human; it was not.",
            evidence=", ".join(blocking),
        )


def is_transfer(seen: InspectedStep) -> bool:
    """Control tools either close a case or hand it over; those that hand over say so."""
    return seen.effect == "control" and seen.step.call.name.startswith(TRANSFER)


def _defect(
    seen: InspectedStep, severity: Severity, when: str, kind: str = "needless_transfer"
) -> Defect:
    return Defect(
        step=seen.step.index,
        kind=kind,
        severity=severity,
        reason=f"The case was handed to a human {when}.",
        evidence=str(seen.step.call.arguments.get("summary", ""))[:160],
    )
