"""Faults at their places. An *atom* is one: `P1`, or `P3.2` for sector 2.

In: a RanDB, atoms. Out: places, objects, whether the fault is there.

    inject(db, "P3.2", {})           # the breaker of the second radio unit's feed opens
    present(db, db.focus, "P3.2")    -> True
    object_of(db, db.focus, "P3.2")  -> "K042-FD2"

Everything in the world (physics, remedies, oracle) speaks of atoms.
"""

from __future__ import annotations

import functools

from telejudge_envs.base_station.faults import FAULTS, Fault
from telejudge_envs.base_station.injections import INJECTIONS, Variant
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.state import RanDB


@functools.cache
def split(atom: str) -> tuple[Fault, int]:
    """`P3.2` -> (the fault P3, 2); sector 0 for faults of the whole site."""
    code, _, sector = atom.partition(".")
    return FAULTS[code], int(sector or 0)


@functools.cache
def atoms(sectors: int = 3, *, without: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """All located faults of a site, in the table's order (57 with three sectors)."""
    return tuple(
        atom
        for fault in FAULTS.values()
        if fault.code not in without
        for atom in (
            [f"{fault.code}.{i}" for i in range(1, sectors + 1)] if fault.sector else [fault.code]
        )
    )


def exclusive(one: str, other: str) -> bool:
    """Whether two atoms cannot be there at once: same group at the same place."""
    (f, i), (g, j) = split(one), split(other)
    return f.group == g.group and i == j


def inject(db: RanDB, atom: str, variant: Variant | None = None) -> None:
    """Put the fault into the focus site. A state that was read before counts as changed."""
    fault, sector = split(atom)
    INJECTIONS[fault.code](db, db.sites[db.focus], sector, variant or {})
    db.version += 1


def present(db: RanDB, site_id: str, atom: str) -> bool:
    fault, sector = split(atom)
    return fault.present(db, db.sites[site_id], sector)


def object_of(db: RanDB, site_id: str, atom: str) -> str:
    """The id of the object that is at fault."""
    fault, sector = split(atom)
    if fault.suffix == "H0":
        return db.hub.ports[0].id
    return part(site_id, fault.suffix, sector if fault.sector else None)
