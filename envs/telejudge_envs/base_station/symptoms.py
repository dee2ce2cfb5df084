"""What a spec's world looks like at first: what users complain of, and what a look would show.

In: a Spec. Out: words; no world is built for them.
"""

from __future__ import annotations

from telejudge_envs.base_station.physics import effects
from telejudge_envs.base_station.spec import Spec
from telejudge_envs.base_station.stages import facts_for


def symptom_of(spec: Spec) -> str:
    """What users notice most."""
    seen = _effects(spec)
    downs = [i for i in (1, 2, 3) if not seen[f"traffic.{i}"] and i != spec.work_order]
    if (len(downs) >= 2 and not seen["path"]) or len(downs) == 3:
        return "outage"
    if downs:
        return "sector_outage"
    for name, words in (
        ("slow", "slow"), ("ho_fail", "mobility"), ("too_late", "mobility"), ("weak", "coverage"),
        ("far", "coverage"), ("noise", "noise"),
    ):  # fmt: skip
        if any(seen[f"kpi.{name}.{i}"] for i in (1, 2, 3)):
            return words
    return "alarm"


def look_of(spec: Spec) -> str:
    """What a first look shows, ids aside: equal looks stay within one split."""
    seen = "".join(str(bit) for bit in _effects(spec).values())
    around = (spec.topology, spec.work_order, spec.hour, spec.priority, spec.noise)
    return f"{around}|{seen}"


def _effects(spec: Spec) -> dict[str, int]:
    facts = facts_for(
        spec.atoms,
        ring=spec.topology == "ring",
        holdover_lost=spec.holdover_lost,
        work_order=spec.work_order,
    )
    return effects(facts, 1)
