"""Edits of repairs: too early, at the wrong thing, with the wrong tool, with too much force.

In: a case of the base-station world. Out: an edited script, or None.
"""

from __future__ import annotations

import re
from typing import Any

from telejudge_envs.base_station.remedies.remedy import remedy
from telejudge_judges.corruption.base_station import FIELD, Ground
from telejudge_judges.corruption.script import Case, Dice, Edit, Edited, Script, Slot

_SECTOR = re.compile(r"-(C|R|O|A|T|FD)(\d)")
_OTHER_END = {"bbu": "rru", "rru": "bbu"}


def repairs(case: Case) -> list[int]:
    """Positions of writes that cured what was known to be broken."""
    return case.where(lambda _, s: s.label is not None and (s.label.target_probability or 0) >= 0.9)


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


def elsewhere(case: Case, dice: Dice) -> Edited | None:
    """The right repair at the wrong sector, end or module first, then where it belongs."""
    spots = [(i, wrong) for i in repairs(case) for wrong in _misplaced(case, i)]
    if not spots:
        return None
    at, wrong = dice.choice(spots)
    script = supplied(case, case.insert(at, wrong), at, _PART.get(wrong.tool))
    return Edited(script, {at}, "elsewhere")


_PART = {"replace_fibre": "fibre"}
"""Parts that a tool takes out of the van without being told which."""


def supplied(case: Case, script: Script, at: int, kind: str | None) -> Script:
    """The same script with one more part of a type given along for the work at a position."""
    sent = [i for i, slot in enumerate(script[:at]) if slot.tool == "dispatch_technician"]
    if kind is None or not sent:
        return script
    parts = list(script[sent[-1]].arguments.get("parts") or ())
    ground: Ground = case.extra
    free = [s.id for s in ground.db.spares if s.type == kind and not s.used and s.id not in parts]
    if not free:
        return script
    given = script[sent[-1]].with_(parts=[*parts, free[0]])
    return (*script[: sent[-1]], given, *script[sent[-1] + 1 :])


def other_sector(case: Case, dice: Dice) -> Edited | None:
    """A look at the wrong sector, before the right one."""
    telling = case.where(
        lambda slot, s: (
            s.effect == "read"
            and s.label is not None
            and s.label.purpose in ("news", "confirms")
            and any(_SECTOR.search(str(v)) for v in slot.arguments.values())
        )
    )
    spots = [(i, wrong) for i in telling for wrong in _misplaced(case, i)]
    if not spots:
        return None
    at, wrong = dice.choice(spots)
    return Edited(case.insert(at, wrong), {at}, "other_sector")


def _misplaced(case: Case, at: int) -> list[Slot]:
    """The call with another valid object; none that only its own object could take."""
    ground: Ground = case.extra
    slot = case.script[at]
    found = []
    for name, value in slot.arguments.items():
        if not isinstance(value, str):
            continue
        if (sector := _SECTOR.search(value)) is not None:
            for other in "123":
                if other != sector[2]:
                    wrong = value.replace(sector[0], f"-{sector[1]}{other}")
                    found.append(_fitted(ground, Slot(slot.tool, slot.arguments), name, wrong))
        head, _, end = value.rpartition("/")
        if end in _OTHER_END:
            found.append(Slot(slot.tool, {**slot.arguments, name: f"{head}/{_OTHER_END[end]}"}))
    return found


def _fitted(ground: Ground, slot: Slot, name: str, target: str) -> Slot:
    """The value goes with the object: each has its own plan."""
    arguments: dict[str, Any] = {**slot.arguments, name: target}
    attribute = arguments.get("attribute")
    if attribute is not None:
        arguments["value"] = str(ground.db.plan.get(f"{target}.{attribute}", arguments["value"]))
    if "tilt" in arguments:
        arguments["tilt"] = ground.db.plan.get(f"{target}.tilt", arguments["tilt"])
    return Slot(slot.tool, arguments)


def trap(case: Case, dice: Dice) -> Edited | None:
    """What a hasty engineer does instead, before what helps."""
    ground: Ground = case.extra
    atoms = list(ground.spec.atoms)
    dice.shuffle(atoms)
    fixes = repairs(case)
    for atom in atoms:
        calls = remedy(ground.db, ground.spec, atom).trap[:1]
        for tool, arguments in calls:
            spots = [i for i in fixes if tool not in FIELD or case.script[i].tool in FIELD]
            if spots:
                at = dice.choice(spots)
                kind = _PART.get(tool, arguments.get("type"))
                script = supplied(case, case.insert(at, Slot(tool, arguments)), at, kind)
                return Edited(script, {at}, "trap")
    return None


def useless(case: Case, dice: Dice) -> Edited | None:
    """A repair of something that is known to be healthy, of another kind than what is broken."""
    ground: Ground = case.extra
    s, i = ground.site, dice.randrange(1, 4)
    onsite = [
        Slot("start_generator", {}),
        Slot("reset_aircon", {}),
        Slot("replace_fibre", {"cpri_id": f"{s}-O{i}"}),
        Slot("clean_connector", {"port_id": f"{s}-P"}),
        Slot("clean_connector", {"port_id": f"{s}-O{i}/bbu"}),
        Slot("reset_breaker", {"feed": f"{s}-FD{i}"}),
    ]
    remote = [
        Slot("calibrate_ret", {"ret_id": f"{s}-T{i}"}),
        Slot("switch_clock_source", {"site_id": s, "source": "gnss"}),
    ]
    here = [at for at in repairs(case) if case.script[at].tool in FIELD]
    anywhere = repairs(case)
    if not anywhere:
        return None
    if here and dice.random() < 0.6:
        at = dice.choice(here)
        wrong = dice.choice(onsite)
        script = supplied(case, case.insert(at, wrong), at, _PART.get(wrong.tool))
        return Edited(script, {at}, "useless")
    at = dice.choice(anywhere)
    return Edited(case.insert(at, dice.choice(remote)), {at}, "useless")


# -- too much force


def harder(case: Case, dice: Dice) -> Edited | None:
    """A hard reset where the soft one does."""
    spots = [i for i in case.named("reset_board") if case.script[i].arguments["mode"] == "soft"]
    if not spots:
        return None
    at = dice.choice(spots)
    return Edited(case.swapped(at, case.script[at].with_(mode="hard")), {at}, "harder")


def visit(case: Case, dice: Dice) -> Edited | None:
    """Somebody is sent out for what needs nobody there."""
    ground: Ground = case.extra
    if case.named("dispatch_technician") or not repairs(case):
        return None
    at = dice.choice(repairs(case))
    stock = Slot("list_resources", {"site_id": ground.site})
    sent = Slot(
        "dispatch_technician",
        {
            "site_id": ground.site,
            "technician_id": ground.db.technicians[0].id,
            "task": f"have a look at {ground.site}",
        },
    )
    return Edited(case.insert(at, stock, sent), {at + 1}, "visit")


def new_part(case: Case, dice: Dice) -> Edited | None:
    """A module is replaced where cleaning, closing or calibrating would have done."""
    ground: Ground = case.extra
    choices = []
    for at in repairs(case):
        slot = case.script[at]
        port = str(slot.arguments.get("port_id", ""))
        feed = str(slot.arguments.get("feed", ""))
        if slot.tool == "clean_connector" and "-A" not in port:
            kind = "cpri_sfp" if "/" in port else "sfp"
            choices.append((at, kind, "replace_sfp", {"port_id": port}))
        elif slot.tool == "reset_breaker" and feed:
            unit = {"type": "rru", "slot": feed.replace("-FD", "-R")}
            choices.append((at, "rru", "replace_module", unit))
    if not choices:
        return None
    at, kind, tool, arguments = dice.choice(choices)
    spare = next((s.id for s in ground.db.spares if s.type == kind and not s.used), None)
    sent = [i for i in case.named("dispatch_technician") if i < at]
    if spare is None or not sent:
        return None
    parts = [*(case.script[sent[-1]].arguments.get("parts") or ()), spare]
    script = list(case.script)
    script[sent[-1]] = script[sent[-1]].with_(parts=parts)
    script[at] = Slot(tool, {**arguments, "spare_id": spare}, origin=script[at].origin)
    return Edited(tuple(script), {at}, "new_part")


def reset_first(case: Case, dice: Dice) -> Edited | None:
    """A reset of the radio unit where lock and unlock, or no reset at all, does."""
    ground: Ground = case.extra
    sectors = [
        (i, m[2])
        for i in repairs(case)
        for v in case.script[i].arguments.values()
        if isinstance(v, str) and (m := _SECTOR.search(v))
    ]
    if not sectors:
        return None
    at, sector = dice.choice(sectors)
    unit = f"{ground.site}-R{sector}"
    look = Slot("check_impact", {"object_id": unit, "action": "reset_rru"})
    return Edited(
        case.insert(at, look, Slot("reset_rru", {"rru_id": unit})), {at + 1}, "reset_first"
    )


EDITS: dict[str, tuple[Edit, ...]] = {
    "premature_write": (hasty,),
    "wrong_argument": (elsewhere, other_sector),
    "wrong_tool": (trap, useless),
    "over_impact": (harder, visit, new_part, reset_first),
}
