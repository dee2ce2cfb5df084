"""Calls that went wrong in themselves: malformed, refused, ignored, without effect.

In: an Inspection. Out: defects that name the call and its error.
"""

from __future__ import annotations

from collections.abc import Iterator

from telejudge_envs.inspection import InspectedStep, Inspection
from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.detectors.instructions import strings

_SHOWN = 160


def malformed_call(inspection: Inspection) -> Iterator[Defect]:
    """The call did not fit its tool: unknown tool, no JSON, missing, extra or mistyped argument."""
    for seen in _own(inspection):
        if seen.malformed is not None:
            yield Defect(
                step=seen.step.index,
                kind="malformed_call",
                severity="soft",
                reason=f"The call of {_name(seen)} does not fit the tool.",
                evidence=seen.malformed[:_SHOWN],
            )


def failed_call(inspection: Inspection) -> Iterator[Defect]:
    """The call fitted its tool, and the tool refused it for good."""
    own = list(_own(inspection))
    for position, seen in enumerate(own):
        if seen.malformed is None and not seen.ok and not _excused(inspection, own, position):
            yield Defect(
                step=seen.step.index,
                kind="failed_call",
                severity="soft",
                reason=f"{_name(seen)} refused the call.",
                evidence=seen.step.result.content[:_SHOWN],
            )


def ignored_error(inspection: Inspection) -> Iterator[Defect]:
    """The agent made a failing call again as it was, or went on as if it had worked."""
    failed: dict[str, int] = {}
    own = list(_own(inspection))
    for position, seen in enumerate(own):
        if seen.step.changes:
            failed.clear()
        if seen.ok:
            continue
        key = call_key(seen)
        if key in failed and not _busy(seen):
            yield _ignored(seen, f"It had failed in the same way at step {failed[key]}.")
        elif (
            seen.effect == "write"
            and _went_on(own, position)
            and not _branched(inspection, own, position)
        ):
            yield _ignored(seen, "The next call goes on as if it had worked.")
        failed.setdefault(key, seen.step.index)


def _went_on(own: list[InspectedStep], position: int) -> bool:
    """Whether the next call that worked neither looks nor is another try at the failed write."""
    tool = own[position].step.call.name
    for following in own[position + 1 :]:
        if following.ok:
            return following.effect != "read" and following.step.call.name != tool
    return False


def _branched(inspection: Inspection, own: list[InspectedStep], position: int) -> bool:
    """Whether the next call that worked does something else about the same object, such as handing
    it over: the refusal told why. Only where an oracle labels calls, since objects elsewhere are
    too coarse for that."""
    refused = own[position]
    if refused.label is None:
        return False
    names = set(strings(refused.step.call.arguments))
    objects = [n for n in names if n[-1:].isdigit() and n not in inspection.task.ticket]
    for following in own[position + 1 :]:
        if following.ok:
            said = " ".join(strings(following.step.call.arguments))
            other = following.step.call.name != refused.step.call.name
            return other and following.effect == "write" and any(o in said for o in objects)
    return False


def _ignored(seen: InspectedStep, why: str) -> Defect:
    return Defect(
        step=seen.step.index,
        kind="ignored_error",
        severity="soft",
        reason=f"The failure of {_name(seen)} was ignored. {why}",
        evidence=seen.step.result.content[:_SHOWN],
    )


def call_without_effect(inspection: Inspection) -> Iterator[Defect]:
    """A write that did not fail and changed nothing."""
    for seen in _own(inspection):
        if seen.effect == "write" and seen.ok and not seen.step.changes:
            yield Defect(
                step=seen.step.index,
                kind="call_without_effect",
                severity="soft",
                reason=f"{_name(seen)} changed nothing.",
                evidence=seen.step.result.content[:_SHOWN],
            )


def _excused(inspection: Inspection, own: list[InspectedStep], position: int) -> bool:
    return _busy(own[position]) or _branched(inspection, own, position)


def _busy(seen: InspectedStep) -> bool:
    """Refused at this moment only: who tries again does as he was told."""
    return seen.step.result.content.startswith("Error: BUSY")


def call_key(seen: InspectedStep) -> str:
    """Equal for calls of the same tool with the same arguments."""
    call = seen.step.call
    return f"{call.name}|{sorted(call.arguments.items(), key=lambda i: i[0])!r}|{call.raw}"


def _own(inspection: Inspection) -> Iterator[InspectedStep]:
    return (seen for seen in inspection.steps if seen.own)


def _name(seen: InspectedStep) -> str:
    return seen.step.call.name[:60] or "a tool without name"
