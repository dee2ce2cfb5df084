"""What an engineer who knows the fault does about it: the reads that prove it, the fix, the trap.

In: the world as it is and an atom. Out: calls as (tool, arguments).

    plan = remedy(db, spec, "P3.2")
    plan.proof      reads that separate the fault from its rivals, as soon as it can be seen
    plan.fix        the repair, without travel; `plan.onsite` says whether somebody must be there
    plan.trap       what a hasty engineer does instead; it does not repair, or breaks a rule

The sources of the remedies are those of the fault table in docs/base-station.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from telejudge_envs.base_station.atoms import object_of, split
from telejudge_envs.base_station.remedies.case import Call, Case
from telejudge_envs.base_station.remedies.fixes import FIXES, IMPACTS
from telejudge_envs.base_station.remedies.proofs import PROOFS
from telejudge_envs.base_station.remedies.traps import TRAPS
from telejudge_envs.base_station.spec import Spec, needs_site_visit, part_for, team_for
from telejudge_envs.base_station.state import RanDB


@dataclass(frozen=True)
class Remedy:
    """`onsite`: somebody must be there, `mast`: with the cell LOCKED and the radio isolated;
    `parts`: types of spares to bring along. `impact`: object and action whose impact is checked
    first. `team`: who takes the fault when the agent cannot repair it; None when he can."""

    atom: str
    object_id: str
    proof: tuple[Call, ...]
    fix: tuple[Call, ...]
    trap: tuple[Call, ...]
    onsite: bool
    mast: bool
    parts: tuple[str, ...]
    impact: tuple[str, str] | None
    team: str | None


def remedy(db: RanDB, spec: Spec, atom: str) -> Remedy:
    """The plan for one fault, by the state as it is now."""
    fault, i = split(atom)
    site = db.sites[db.focus]
    variant = spec.variant(atom)
    kind = part_for(atom, variant)
    case = Case(db, spec, site, atom, i, variant)
    return Remedy(
        atom=atom,
        object_id=object_of(db, db.focus, atom),
        proof=tuple(PROOFS[fault.code](case)),
        fix=tuple(FIXES[fault.code](case)),
        trap=tuple(TRAPS[fault.code](case)),
        onsite=needs_site_visit(atom, variant),
        mast=fault.code in ("A1", "A4") or kind in ("rru", "ret"),
        parts=() if kind is None else (kind,),
        impact=IMPACTS[fault.code](case) if fault.code in IMPACTS else None,
        team=team_for(spec, atom),
    )
