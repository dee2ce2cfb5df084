"""From a draft to a spec: variants, what makes it hard, and whether it fits its level.

In: a Draft, a level and dice. Out: a Spec, or None when the draft does not fit the level.
"""

from __future__ import annotations

import random
from typing import Any

from telejudge_envs.base_station.drafts import Draft
from telejudge_envs.base_station.responsibility import OUT_OF_REACH
from telejudge_envs.base_station.spec import Spec, part_for, team_for
from telejudge_envs.base_station.stages import rounds
from telejudge_envs.base_station.symptoms import symptom_of

REMOVABLE_PARTS = ("rectifier", "fan", "baseband", "fibre", "gnss_antenna")
"""Parts whose lack can be known before anybody travels."""


def filled(
    draft: Draft,
    name: str,
    seed: int,
    number: int,
    level: int,
    unfixable: bool,
    dice: random.Random,
) -> Spec | None:
    """The spec, or None when the draft does not fit the level."""
    if draft.topology == "gnss_only" and "S2" in draft.codes:
        return None
    variants = {a: v for a in draft.atoms if (v := _variant(a, dice))}
    if _cured_by_the_way(draft.atoms, variants):
        return None
    missing: tuple[str, ...] = ()
    if unfixable:
        candidates = [a for a in draft.atoms if a[:2] in OUT_OF_REACH]
        lacking = [a for a in draft.atoms if part_for(a, variants.get(a, {})) in REMOVABLE_PARTS]
        if candidates and (level != 5 or not lacking):
            chosen = dice.choice(candidates)
            variants[chosen] = {**variants.get(chosen, {}), "unfixable": True}
        elif lacking:
            missing = (part_for(lacking[0], variants.get(lacking[0], {})) or "",)
        else:
            return None
    elif "R4" in draft.codes or ("T1" in draft.codes and draft.topology == "leased"):
        return None
    free = [i for i in (1, 2, 3) if not any(a.endswith(f".{i}") for a in draft.atoms)]
    conflict = level >= 4 and dice.random() < 0.5 and bool(free)
    spec = Spec(
        id=f"bs-{name}-{number:04d}",
        split=name,  # type: ignore[arg-type]
        seed=seed,
        level=level,
        topology=draft.topology,  # type: ignore[arg-type]
        atoms=draft.atoms,
        variants=variants,
        hour=dice.randrange(24),
        priority=dice.choices(("normal", "vip", "emergency"), (6, 2, 1))[0],
        noise=dice.randrange(2) if level <= 2 else dice.randrange(1, 4),
        missing=missing,
        holdover_lost="S1" in draft.atoms and dice.random() < 0.4,
        work_order=dice.choice(free) if conflict else 0,
        persona=dice.choice(("expert", "expert", "novice")),
    )
    spec = _harder(spec, dice) if level == 5 else spec
    return _fitted(spec, unfixable)


def _cured_by_the_way(chosen: tuple[str, ...], variants: dict[str, dict[str, Any]]) -> bool:
    """Whether the repair of one fault would take another with it, seen or not: a restart of the
    node wakes hung cells; work on the mast locks and unlocks its cell."""
    on_mast = {
        a.partition(".")[2]
        for a in chosen
        if a[:2] in ("A1", "A4", "F3")
        or variants.get(a, {}).get("jammed")
        or variants.get(a, {}).get("shorted")
    }
    if any(a[:2] in ("B4", "R6") and a[-1] in on_mast for a in chosen):
        return True
    if "B1" in chosen and any(a.startswith("B4") for a in chosen):
        return True
    shorted = {a[-1] for a in chosen if variants.get(a, {}).get("shorted")}
    return any(a.startswith("F3") and a[-1] in shorted for a in chosen)


def _variant(atom: str, dice: random.Random) -> dict[str, Any]:
    code = atom[:2]
    if code == "P3":
        return {"shorted": True} if dice.random() < 0.25 else {}
    if code == "A2":
        return {"jammed": True} if dice.random() < 0.5 else {}
    if code == "T2":
        return {"worn": True} if dice.random() < 0.4 else {}
    if code == "F2":
        worn = {"worn": True} if dice.random() < 0.4 else {}
        return {"end": dice.choice(("bbu", "rru")), **worn}
    if code == "A1":
        return {
            "segment": dice.choice(("jumper", "feeder", "connector")),
            "dist_m": float(dice.randrange(2, 40)),
        }
    if code == "T1":
        return {"cut_at_m": 100 * dice.randrange(3, 19)}
    return {}


def _harder(spec: Spec, dice: random.Random) -> Spec:
    """Level 5: one of the three complications, unless a spare is missing already."""
    if spec.missing:
        return spec
    ways: list[dict[str, Any]] = [{"persona": "wrong_theory"}]
    ways.append({"busy": {dice.choice(("dispatch_technician", "request_approval", "escalate")): 1}})
    ways.append({"busy": {dice.choice(("unlock_cell", "set_config", "travel_to_site")): 1}})
    return spec.model_copy(update=dice.choice(ways))


def _fitted(spec: Spec, unfixable: bool) -> Spec | None:
    """The spec with its symptom, if its faults come to light in as many rounds as it should.

    Other teams are asked about only where `unfixable` lets them have a fault: that builds a world.
    """
    stuck = [a for a in spec.atoms if unfixable and team_for(spec, a) is not None]
    if len({team_for(spec, a) for a in stuck}) < len(stuck):
        return None  # one escalation would stand for two faults
    found = rounds(
        spec.atoms,
        stuck=stuck,
        ring=spec.topology == "ring",
        holdover_lost=spec.holdover_lost,
        work_order=spec.work_order,
    )
    if found is None:
        return None
    storm = spec.topology == "star" and "T3" in spec.atoms
    if spec.level == 2 and len(found) > 1:
        return None
    if spec.level == 3 and len(found) == 1 and not (storm and spec.noise >= 2):
        return None
    if spec.level == 4 and len(found) == 1:
        return None
    return spec.model_copy(update={"symptom": symptom_of(spec)})
