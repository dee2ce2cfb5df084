"""Reads that told nothing new: the same look twice, and detours.

In: an Inspection. Out: defects at the needless calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from telejudge_envs.conventions import SYMPTOM
from telejudge_envs.inspection import InspectedStep, Inspection
from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.detectors.calls import call_key

FREE_DETOURS = 2
"""So many idle calls are taken as care; each further one is a defect."""


def redundant_read(inspection: Inspection) -> Iterator[Defect]:
    """The same read with the same arguments, and nothing it shows had changed in between."""
    for seen, _, earlier in _reviewed(inspection):
        if earlier is None:
            continue
        yield Defect(
            step=seen.step.index,
            kind="redundant_read",
            severity="soft",
            reason=f"{seen.step.call.name} repeats step {earlier}; nothing it shows had changed.",
            evidence=seen.step.result.content[:160],
        )


def wandering(inspection: Inspection) -> Iterator[Defect]:
    """Calls that bring the case no further: reads of what is known or beside the point, and any
    call after the problem was seen solved or the case was handed over."""
    idle, handed_over = 0, False
    for seen, news, repeats in _reviewed(inspection):
        if seen.effect == "control":
            handed_over = True
            continue
        closed = handed_over or _seen_solved(inspection, seen)
        stale = seen.effect == "read" and not news
        if repeats is not None or not (closed or stale):
            continue
        idle += 1
        if idle > FREE_DETOURS:
            why = "the case was closed already" if closed else "it told nothing new"
            yield Defect(
                step=seen.step.index,
                kind="wandering",
                severity="soft",
                reason=f"{seen.step.call.name} led nowhere: {why}.",
                evidence=f"idle call number {idle}",
            )


def _seen_solved(inspection: Inspection, seen: InspectedStep) -> bool:
    return (
        inspection.solvable
        and inspection.satisfied_before[seen.step.index]
        and inspection.symptom in seen.known
    )


def _reviewed(inspection: Inspection) -> Iterator[tuple[InspectedStep, bool, int | None]]:
    """The agent's successful calls: did a read tell news, and which earlier read does it repeat.

    News is a path not read since it last changed; that a write's own result had told it does not
    count, so that a look after a fix is news; nor that another read had implied it, so that the
    first look with a tool is. A symptom changes with anything.
    """
    read_at: dict[str, int] = {}
    changed_at: dict[str, int] = {}
    same_read: dict[str, int] = {}
    last_change = -1
    for seen in inspection.steps:
        index = seen.step.index
        if seen.step.changes:
            last_change = index
            changed_at.update((change.path, index) for change in seen.step.changes)
        if not seen.ok:
            continue
        news, repeats = False, None
        if seen.effect == "read":
            changed = -1
            for path in seen.shows:
                latest = last_change if path.startswith(SYMPTOM) else changed_at.get(path, -1)
                news |= read_at.get(path, -1) <= latest
                changed = max(changed, latest)
                read_at[path] = index
            if seen.own:
                key = call_key(seen)
                earlier = same_read.get(key, -1)
                news |= earlier == -1 and bool(seen.shows)
                repeats = earlier if earlier > changed else None
                same_read[key] = index
        if seen.own:
            yield seen, news, repeats
