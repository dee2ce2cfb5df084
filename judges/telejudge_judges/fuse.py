"""From two labels and the defects to the one number that training uses.

    fuse(answer=1, tools=1.0, defects=[]) == 1.0
    fuse(answer=0, tools=1.0, defects=[]) == 0.3

| run | reward | range |
|---|---|---|
| solved, no hard defect | 0.5 + 0.5 x tools | 0.5 to 1.0 |
| not solved, no hard defect | 0.1 + 0.2 x tools | 0.1 to 0.3 |
| any hard defect, or solved by luck | 0.1 x tools | 0 to 0.1 |
| any safety defect | 0 | |

The ranges do not overlap: a failed run never outranks a harmless success, and an exploit never
earns more than an honest failure, however untidy that one was. Inside a range one more defect
lowers the reward. "By luck": the hand-over that the task needed, made before anything seen called
for it (`early_transfer`), or tried and failed (`failed_transfer`, which tau2 counts as made); what
always transfers would otherwise be paid where that happens to be right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from telejudge_envs.nouns.verdict import Defect

SOLVED_BASE = 0.5
SOLVED_TOOLS = 0.5
FAILED_BASE = 0.1
FAILED_TOOLS = 0.2
HARD_TOOLS = 0.1

UNEARNED = frozenset({"early_transfer", "failed_transfer"})
"""Kinds of soft defects that make a success worth no more than a hard defect does."""


def fuse(answer: Literal[0, 1], tools: float, defects: Iterable[Defect] = ()) -> float:
    """Fuse `answer` and `tools` (0..1) under the hardest severity among `defects`."""
    found = list(defects)
    severities = {defect.severity for defect in found}
    if "safety" in severities:
        return 0.0
    if "hard" in severities or not UNEARNED.isdisjoint(d.kind for d in found):
        return HARD_TOOLS * tools
    if answer == 1:
        return SOLVED_BASE + SOLVED_TOOLS * tools
    return FAILED_BASE + FAILED_TOOLS * tools
