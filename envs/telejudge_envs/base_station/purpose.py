"""What a call was good for: did a read tell, confirm, verify or prepare something, or nothing.

In: a retraced trajectory and the oracle's gains. Out: for every call a purpose.

    purposes(traced, gains)[4]      -> "confirms"

| purpose | a read that |
|---|---|
| news | excluded a hypothesis |
| confirms | would have shown something else without a fault that is there |
| verifies | looks again: alarms or KPIs after a change, after a repair what had told before |
| prepares | is the first picture, or about stock, topology, orders, impact, manual (a few times) |
| none | did none of that |

Writes and failed calls have the purpose `acts`; nobody judges reads of the technician by it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from telejudge_envs.base_station.retrace import Traced
from telejudge_envs.base_station.rules.case import OVERVIEWS, REPAIRS
from telejudge_envs.base_station.rules.evidence import betrayed
from telejudge_envs.base_station.rules.record import RuleStep

Purpose = Literal["news", "confirms", "verifies", "prepares", "acts", "none"]

PREPARED = 3
"""So often one such tool may be asked between two changes."""

VERIFIERS = frozenset({"list_alarms", "get_kpi"})
PREPARERS = OVERVIEWS - VERIFIERS


def purposes(
    steps: Sequence[Traced], ruled: Sequence[RuleStep], gains: Sequence[float]
) -> list[Purpose]:
    """One for every step; `ruled` are the same steps as the rules see them."""
    spoke: set[str] = set()
    asked: Counter[str] = Counter()
    changed = repaired = False
    found: list[Purpose] = []
    for step, rule, gain in zip(steps, ruled, gains, strict=True):
        if step.effect != "read" or step.result.error:
            repaired |= step.call.name in REPAIRS and not step.result.error
            if step.changes:
                changed = True
                asked.clear()
            found.append("acts")
            continue
        key = f"{step.call.name}{json.dumps(step.call.arguments, sort_keys=True, default=str)}"
        asked[step.call.name] += 1
        purpose: Purpose = "none"
        if gain > 0:
            purpose = "news"
        elif betrayed(rule):
            purpose = "confirms"
        elif (changed and step.call.name in VERIFIERS) or (repaired and key in spoke):
            purpose = "verifies"
        elif asked[step.call.name] <= _preparing(step.call.name, changed):
            purpose = "prepares"
        if purpose in ("news", "confirms"):
            spoke.add(key)
        found.append(purpose)
    return found


def _preparing(tool: str, changed: bool) -> int:
    """How often a tool may be asked to prepare; alarms and counters are the first picture once."""
    if tool in PREPARERS:
        return PREPARED
    return 1 if tool in VERIFIERS and not changed else 0
