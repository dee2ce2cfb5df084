"""Correct trajectories that are not the base's: more looks, another order. They must stay clean.

In: a case. Out: an edited script, or None; kept only when no detector finds anything.
"""

from __future__ import annotations

from telejudge_judges.corruption.base_station import FIELD
from telejudge_judges.corruption.look import idle_looks
from telejudge_judges.corruption.script import Case, Dice, Edit, Edited, Slot

FIRST = 2
"""Before that the site's parts and alarms are read, from which all else follows."""


_SWEPT = frozenset({"list_alarms", "get_kpi", "check_impact"})


def look_again(case: Case, dice: Dice) -> Edited | None:
    """What had shown a fault is read again at the end."""
    told = case.where(
        lambda slot, s: (
            s.effect == "read"
            and slot.tool not in _SWEPT | FIELD
            and s.label is not None
            and s.label.purpose in ("news", "confirms")
        )
    )
    late = [i for i in case.writes() if i < case.last]
    told = [i for i in told if late and i < late[-1]]
    if not told:
        return None
    chosen = dice.sample(told, min(len(told), dice.randrange(1, 4)))
    again = [Slot(case.script[i].tool, case.script[i].arguments) for i in sorted(chosen)]
    return Edited(case.insert(case.last, *again), None, "look_again")


def swapped_reads(case: Case, dice: Dice) -> Edited | None:
    """Reads that follow each other, in another order."""
    script = list(case.script)
    runs, start = [], FIRST
    for i in range(FIRST, len(script) + 1):
        if i == len(script) or case.step(script[i]).effect != "read":
            runs += [(start, i)] if i - start >= 2 else []
            start = i + 1
    if not runs:
        return None
    for begin, end in runs:
        part = script[begin:end]
        dice.shuffle(part)
        script[begin:end] = part
    return Edited(tuple(script), None, "swapped_reads")


def two_looks(case: Case, dice: Dice) -> Edited | None:
    """Two looks more than were needed, which any careful engineer may take."""
    looks = idle_looks(case, dice)[:2]
    return Edited(case.insert(case.last, *looks), None, "two_looks")


ALTERNATIVES: tuple[Edit, ...] = (look_again, swapped_reads, two_looks)
