"""How an unsolved case was left: without a try, without a look, with faults unrepaired.

In: an Inspection. Out: defects of the whole trajectory; none for solved ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from telejudge_envs.inspection import InspectedStep, Inspection
from telejudge_envs.nouns.verdict import Defect


def gave_up(inspection: Inspection) -> Iterator[Defect]:
    """Unsolved, and not one write that the state asked for (nor the evidence that none helps)."""
    if inspection.outcome.answer == 1 or any(_helped(inspection, s) for s in inspection.steps):
        return
    shown = frozenset().union(*(seen.shows for seen in inspection.steps))
    if any(path in shown for path in inspection.blockers):
        return
    yield Defect(
        step=None,
        kind="gave_up",
        severity="hard",
        reason="The case was left unsolved without an attempt that could have helped.",
        evidence=f"{len(inspection.steps)} calls, none of which repaired anything",
    )


def _helped(inspection: Inspection, seen: InspectedStep) -> bool:
    """A needed write; repairing what the agent itself broke is none."""
    repairs = [move.path for move in seen.moves if move.kind == "repair" and not move.derived]
    return seen.needed and (not repairs or any(path in inspection.faults for path in repairs))


def never_looked(inspection: Inspection) -> Iterator[Defect]:
    """The agent ended the case without having seen anything of it."""
    if not any(seen.shows for seen in inspection.steps):
        yield Defect(
            step=None,
            kind="never_looked",
            severity="soft",
            reason="The case was ended without a single look at it.",
        )


def left_fault(inspection: Inspection) -> Iterator[Defect]:
    """Each fault that the agent could have repaired and that is still there."""
    if inspection.outcome.answer == 1 or not inspection.solvable:
        return
    for path in inspection.left:
        yield Defect(
            step=None,
            kind="left_fault",
            severity="soft",
            reason="The case was left unsolved with a fault that could have been repaired.",
            evidence=path,
        )
