"""All detectors, and what each kind of defect costs.

In: an Inspection. Out: its defects in step order (those of the whole trajectory last), and
`tools`, the product over them of (1 - weight).

    defects = find_defects(inspection)
    tools = tools_score(defects)          # 1.0 without defects, never 0
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable

from telejudge_envs.inspection import Inspection
from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.detectors import calls, endings, escalation, fixes, harm, ids, reads

Detector = Callable[[Inspection], Iterable[Defect]]

DETECTORS: tuple[Detector, ...] = (
    calls.malformed_call,
    calls.failed_call,
    calls.ignored_error,
    calls.call_without_effect,
    ids.hallucinated_id,
    reads.redundant_read,
    reads.wandering,
    harm.side_effect,
    harm.policy_violation,
    harm.broken_setting,
    harm.needless_change,
    fixes.unchecked_fix,
    fixes.unverified_fix,
    escalation.needless_transfer,
    escalation.missing_transfer,
    endings.gave_up,
    endings.never_looked,
    endings.left_fault,
)

WEIGHTS: dict[str, float] = {
    # care that was missing: an episode has many chances for these, so they are cheap
    "unchecked_fix": 0.10,
    "redundant_read": 0.07,
    "wandering": 0.05,
    "failed_call": 0.10,
    "call_without_effect": 0.10,
    # calls that a careful agent does not make
    "hallucinated_id": 0.12,
    "malformed_call": 0.15,
    "ignored_error": 0.15,
    "needless_change": 0.20,
    "undone_work": 0.20,
    # what the customer is left with: more than the look that an attempt would have needed, so
    # that attempting always pays
    "left_fault": 0.20,
    "unverified_fix": 0.20,
    "never_looked": 0.40,
    "gave_up": 0.40,
    "missing_transfer": 0.40,
    # damage, and cases shifted to others
    "broken_setting": 0.40,
    "needless_charge": 0.50,
    "policy_violation": 0.50,
    "needless_transfer": 0.50,
    "early_transfer": 0.50,
    "failed_transfer": 0.50,
    "side_effect": 0.90,
}


def find_defects(inspection: Inspection) -> tuple[Defect, ...]:
    """Every defect that any detector sees."""
    found = [defect for detect in DETECTORS for defect in detect(inspection)]
    return tuple(sorted(found, key=lambda d: math.inf if d.step is None else d.step))


def tools_score(defects: Iterable[Defect]) -> float:
    """How reasonable the calls were, in (0, 1]; each further defect lowers it."""
    score = math.prod(1.0 - WEIGHTS[defect.kind] for defect in defects)
    return max(score, sys.float_info.min)
