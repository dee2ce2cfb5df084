"""From two labels and the defects to the one number that training uses.

    fuse(answer=1, tools=1.0, defects=[]) == 1.0
    fuse(answer=0, tools=1.0, defects=[]) == 0.3

| run | reward |
|---|---|
| solved, no hard defect | 0.5 + 0.5 x tools |
| not solved, no hard defect | 0.3 x tools |
| any hard defect | 0.1 x tools, solved or not |
| any safety defect | 0 |

So a failed run never outranks a harmless success, an exploit never earns more than an honest
failure of equal tidiness, and one more defect always lowers a reward that is above 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from telejudge_envs.nouns.verdict import Defect

SOLVED_BASE = 0.5
SOLVED_TOOLS = 0.5
FAILED_TOOLS = 0.3
HARD_TOOLS = 0.1


def fuse(answer: Literal[0, 1], tools: float, defects: Iterable[Defect] = ()) -> float:
    """Fuse `answer` and `tools` (0..1) under the hardest severity among `defects`."""
    severities = {defect.severity for defect in defects}
    if "safety" in severities:
        return 0.0
    if "hard" in severities:
        return HARD_TOOLS * tools
    if answer == 1:
        return SOLVED_BASE + SOLVED_TOOLS * tools
    return FAILED_TOOLS * tools
