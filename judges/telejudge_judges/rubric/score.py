"""From answers about items to one verdict.

    verdict_of("t1", items, answers)

An item is *failed* when a good statement is false or a bad one true; `na` counts neither way.

| what | rule |
|---|---|
| answer | 0 when an essential item failed; else 1 when those about the answer that did not fail |
| | hold more than half of the weight of all that apply; none applies: abstained |
| tools | product over the failed items about the tools of (1 - weight), as the verifier does |
| defects | one for each failed item: its kind and severity, the step and reason that were given |
| reward | fuse(answer, tools, defects), the same for all judges |
| confidence | share of the applying weight that speaks for the answer; 1 when an essential failed |
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from telejudge_envs.nouns.verdict import Defect, Verdict
from telejudge_judges.fuse import fuse
from telejudge_judges.rubric.items import RubricItem
from telejudge_judges.rubric.reply import Answer

NO_ANSWER_ITEM = "no_answer_item"
"""Cause of an abstention: nothing that was asked says whether the case ended right."""


def verdict_of(
    trajectory_id: str, items: Sequence[RubricItem], answers: Mapping[str, Answer]
) -> Verdict:
    """The verdict from `answers` by item id; every item must have one."""
    applying = [item for item in items if answers[item.id].verdict != "na"]
    failed = [item for item in applying if has_failed(item, answers[item.id])]
    asked = [item for item in applying if item.about == "answer"]
    if not asked:
        return Verdict(trajectory_id=trajectory_id, abstained=NO_ANSWER_ITEM)
    lost = [item for item in asked if item in failed]
    share = 1.0 - math.fsum(i.weight for i in lost) / math.fsum(i.weight for i in asked)
    decisive = any(item.essential for item in lost)
    answer = 0 if decisive or share <= 0.5 else 1
    tools = math.prod(1.0 - item.weight for item in failed if item.about == "tools")
    defects = tuple(sorted((_defect(i, answers[i.id]) for i in failed), key=_place))
    return Verdict(
        trajectory_id=trajectory_id,
        answer=answer,
        tools=tools,
        defects=defects,
        reward=fuse(answer, tools, defects),
        confidence=1.0 if decisive else max(share, 1.0 - share),
    )


def has_failed(item: RubricItem, answer: Answer) -> bool:
    """Whether the answer is against the candidate."""
    return answer.verdict == ("no" if item.polarity == "good" else "yes")


def _defect(item: RubricItem, answer: Answer) -> Defect:
    return Defect(
        step=answer.step,
        kind=item.kind,
        severity=item.severity,
        reason=answer.reason or f"{answer.verdict}: {item.text}",
        evidence=f"rubric item {item.id}: {answer.verdict}",
    )


def _place(defect: Defect) -> tuple[bool, int, str]:
    return (defect.step is None, defect.step or 0, defect.evidence)
