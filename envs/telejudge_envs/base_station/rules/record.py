"""What the rules read: the steps of an episode, each between two snapshots, and what they return.

In: a RanDB and the calls of an episode. Out: `Situation`s, to be put into `RuleStep`s.

    before = situation(db)
    …the call…
    RuleStep(index=0, owner="agent", tool="lock_cell", arguments={…}, ok=True, content=parsed,
             effect="write", before=before, after=situation(db), shows=(), message=3)

A snapshot is kept with the database until that changes, so reads cost nothing; after a write it
takes about 0.2 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from telejudge_envs.base_station.atoms import atoms
from telejudge_envs.base_station.kept import recall
from telejudge_envs.base_station.observe import observe
from telejudge_envs.base_station.physics import facts_of
from telejudge_envs.base_station.responsibility import team_needed
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.nouns.base import Mode, Owner
from telejudge_envs.nouns.message import Effect
from telejudge_envs.nouns.verdict import Severity


@dataclass(frozen=True, slots=True)
class CellNow:
    """`carrying`: users are served; `held`: an open work order names the cell; `on_tower`: and
    somebody is on the mast for it."""

    site: str
    sector: int
    carrying: bool
    locked: bool
    emergency: int
    held: bool
    on_tower: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """The truth at one moment, as far as a rule asks for it. Nobody changes what is in it.

    `facts`: bits of physics.py for the focus site; `effects`: what follows from them. `present`:
    atoms that are there, `outside`: those of them that the agent cannot repair, with their team.
    `tokens` and `changes`: id -> (action or attribute, object). `standing`: alarms without a fault
    behind them, id -> (object, clearing type). `variants`: objects whose fault is the stubborn kind
    (jammed, worn, shorted). `clock_options`: PTP is fitted and locked while GNSS is in use.
    """

    clock_min: int
    focus: str
    hub: str
    facts: Mapping[str, int]
    effects: Mapping[str, int]
    present: frozenset[str]
    outside: Mapping[str, str]
    cells: Mapping[str, CellNow]
    priority: Mapping[str, str]
    ports: Mapping[str, tuple[str, tuple[str, ...]]]
    tokens: Mapping[str, tuple[str, str]]
    changes: Mapping[str, tuple[str, str]]
    standing: Mapping[str, tuple[str, str]]
    isolated: frozenset[str]
    variants: frozenset[str]
    technicians: Mapping[str, tuple[str | None, str | None]]
    clock_options: frozenset[str]
    agent_locked: frozenset[str]
    plan: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleStep:
    """One call of an episode. `content`: the result as parsed JSON, or its text when it is none.

    `message`: the number of the message that the call was part of, None when unknown. `shows`: the
    effects of the focus site that the result told, `sets`: the facts that a write left at fixed
    values (both empty for a failed call).
    """

    index: int
    owner: Owner
    tool: str
    arguments: Mapping[str, Any]
    ok: bool
    content: Any
    effect: Effect | None
    before: Situation
    after: Situation
    shows: tuple[str, ...] = ()
    sets: Mapping[str, int] = field(default_factory=dict)
    message: int | None = None


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """What else was said: the ticket, and (steps before it, text) of every message of the user."""

    ticket: str
    mode: Mode = "solo"
    said: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule broken at step `step` (None: by the episode as a whole)."""

    step: int | None
    rule: int
    severity: Severity
    reason: str
    evidence: str = field(default="")


def situation(db: RanDB) -> Situation:
    """The snapshot of a database as it is; the same object until a write changes it."""
    return recall(db, "rules.situation", lambda: _situation(db))


def _situation(db: RanDB) -> Situation:
    focus = db.sites[db.focus]
    seen = observe(db)
    facts = facts_of(db, db.focus)
    here = frozenset(atom for atom in atoms(len(focus.cells)) if facts[atom])
    return Situation(
        clock_min=db.clock_min,
        focus=db.focus,
        hub=db.hub.id,
        facts=facts,
        effects=seen[db.focus],
        present=here,
        outside={atom: team for atom in here if (team := team_needed(db, atom))},
        cells=_cells(db, seen),
        priority={site.id: site.priority for site in db.sites.values()},
        ports={port.id: (port.admin, tuple(port.carries)) for port in db.hub.ports},
        tokens={token.id: (token.action, token.object_id) for token in db.tokens},
        changes={c.id: (c.attribute, c.object_id) for c in db.changes},
        standing={a.id: (a.object_id, a.clearingType) for a in db.standing},
        isolated=frozenset(r.id for s in db.sites.values() for r in s.rrus if r.isolated),
        variants=_variants(db),
        technicians={t.id: (t.location, t.assigned) for t in db.technicians},
        clock_options=frozenset(
            s.id
            for s in db.sites.values()
            if s.clock.active == "gnss" and s.clock.ptp_fitted and s.clock.ptp_locked
        ),
        agent_locked=frozenset(db.agent_locked),
        plan=db.plan,
    )


def _cells(db: RanDB, seen: Mapping[str, Mapping[str, int]]) -> dict[str, CellNow]:
    held = {w.object_id: w.on_tower for w in db.work_orders if w.open}
    return {
        cell.id: CellNow(
            site=site.id,
            sector=cell.sector,
            carrying=bool(seen[site.id][f"traffic.{cell.sector}"]),
            locked=cell.administrativeState == "LOCKED",
            emergency=cell.ue_emergency,
            held=cell.id in held,
            on_tower=held.get(cell.id, False),
        )
        for site in db.sites.values()
        for cell in site.cells
    }


def _variants(db: RanDB) -> frozenset[str]:
    found: set[str] = set()
    for site in db.sites.values():
        found.update(site.power.shorted)
        found.update(ret.id for ret in site.rets if ret.jammed)
        if site.port.sfp_worn:
            found.add(site.port.id)
        found.update(f"{r.cpri}/{r.optics_worn}" for r in site.rrus if r.optics_worn)
    return frozenset(found)
