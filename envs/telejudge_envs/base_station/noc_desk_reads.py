"""READ tools of the NOC that look at books and lists: alarms, topology, work orders, stock, manual.

In: a RanDB and ids. Out: small dicts or lists of them, whatever the state of the site's node.

    NocReads(db).list_alarms("K042")
    -> [{"id": "AL4711", "object": "K042-C1", "severity": "CRITICAL", "problem": "CELL_…", …}]
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from telejudge_envs.base_station import manual
from telejudge_envs.base_station.alarm_table import Severity
from telejudge_envs.base_station.alarms import Alarm, alarm_effects, alarms_of, at_least, cleared
from telejudge_envs.base_station.cabinet import Port
from telejudge_envs.base_station.jitter import whole
from telejudge_envs.base_station.noc_common import (
    HARMLESS,
    TRUNK_DOWN,
    Action,
    find,
    find_site,
    in_scope,
    seen,
    stamp,
)
from telejudge_envs.base_station.noc_topology import describe
from telejudge_envs.base_station.observe import observe
from telejudge_envs.base_station.parts import Located, locate
from telejudge_envs.base_station.radio import Cell
from telejudge_envs.base_station.state import RanDB, Site
from telejudge_envs.base_station.toolkit import Arguments, Toolkit, read

LIMIT = 20
WINDOW = (0, 6)
"""Hours of the night in which service may be interrupted (policy, rule 3)."""


def _floor(word: Any) -> Severity:
    floors: dict[str, Severity] = {"minor": "MINOR", "major": "MAJOR", "critical": "CRITICAL"}
    return floors.get(str(word), "WARNING")


def _alarm_shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
    scope = str(a.get("scope_id"))
    if a.get("state", "active") != "active" or locate(db, scope) is None:
        return ()
    floor = _floor(a.get("min_severity"))
    told = alarm_effects(db, scope, floor)
    rows = [x for x in alarms_of(db, scope) if at_least(x.perceivedSeverity, floor)]
    limit = int(a.get("limit", LIMIT))
    return told if len(rows) <= limit else _told_by(db, rows[:limit], told)


def _told_by(db: RanDB, rows: list[Alarm], told: tuple[str, ...]) -> tuple[str, ...]:
    """A list that was cut short tells the alarms on it, and not that there are no others."""
    names = set()
    for row in rows:
        located = locate(db, row.objectInstance)
        problem = f"alarm.{row.specificProblem.partition(':')[0]}"
        names |= {problem, f"{problem}.{located.sector if located else 0}"}
    bits = observe(db)[db.focus]
    return tuple(name for name in told if name in names and bits[name])


def _impact_shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
    located = locate(db, str(a.get("object_id")))
    if located is None:
        return ()
    own = [
        f"kpi.traffic.{cell.sector}" for site, cell in affected(db, located) if site.id == db.focus
    ]
    others = any(site.id != db.focus for site, _ in affected(db, located))
    return (*own, *((TRUNK_DOWN,) if others else ()))


def affected(db: RanDB, located: Located) -> list[tuple[Site, Cell]]:
    """The cells whose users notice when something is done to the object."""
    if located.site is None:
        carries = located.thing.carries if isinstance(located.thing, Port) else list(db.sites)
        return [(db.sites[s], cell) for s in carries for cell in db.sites[s].cells]
    cells = located.site.cells
    return [(located.site, c) for c in cells if located.sector in (0, c.sector)]


class DeskReads(Toolkit):
    """Alarm list, topology, work orders, impact, stock, manual."""

    @read(shows=_alarm_shows)
    def list_alarms(
        self,
        scope_id: str,
        min_severity: Literal["warning", "minor", "major", "critical"] = "warning",
        state: Literal["active", "cleared"] = "active",
        limit: Annotated[int, Field(ge=1, le=100)] = LIMIT,
    ) -> list[dict[str, Any]]:
        """List alarms of a site (with its hub port), of one object, or of all sites of the hub.

        Args:
            scope_id: Site, object or hub.
            min_severity: Leave out what is less severe.
            state: active, or cleared by hand.
            limit: At most so many, the most severe first.
        """
        find(self.db, scope_id)
        if state == "active":
            alarms = alarms_of(self.db, scope_id)
        else:
            alarms = [a for a in cleared(self.db) if in_scope(self.db, scope_id, a.objectInstance)]
        floor = _floor(min_severity)
        if state == "active":
            alarms = [a for a in alarms if at_least(a.perceivedSeverity, floor)]
        return [_row(alarm) for alarm in alarms[:limit]]

    @read()
    def get_topology(self, object_id: str) -> dict[str, Any]:
        """Tell what an object consists of and depends on, with the ids of its parts.

        Args:
            object_id: Hub, site or part of a site.
        """
        return describe(self.db, find(self.db, object_id), object_id)

    @read()
    def get_work_orders(self, scope_id: str) -> list[dict[str, Any]]:
        """List the open work orders of a site, an object or the hub.

        Args:
            scope_id: Site, object or hub.
        """
        find(self.db, scope_id)
        return [
            {"id": w.id, "object": w.object_id, "text": w.text, "on_tower": w.on_tower}
            for w in self.db.work_orders
            if w.open and (in_scope(self.db, scope_id, w.object_id) or w.site_id == scope_id)
        ]

    @read(shows=_impact_shows)
    def check_impact(self, object_id: str, action: Action) -> dict[str, Any]:
        """Tell whom an action would hit now: users by cell, emergency calls, sites behind; for
        enable_mlb also whether neighbours have headroom.

        Args:
            object_id: What the action is done to.
            action: The tool that would be called.
        """
        located = find(self.db, object_id)
        cells = affected(self.db, located)
        users = {cell.id: self._users(site, cell) for site, cell in cells}
        behind = list(dict.fromkeys(s.id for s, _ in cells)) if located.site is None else []
        calls = sum(cell.ue_emergency for _, cell in cells if users[cell.id])
        told = {
            "users": users,
            "emergency_calls": calls,
            "dependents": behind,
            "window_open": WINDOW[0] <= self.db.clock_min // 60 % 24 < WINDOW[1],
            "service_affecting": action not in HARMLESS and any(users.values()),
        }
        if action == "enable_mlb" and located.kind == "cell":
            told["headroom"] = located.thing.mlb_headroom
        return told

    @read()
    def list_resources(self, site_id: str) -> dict[str, Any]:
        """List the spare parts in stock by type, and the technicians who can be sent.

        Args:
            site_id: Site that they are wanted for.
        """
        find_site(self.db, site_id)
        spares: dict[str, list[str]] = {}
        for spare in self.db.spares:
            if not spare.used:
                spares.setdefault(spare.type, []).append(spare.id)
        technicians = [
            {"id": t.id, "name": t.name, "certs": list(t.certs), "travel_min": t.travel_min}
            for t in self.db.technicians
        ]
        return {"spares": spares, "technicians": technicians}

    @read()
    def search_manual(self, query: str) -> list[dict[str, str]]:
        """Search the engineering manual: alarms, readings, limits, procedures, cautions.

        Args:
            query: What is looked for, e.g. "VSWR alarm" or "sleeping cell".
        """
        return manual.search(query)

    def _users(self, site: Site, cell: Cell) -> int:
        """Connected users. They do not follow `Cell.load`, which a fault may raise."""
        if not seen(self.db, site)[f"kpi.traffic.{cell.sector}"]:
            return 0
        return 20 + whole(180, self.db.seed, cell.id, "users", self.db.clock_min)


def _row(alarm: Alarm) -> dict[str, Any]:
    row = {
        "id": alarm.alarmId,
        "object": alarm.objectInstance,
        "severity": alarm.perceivedSeverity,
        "problem": alarm.specificProblem,
        "cause": alarm.probableCause,
        "raised": stamp(alarm.alarmRaisedTime),
        "state": "ACK" if alarm.ackState == "ACKNOWLEDGED" else "NEW",
    }
    if alarm.clearingType == "MANUAL":
        row["clearing"] = "MANUAL"
    if alarm.specificProblem.startswith(f"{alarm.probableCause}:"):
        del row["cause"]
    return row
