"""Base-station networks with faults in them, and what can be tried on them.

broken("P3.2", "T2", topology="star")           # a network with two faults
on_site(3, "T2", T2={"worn": True}, hours=2)    # … and a technician beside them, two hours on
drawn = compositions(4)                         # hypothesis: sets of faults that can be together
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, get_args

from hypothesis import strategies as st

from telejudge_envs.base_station.atoms import atoms, exclusive, inject
from telejudge_envs.base_station.layout import Layout, Topology, healthy
from telejudge_envs.base_station.observe import forget
from telejudge_envs.base_station.physics import effects, facts_of
from telejudge_envs.base_station.state import RanDB

Call = tuple[str, dict[str, Any]]
Variants = Mapping[str, Mapping[str, Any]]
TOPOLOGIES: tuple[Topology, ...] = get_args(Topology)

WAYS: dict[str, list[dict[str, Any]]] = {
    "P1": [{}, {"unfixable": True}],
    "P3": [{}, {"shorted": True}],
    "E2": [{}, {"unfixable": True}],
    "T1": [{}, {"unfixable": True, "cut_at_m": 700}],
    "T2": [{}, {"worn": True}],
    "F2": [{"end": "bbu"}, {"end": "rru"}, {"end": "bbu", "worn": True}, {"end": "rru", "worn": 1}],
    "A1": [{}, {"segment": "feeder", "dist_m": 21.5}, {"segment": "antenna", "dist_m": 31.0}],
    "A2": [{}, {"jammed": True}],
    "R5": [{}, {"unfixable": True}],
}
"""How a fault can be, by its code."""

ways = st.fixed_dictionaries({code: st.sampled_from(kinds) for code, kinds in WAYS.items()})


def with_faults(db: RanDB, *faults: str, variants: Variants | None = None) -> RanDB:
    """The same network after the faults were put in; `variants` by code (`F2`)."""
    for atom in faults:
        inject(db, atom, (variants or {}).get(atom[:2], {}))
    forget(db)
    return db


def broken(*faults: str, variants: Variants | None = None, **layout: Any) -> RanDB:
    """A network with faults; `layout`: what differs from a single site with seed 11."""
    about: dict[str, Any] = {"topology": "single", "split": "train", "seed": 11, **layout}
    return with_faults(healthy(Layout(**about)), *faults, variants=variants)


def on_site(seed: int = 3, *faults: str, hours: int = 0, **variants: Mapping[str, Any]) -> RanDB:
    """A network with faults, a technician with every part at the focus site, `hours` later."""
    db = RanDB.model_validate_json(_stored(seed))
    who = db.technicians[0]
    who.assigned = who.location = db.focus
    who.parts = [spare.id for spare in db.spares]
    db.clock_min += 60 * hours
    return with_faults(db, *faults, variants=variants)


@functools.cache
def _stored(seed: int) -> str:
    return healthy(Layout("single", "train", seed)).model_dump_json()


def seen(db: RanDB) -> dict[str, int]:
    """Every effect of the focus site as it is."""
    return effects(facts_of(db, db.focus), 1)


def spare(db: RanDB, kind: str) -> str:
    """The id of a spare that is left, `none` without one."""
    return next((s.id for s in db.spares if s.type == kind and not s.used), "none")


@st.composite
def compositions(
    draw: st.DrawFn, most: int = 4, pool: tuple[str, ...] = atoms()
) -> tuple[str, ...]:
    """Up to `most` faults that can be there at once."""
    chosen: list[str] = []
    for atom in draw(st.lists(st.sampled_from(pool), max_size=most, unique=True)):
        if not any(exclusive(atom, other) for other in chosen):
            chosen.append(atom)
    return tuple(chosen)
