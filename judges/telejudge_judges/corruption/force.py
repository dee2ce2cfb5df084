"""Edits that repair with more force than the case asks for.

In: a case of the base-station world. Out: an edited script, or None.
"""

from __future__ import annotations

from telejudge_judges.corruption.base_station import Ground
from telejudge_judges.corruption.repairs import SECTOR, repairs
from telejudge_judges.corruption.script import Case, Dice, Edit, Edited, Slot


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
        if isinstance(v, str) and (m := SECTOR.search(v))
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
    "over_impact": (harder, visit, new_part, reset_first),
}
