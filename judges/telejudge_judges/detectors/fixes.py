"""Fixes: was there a look before, was there a look after.

In: an Inspection. Out: soft defects. Which read counts as a look is the world's table.
"""

from __future__ import annotations

from collections.abc import Iterator

from telejudge_envs.inspection import InspectedStep, Inspection
from telejudge_envs.nouns.verdict import Defect


def unchecked_fix(inspection: Inspection) -> Iterator[Defect]:
    """A write whose condition no earlier result had shown."""
    for seen in inspection.steps:
        if seen.own and seen.unchecked:
            yield Defect(
                step=seen.step.index,
                kind="unchecked_fix",
                severity="soft",
                reason=f"{seen.step.call.name} was called without a look at what it repairs.",
                evidence="not seen before: " + ", ".join(seen.unchecked),
            )


def unverified_fix(inspection: Inspection) -> Iterator[Defect]:
    """No look at the customer's problem after the last change, or none where policy wants one."""
    for position, seen in enumerate(inspection.steps):
        if seen.own and seen.confirms and not _shown_later(inspection, position, seen.confirms):
            yield _unverified(seen, ", ".join(sorted(seen.confirms)))
    if not inspection.solvable:
        return
    written = [position for position, seen in enumerate(inspection.steps) if seen.wrote]
    if written:
        last = inspection.steps[written[-1]]
        if not any(inspection.symptom in seen.shows for seen in inspection.steps[written[-1] :]):
            yield _unverified(last, inspection.symptom)


def _shown_later(inspection: Inspection, position: int, paths: frozenset[str]) -> bool:
    later = inspection.steps[position + 1 :]
    return paths <= frozenset().union(*(seen.shows for seen in later))


def _unverified(seen: InspectedStep, path: str) -> Defect:
    return Defect(
        step=seen.step.index,
        kind="unverified_fix",
        severity="soft",
        reason=f"After {seen.step.call.name} nobody looked whether it had worked.",
        evidence=f"not seen after: {path}",
    )
