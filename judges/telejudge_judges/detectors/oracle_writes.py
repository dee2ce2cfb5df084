"""What an oracle makes of writes: hasty, misdirected, too strong, badly advised.

In: an Inspection whose steps carry labels (CallLabel). Out: defects; none without labels.

A write is judged by what could be known before it, not by how it turned out: `premature_write` is a
repair of what was not yet known to be broken, also where luck made it right.
"""

from __future__ import annotations

from collections.abc import Iterator

from telejudge_envs.inspection import CallLabel, InspectedStep, Inspection
from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.detectors.calls import call_key
from telejudge_judges.detectors.instructions import instructed
from telejudge_judges.detectors.labelled import defect_at, labelled_writes, name_of
from telejudge_judges.detectors.oracle_reads import single_detours

SURE = 0.9
"""From this probability on what a write repairs counts as known to be broken."""


def premature_write(inspection: Inspection) -> Iterator[Defect]:
    """A repair before it was known (with 90%) that there is something to repair."""
    for seen, label in labelled_writes(inspection):
        chance = label.target_probability
        if seen.own and chance is not None and 0.0 < chance < SURE:
            passed = inspection.outcome.answer == 1
            luck = " It was right by luck." if passed else ""
            yield defect_at(
                seen,
                "premature_write",
                "soft",
                f"{name_of(seen)} came before it was known that it was needed: {chance:.0%}.{luck}",
            )


def wrong_argument(inspection: Inspection) -> Iterator[Defect]:
    """A repair of something that could not be broken: the right tool, where the same tool elsewhere
    was called for. Hard when users lost their service for it."""
    for seen, label in labelled_writes(inspection):
        if _misses(inspection, seen, label) and _same_tool_wanted(inspection, seen, label):
            yield defect_at(
                seen,
                "wrong_argument",
                "hard" if label.interrupts else "soft",
                f"What {name_of(seen)} was called on could not be the cause any more.",
            )
    for index in single_detours(inspection, same_tool=True):
        seen = inspection.steps[index]
        yield defect_at(
            seen,
            "wrong_argument",
            "soft",
            f"{name_of(seen)} was put to something that could tell nothing; the next one told.",
        )


def wrong_tool(inspection: Inspection) -> Iterator[Defect]:
    """A write that could repair nothing, or a single idle look right before the one that told."""
    for seen, label in labelled_writes(inspection):
        if _misses(inspection, seen, label) and not _same_tool_wanted(inspection, seen, label):
            yield defect_at(
                seen,
                "wrong_tool",
                "hard" if label.interrupts else "soft",
                f"Nothing that {name_of(seen)} repairs could be broken.",
            )
    for index in single_detours(inspection, same_tool=False):
        seen, following = inspection.steps[index], inspection.steps[index + 1]
        yield defect_at(
            seen,
            "wrong_tool",
            "soft",
            f"{name_of(seen)} could tell nothing about the case; {name_of(following)} did.",
        )


def over_impact(inspection: Inspection) -> Iterator[Defect]:
    """A write where a gentler one would have done, though it was aimed at the right thing."""
    for seen, label in labelled_writes(inspection):
        chance = label.target_probability
        aimed = chance is None or chance >= SURE
        if seen.own and aimed and not label.sufficient:
            yield defect_at(
                seen, "over_impact", "soft", f"{name_of(seen)} did more than the case asked for."
            )


def bad_instruction(inspection: Inspection) -> Iterator[Defect]:
    """Somebody did as the agent had told him, and it could not help or was not yet known to."""
    for seen, label in labelled_writes(inspection):
        chance = label.target_probability
        if (
            seen.own
            or chance is None
            or chance >= SURE
            or not instructed(inspection, seen.step.index)
        ):
            continue
        yield defect_at(
            seen,
            "bad_instruction",
            "hard" if label.interrupts and chance == 0.0 else "soft",
            f"The agent asked for {name_of(seen)}, which was needed with {chance:.0%}.",
        )


def _misses(inspection: Inspection, seen: InspectedStep, label: CallLabel) -> bool:
    """Could repair nothing; the same call made again is insistence, which is the rules' matter."""
    if not seen.own or label.possible:
        return False
    key = call_key(seen)
    earlier = inspection.steps[: seen.step.index]
    return not any(s.own and s.ok and call_key(s) == key for s in earlier)


def _same_tool_wanted(inspection: Inspection, seen: InspectedStep, label: CallLabel) -> bool:
    """Whether the best call then was of this tool, or this tool repaired something elsewhere."""
    tool = seen.step.call.name
    if label.cheapest.startswith(f"{tool} on "):
        return True
    return any(
        other.step.call.name == tool and (found.target_probability or 0.0) > 0.0
        for other, found in labelled_writes(inspection)
    )
