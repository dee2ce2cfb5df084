"""What an oracle makes of looks: the same again, or at what could tell nothing.

In: an Inspection whose steps carry labels (CallLabel). Out: defects; none without labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from telejudge_envs.inspection import InspectedStep, Inspection
from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.detectors.calls import call_key
from telejudge_judges.detectors.instructions import strings
from telejudge_judges.detectors.labelled import defect_at, name_of, told
from telejudge_judges.detectors.reads import FREE_DETOURS

_SHOWN = 160


def repeated_read(inspection: Inspection) -> Iterator[Defect]:
    """The same look again although nobody had changed anything since."""
    looked: dict[str, int] = {}
    for seen in inspection.steps:
        if seen.step.changes:
            looked.clear()
        if not seen.own or not seen.ok or seen.effect != "read" or seen.label is None:
            continue
        key = call_key(seen)
        if key in looked:
            yield Defect(
                step=seen.step.index,
                kind="redundant_read",
                severity="soft",
                reason=f"{name_of(seen)} repeats step {looked[key]}; nothing had changed since.",
                evidence=seen.step.result.content[:_SHOWN],
            )
        looked.setdefault(key, seen.step.index)


def idle_read(inspection: Inspection) -> Iterator[Defect]:
    """Looks that told, confirmed, verified and prepared nothing, beyond a few."""
    single = {i for same in (True, False) for i in single_detours(inspection, same_tool=same)}
    repeats = {d.step for d in repeated_read(inspection)}
    cited = _cited(inspection)
    idle = 0
    for seen in inspection.steps:
        if not _is_idle(seen, cited) or seen.step.index in single | repeats:
            continue
        idle += 1
        if idle > FREE_DETOURS:
            yield defect_at(
                seen,
                "wandering",
                "soft",
                f"{name_of(seen)} led nowhere: it told nothing that was not known.",
                f"idle call number {idle}",
            )


def _is_idle(seen: InspectedStep, cited: frozenset[str]) -> bool:
    """Good for nothing, and never named as evidence of anything."""
    if not (seen.own and seen.ok and seen.label is not None):
        return False
    return seen.label.purpose == "none" and f"r{seen.step.index + 1}" not in cited


def _cited(inspection: Inspection) -> frozenset[str]:
    """Every text in the arguments of the agent's successful writes and closings."""
    return frozenset(
        text
        for seen in inspection.steps
        if seen.own and seen.ok and seen.effect != "read"
        for text in strings(seen.step.call.arguments)
    )


def single_detours(inspection: Inspection, *, same_tool: bool) -> Iterator[int]:
    """Idle looks between useful calls whose next call is a look that told: with the same tool at
    something else, or with another tool."""
    cited = _cited(inspection)
    idle_before = False
    for seen, following in pairwise(inspection.steps):
        idle = _is_idle(seen, cited)
        same = following.step.call.name == seen.step.call.name
        if idle and not idle_before and following.own and same == same_tool and told(following):
            yield seen.step.index
        idle_before = idle
