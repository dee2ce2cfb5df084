"""How an unsolved case was left: without a try, without a look, with faults unrepaired.

In: an Inspection. Out: defects of the whole trajectory; none for solved ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from telejudge_envs.inspection import InspectedStep, Inspection
from telejudge_envs.nouns.verdict import Defect


def gave_up(inspection: Inspection) -> Iterator[Defect]:
    """Unsolved, and not one write that the state asked for (nor the evidence that none helps)."""
    repaired = any(path not in inspection.left for path in inspection.faults)
    if inspection.outcome.answer == 1 or repaired or any(map(_began, inspection.steps)):
        return
    shown = frozenset().union(*(seen.shows for seen in inspection.steps))
    if any(path in shown for path in inspection.blockers):
        return
    yield Defect(
        step=None,
        kind="gave_up",
        severity="soft" if _told_all(inspection) else "hard",
        reason="The case was left unsolved without an attempt that could have helped.",
        evidence=f"{len(inspection.steps)} calls, none of which repaired anything",
    )


def _told_all(inspection: Inspection) -> bool:
    """Whether a report, where the world asks for one, named every cause and claimed nothing."""
    about = [c for c in inspection.outcome.checks if c.name.startswith(("causes", "claim"))]
    return bool(about) and all(check.passed for check in about)


def _began(seen: InspectedStep) -> bool:
    """The first part of a repair in several, such as a reset that waits for a reboot."""
    return seen.needed and seen.wrote and all(move.kind == "change" for move in seen.moves)


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
