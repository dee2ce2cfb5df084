"""Edits of reads: looked twice, looked in vain, did not look.

In: a case of the base-station world. Out: an edited script, or None.
"""

from __future__ import annotations

from telejudge_judges.corruption.base_station import Ground
from telejudge_judges.corruption.haste import alone
from telejudge_judges.corruption.script import Case, Dice, Edit, Edited, Slot


def repeat(case: Case, dice: Dice) -> Edited | None:
    """A read again, at once or some calls later, with no write in between."""
    at = dice.choice(case.reads())
    end = at + 1
    while end < case.last and case.step(case.script[end]).effect == "read" and dice.random() < 0.5:
        end += 1
    again = Slot(case.script[at].tool, case.script[at].arguments)
    return Edited(case.insert(end, again), {end}, "repeat")


def wander(case: Case, dice: Dice) -> Edited | None:
    """Several looks at healthy things, somewhere after the first alarms."""
    spots = [i for i in range(2, case.last + 1) if i == case.last or _starts_a_round(case, i)]
    at = case.last if dice.random() < 0.7 else dice.choice(spots)
    looks = idle_looks(case, dice)[: dice.randrange(5, 10)]
    return Edited(case.insert(at, *looks), range(at, at + len(looks)), "wander")


def sibling(case: Case, dice: Dice) -> Edited | None:
    """A look with the wrong tool, before the one that tells."""
    telling = case.where(lambda _, s: s.label is not None and s.label.purpose == "confirms")
    telling += case.where(lambda _, s: s.label is not None and s.label.purpose == "news")
    telling = [i for i in telling if i >= 2]
    if not telling:
        return None
    at = dice.choice(telling)
    looks = [s for s in idle_looks(case, dice) if s.tool != case.script[at].tool]
    return Edited(case.insert(at, looks[0]), {at}, "sibling")


def unverified(case: Case, dice: Dice) -> Edited | None:
    """The looks after the last change are left out: all of them, the alarms, or the KPIs."""
    writes = [i for i in case.writes() if case.script[i].tool not in ("escalate", "ack_alarm")]
    if not writes:
        return None
    what = dice.choice((("list_alarms",), ("get_kpi",), ("list_alarms", "get_kpi")))
    gone = [i for i in case.named(*what) if i > writes[-1]]
    if not gone:
        return None
    kept = [i for i in case.reads() if i not in gone]
    return Edited(case.without(gone), None, "unverified", cite=_after(kept[-1], gone))


def undiagnosed(case: Case, dice: Dice) -> Edited | None:
    """The reads between the first alarms and a repair are left out, and the repair is kept."""
    fixes = case.where(lambda _, s: s.label is not None and (s.label.target_probability or 0) > 0)
    alarms = case.named("list_alarms")
    if not fixes or not alarms or fixes[0] < alarms[0]:
        return None
    fix = dice.choice(fixes)
    before = [i for i in alarms if i < fix]
    start = before[-1] + (0 if alone(case, fix, alarms) else 1)
    found = [
        i
        for i in case.reads()
        if start <= i < fix
        and case.script[i].tool not in ("check_impact", "list_resources", "get_work_orders")
    ]
    if not found:
        return None
    gone = found if dice.random() < 0.7 else [dice.choice(found)]
    cite = _after(alarms[-1], gone)
    return Edited(case.without(gone), {_after(fix, gone)}, "undiagnosed", cite=cite)


def alarms_unread(case: Case, dice: Dice) -> Edited | None:
    """A second round is done on the first round's picture: what had been hidden is repaired
    before anybody could have seen it, so that it is repaired blindly."""
    alarms = case.named("list_alarms")
    if len(alarms) < 3:
        return None
    round_ = alarms[1]
    following = [
        i
        for i in case.where(
            lambda _, s: s.label is not None and (s.label.target_probability or 0) > 0
        )
        if i > round_
    ]
    if not following:
        return None
    reads = [i for i in case.reads() if round_ <= i < following[0]]
    gone = [i for i in reads if case.script[i].tool not in ("check_impact", "list_resources")]
    at = _after(following[0], gone)
    cite = _after(alarms[-1], gone)
    return Edited(case.without(gone), {at}, "alarms_unread", cite=cite)


def _after(position: int, gone: list[int]) -> int:
    """Where a slot stands when others are gone."""
    return position - sum(1 for i in gone if i < position)


def _starts_a_round(case: Case, at: int) -> bool:
    return case.script[at].tool == "list_alarms" and at > 2


def idle_looks(case: Case, dice: Dice) -> list[Slot]:
    """Reads with ids that the topology names, in any order; which of them are idle shows later."""
    ground: Ground = case.extra
    s = ground.site
    looks = [
        Slot("get_clock", {"site_id": s}),
        Slot("get_licences", {"site_id": s}),
        Slot("get_boards", {"site_id": s}),
        Slot("get_power_climate", {"site_id": s}),
        Slot("get_ne_status", {"site_id": s}),
        Slot("get_transport_port", {"port_id": f"{s}-P"}),
        Slot("diff_config_vs_plan", {"object_id": f"{s}-NG"}),
        Slot("ping", {"src_id": s, "target": "gateway"}),
        Slot("ping", {"src_id": s, "target": "amf"}),
    ]
    for i in range(1, len(ground.db.sites[s].cells) + 1):
        looks += [
            Slot("get_rf", {"rru_id": f"{s}-R{i}"}),
            Slot("get_fronthaul", {"rru_id": f"{s}-R{i}"}),
            Slot("get_neighbours", {"cell_id": f"{s}-C{i}"}),
            Slot("diff_config_vs_plan", {"object_id": f"{s}-T{i}"}),
        ]
    made = {(slot.tool, str(dict(slot.arguments))) for slot in case.script}
    fresh = [look for look in looks if (look.tool, str(dict(look.arguments))) not in made]
    dice.shuffle(fresh)
    return fresh


EDITS: dict[str, tuple[Edit, ...]] = {
    "redundant": (repeat,),
    "wandering": (wander,),
    "wrong_tool": (sibling,),
    "missing_verification": (unverified,),
    "skipped_diagnosis": (undiagnosed, alarms_unread),
}
