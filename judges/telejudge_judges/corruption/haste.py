"""Edits that repair before what shows that the repair is needed.

In: a case of the base-station world. Out: an edited script, or None.
"""

from __future__ import annotations

from telejudge_judges.corruption.base_station import FIELD
from telejudge_judges.corruption.repairs import repairs
from telejudge_judges.corruption.script import Case, Dice, Edit, Edited


def hasty(case: Case, dice: Dice) -> Edited | None:
    """A repair before what shows that it is needed, which is read right after it: the proofs, or
    the alarms as well."""
    fixes = [i for i in repairs(case) if case.script[i].tool not in FIELD]
    alarms = case.named("list_alarms")
    if not fixes or not alarms:
        return None
    fix = dice.choice(fixes)
    earlier = [i for i in alarms if i < fix]
    if not earlier:
        return None
    start = earlier[-1] + (0 if alone(case, fix, alarms) else 1)
    late = [
        i
        for i in range(start, fix)
        if case.step(case.script[i]).effect == "read" and case.script[i].tool not in _NEEDED_FIRST
    ]
    if not late:
        return None
    early = [s for i, s in enumerate(case.script[: fix + 1]) if i not in late]
    after = [case.script[i] for i in late if case.script[i].tool != "list_alarms"]
    rest = case.script[fix + 1 :]
    again = [k for k, slot in enumerate(rest) if slot.tool == "list_alarms"]
    cite = len(early) + len(after) + again[-1] if again else None
    return Edited((*early, *after, *rest), {fix - len(late)}, "hasty", cite=cite)


_NEEDED_FIRST = frozenset({"check_impact", "list_resources", "get_work_orders"})


def alone(case: Case, fix: int, alarms: list[int]) -> bool:
    """Whether a repair is the only one that its round's list of alarms speaks for, or an earlier
    list does as well, so that without that list no other repair would be blind."""
    start = max(i for i in alarms if i < fix)
    end = min((i for i in alarms if i > fix), default=case.last)
    others = [i for i in repairs(case) if start < i < end and i != fix]
    return start != alarms[0] or not others


EDITS: dict[str, tuple[Edit, ...]] = {
    "premature_write": (hasty,),
}
