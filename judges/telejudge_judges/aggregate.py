"""From the votes of several presentation orders to one verdict for each trajectory.

In: for each candidate the entries that the orders gave, by order. Out: Verdicts.

| what | rule |
|---|---|
| answer | majority of the orders that judged the candidate |
| hard or safety defects | count when most orders report that severity for the candidate |
| soft defects | union, each step and kind once |
| tools | mean |
| confidence | orders that agree with the answer / orders that were asked |

A tie in the answer or in the severity is nobody's verdict: the judge asks a further order, and if
the tie stands the candidate is abstained. A candidate that no order judged is abstained with the
cause of its failures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from telejudge_envs.nouns.verdict import Defect, Verdict
from telejudge_judges.codec import Entry
from telejudge_judges.fuse import fuse

DISAGREE = "orders_disagree"


@dataclass
class Votes:
    """What the orders said of one candidate, and why some said nothing."""

    asked: int = 0
    entries: list[Entry] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)

    @property
    def answer(self) -> Literal[0, 1] | None:
        """The majority; None when there is a tie or no vote."""
        ones = sum(entry.answer for entry in self.entries)
        if 2 * ones == len(self.entries):
            return None
        return 1 if 2 * ones > len(self.entries) else 0

    @property
    def level(self) -> int | None:
        """0 no grave defect, 1 hard, 2 safety, by majority; None when there is a tie."""
        levels = [grave_level(entry.defects) for entry in self.entries]
        for level in (2, 1):
            twice = 2 * sum(each >= level for each in levels)
            if twice == len(levels):
                return None
            if twice > len(levels):
                return level
        return 0

    @property
    def undecided(self) -> bool:
        """Whether another order could decide what the present ones do not."""
        return bool(self.entries) and (self.answer is None or self.level is None)

    @property
    def flipped(self) -> bool:
        return len({entry.answer for entry in self.entries}) > 1


def grave_level(defects: Sequence[Defect]) -> int:
    severities = {defect.severity for defect in defects}
    return 2 if "safety" in severities else 1 if "hard" in severities else 0


def verdict(trajectory_id: str, votes: Votes) -> Verdict:
    """The verdict that the votes give, or an abstention."""
    if not votes.entries:
        counted = Counter(votes.causes).most_common(1)
        return Verdict(
            trajectory_id=trajectory_id, abstained=counted[0][0] if counted else "missing"
        )
    answer, level = votes.answer, votes.level
    if answer is None or level is None:
        return Verdict(trajectory_id=trajectory_id, abstained=DISAGREE)
    tools = sum(entry.tools for entry in votes.entries) / len(votes.entries)
    defects = _defects(votes.entries, level)
    return Verdict(
        trajectory_id=trajectory_id,
        answer=answer,
        tools=tools,
        defects=defects,
        reward=fuse(answer, tools, defects),
        confidence=sum(e.answer == answer for e in votes.entries) / votes.asked,
    )


def flip_rate(votes: Mapping[str, Votes]) -> float | None:
    """Share of the candidates judged in two orders or more whose answer was not always the same."""
    twice = [v for v in votes.values() if len(v.entries) > 1]
    return sum(v.flipped for v in twice) / len(twice) if twice else None


def _defects(entries: Sequence[Entry], level: int) -> tuple[Defect, ...]:
    """Those up to the agreed level, in step order, each severity, step and kind once."""
    kept: dict[tuple[int | None, str, str], Defect] = {}
    for entry in entries:
        for defect in entry.defects:
            if grave_level((defect,)) <= level:
                kept.setdefault((defect.step, defect.kind, defect.severity), defect)
    return tuple(sorted(kept.values(), key=lambda d: (d.step is None, d.step or 0)))
