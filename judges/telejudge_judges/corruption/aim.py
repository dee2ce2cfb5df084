"""Edits that repair the wrong thing, or with the wrong tool.

In: a case of the base-station world. Out: an edited script, or None.
"""

from __future__ import annotations

from typing import Any

from telejudge_envs.base_station.remedies.remedy import remedy
from telejudge_judges.corruption.base_station import FIELD, Ground
from telejudge_judges.corruption.repairs import PARTS, SECTOR, repairs, supplied
from telejudge_judges.corruption.script import Case, Dice, Edit, Edited, Slot

_OTHER_END = {"bbu": "rru", "rru": "bbu"}


def elsewhere(case: Case, dice: Dice) -> Edited | None:
    """The right repair at the wrong sector, end or module first, then where it belongs."""
    spots = [(i, wrong) for i in repairs(case) for wrong in _misplaced(case, i)]
    if not spots:
        return None
    at, wrong = dice.choice(spots)
    script = supplied(case, case.insert(at, wrong), at, PARTS.get(wrong.tool))
    return Edited(script, {at}, "elsewhere")


def other_sector(case: Case, dice: Dice) -> Edited | None:
    """A look at the wrong sector, before the right one."""
    telling = case.where(
        lambda slot, s: (
            s.effect == "read"
            and s.label is not None
            and s.label.purpose in ("news", "confirms")
            and any(SECTOR.search(str(v)) for v in slot.arguments.values())
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
        if (sector := SECTOR.search(value)) is not None:
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
                kind = PARTS.get(tool, arguments.get("type"))
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
        script = supplied(case, case.insert(at, wrong), at, PARTS.get(wrong.tool))
        return Edited(script, {at}, "useless")
    at = dice.choice(anywhere)
    return Edited(case.insert(at, dice.choice(remote)), {at}, "useless")


EDITS: dict[str, tuple[Edit, ...]] = {
    "wrong_argument": (elsewhere, other_sector),
    "wrong_tool": (trap, useless),
}
