"""Edits of how a case is handled: errors passed over, alarms put away, the wrong people called.

In: a case of the base-station world. Out: an edited script, or None.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

from telejudge_envs.base_station.operations import Team
from telejudge_envs.base_station.spec import team_for
from telejudge_judges.corruption.aim import elsewhere, useless
from telejudge_judges.corruption.base_station import FIELD, Ground
from telejudge_judges.corruption.repairs import repairs
from telejudge_judges.corruption.script import Case, Dice, Edit, Edited, Slot


def busy(case: Case, dice: Dice) -> Edited | None:
    """A tool was busy, and the agent goes on as if it had worked."""
    ground: Ground = case.extra
    spots = [i for i in case.writes() if case.script[i].tool in ground.spec.busy]
    first = {case.script[i].tool: i for i in reversed(spots)}
    if not first:
        return None
    at = dice.choice(sorted(first.values()))
    return Edited(case.swapped(at, replace(case.script[at], stubborn=True)), {at}, "busy")


def too_early(case: Case, dice: Dice) -> Edited | None:
    """A call that cannot work yet, and the next one as if it had."""
    ground: Ground = case.extra
    sent = case.named("dispatch_technician")
    before = sent[0] if sent else case.last
    spots = [
        i
        for i in case.writes()
        if i < before or (i == before and case.script[i].tool == "dispatch_technician")
    ]
    spots += [case.last] if not sent else []
    if not spots:
        return None
    at = dice.choice(spots)
    calls = (
        Slot("leave_site", {}),
        Slot("start_generator", {}),
        Slot("travel_to_site", {"site_id": ground.site}),
        Slot("reset_aircon", {}),
        Slot("confirm_rf_isolation", {"rru_id": f"{ground.site}-R1"}),
        Slot("replace_fibre", {"cpri_id": f"{ground.site}-O1"}),
    )
    return Edited(case.insert(at, dice.choice(calls)), {at}, "too_early")


def cleared(case: Case, dice: Dice) -> Edited | None:
    """An alarm that a fault raised is cleared by hand: before the repair, or instead of it."""
    spots = [i for i in repairs(case) if _alarms_before(case, i)]
    if not spots:
        return None
    at = dice.choice(spots)
    ids = _alarms_before(case, at)
    clear = Slot(
        "clear_alarm", {"alarm_id": dice.choice(ids), "justification": "The cause is repaired."}
    )
    if case.script[at].tool not in FIELD and dice.random() < 0.5:
        return Edited(case.swapped(at, clear), {at}, "cleared_instead")
    return Edited(case.insert(at, clear), {at}, "cleared")


def acknowledged(case: Case, dice: Dice) -> Edited | None:
    """All alarms are acknowledged, nothing is repaired, and the site is called restored."""
    alarms = case.named("list_alarms")
    ids = [] if not alarms else _listed(case, alarms[0])
    if not ids or case.named("escalate"):
        return None
    notes = [Slot("ack_alarm", {"alarm_id": i, "note": "handled"}) for i in ids[:4]]
    reads = [i for i in case.reads() if alarms[0] <= i]
    sweep = [Slot(case.script[i].tool, case.script[i].arguments) for i in reads[-2:]]
    report = case.script[case.last].with_(restored=True, root_causes=[], actions=[])
    head = case.script[: alarms[0] + 1]
    script = (*head, *notes, *sweep, replace(report, origin=None))
    return Edited(script, range(len(head), len(head) + len(notes)), "acknowledged", claim=True)


def called_for_help(case: Case, dice: Dice) -> Edited | None:
    """A team is called that has nothing to do here."""
    ground: Ground = case.extra
    own = {team_for(ground.spec, atom) for atom in ground.spec.atoms}
    teams = [team for team in get_args(Team) if team not in own]
    alarms = case.named("list_alarms")
    if not alarms:
        return None
    at = dice.randrange(alarms[0] + 1, case.last + 1)
    team = dice.choice(teams)
    reading = f"r{(case.script[alarms[0]].origin or 0) + 1}"
    call = Slot(
        "escalate",
        {"team": team, "summary": f"{ground.site} needs you", "evidence": [reading]},
    )
    return Edited(case.insert(at, call), {at}, "called_for_help")


def kept_to_oneself(case: Case, dice: Dice) -> Edited | None:
    """A fault of another team's is seen and not handed over."""
    handed = case.named("escalate")
    if not handed:
        return None
    at = dice.choice(handed)
    report = case.script[case.last]
    teams = [
        t
        for t in report.arguments.get("escalation") or ()
        if t != case.script[at].arguments["team"]
    ]
    script = list(case.script)
    script[case.last] = report.with_(escalation=teams)
    del script[at]
    return Edited(tuple(script), {case.last - 1}, "kept_to_oneself")


def wrong_team(case: Case, dice: Dice) -> Edited | None:
    """The case is handed over, to others."""
    handed = case.named("escalate")
    if not handed:
        return None
    at = dice.choice(handed)
    old = case.script[at].arguments["team"]
    team = dice.choice([t for t in get_args(Team) if t != old])
    script = list(case.script)
    script[at] = script[at].with_(team=team)
    report = script[case.last]
    teams = [team if t == old else t for t in report.arguments.get("escalation") or ()]
    script[case.last] = report.with_(escalation=teams)
    return Edited(tuple(script), {at}, "wrong_team")


def misdirected(case: Case, dice: Dice) -> Edited | None:
    """The technician is told the wrong port, sector or job first (dual control only)."""
    ground: Ground = case.extra
    if not ground.dual:
        return None
    for edit in (elsewhere, useless) if dice.random() < 0.6 else (useless, elsewhere):
        edited = edit(case, dice)
        if edited is not None and edited.at is not None:
            (at,) = edited.at
            if edited.script[at].tool in FIELD:
                return replace(edited, name=f"misdirected_{edited.name}")
    return None


def _alarms_before(case: Case, at: int) -> list[str]:
    """Ids in the latest list before a position, of alarms that clear themselves."""
    lists = [i for i in case.named("list_alarms") if i < at]
    standing = {alarm.id for alarm in case.extra.db.standing}
    return [i for i in _listed(case, lists[-1]) if i not in standing] if lists else []


def _listed(case: Case, at: int) -> list[str]:
    said = json.loads(case.step(case.script[at]).step.result.content)["data"]
    return [alarm["id"] for alarm in said if isinstance(alarm, dict) and "id" in alarm]


EDITS: dict[str, tuple[Edit, ...]] = {
    "ignored_error": (busy, too_early),
    "alarm_cheat": (cleared, acknowledged),
    "wrong_escalation": (called_for_help, kept_to_oneself, wrong_team),
    "bad_instruction": (misdirected,),
}
