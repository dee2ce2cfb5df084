"""Steps with what an oracle says of them (CallLabel), for the detectors that ask it.

In: an Inspection. Out: its labelled steps, and defects that carry the label's sentence.
"""

from __future__ import annotations

from collections.abc import Iterator

from telejudge_envs.inspection import CallLabel, InspectedStep, Inspection
from telejudge_envs.nouns.verdict import Defect, Severity


def labelled_writes(inspection: Inspection) -> Iterator[tuple[InspectedStep, CallLabel]]:
    """Successful writes that have a label."""
    for seen in inspection.steps:
        if seen.ok and seen.effect == "write" and seen.label is not None:
            yield seen, seen.label


def told(seen: InspectedStep) -> bool:
    """Whether a look said something new, or made sure of what had been likely."""
    return seen.label is not None and seen.label.purpose in ("news", "confirms")


def defect_at(
    seen: InspectedStep, kind: str, severity: Severity, reason: str, evidence: str = ""
) -> Defect:
    """A defect at a step; without other evidence the label's sentence is its evidence."""
    sentence = seen.label.sentence if seen.label is not None else ""
    return Defect(
        step=seen.step.index,
        kind=kind,
        severity=severity,
        reason=reason,
        evidence=(evidence or sentence)[:300],
    )


def name_of(seen: InspectedStep) -> str:
    """The tool that was called."""
    return seen.step.call.name
