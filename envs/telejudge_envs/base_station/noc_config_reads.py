"""READ tools of the NOC for configuration: what is set, what was planned, who changed what.

In: a RanDB and ids. Out: small dicts. Configuration is read from the node, so a node that does not
answer gives NE_UNREACHABLE; the change log is kept elsewhere.

    NocReads(db).diff_config_vs_plan("K042-NG")
    -> {"diffs": [{"object": "K042-NG", "attribute": "nRTAC", "actual": 1310, "planned": 310}]}
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from telejudge_envs.base_station.atoms import object_of
from telejudge_envs.base_station.noc_common import (
    find,
    in_scope,
    in_sectors,
    owner,
    seen,
    stamp,
    told,
    unreachable,
)
from telejudge_envs.base_station.noc_radio_reads import RRU_UNREACHABLE
from telejudge_envs.base_station.operations import ChangeRecord
from telejudge_envs.base_station.parts import Located, locate
from telejudge_envs.base_station.physics import logged
from telejudge_envs.base_station.state import RanDB, Site
from telejudge_envs.base_station.toolkit import Arguments, ToolError, Toolkit, read

ATTRIBUTES = {
    "cell": (
        "administrativeState",
        "rat",
        "nrPci",
        "arfcnDL",
        "bSChannelBwDL",
        "configuredMaxTxPower",
        "mlb",
    ),
    "gnb": ("localAddress", "remoteAddress", "nRTAC", "plmn"),
    "port": ("vlan", "gateway"),
    "ret": ("tilt",),
    "hub_port": ("admin", "carries"),
}
"""What can be read of each kind of object; names of TS 28.541 where it has them."""

_TELLS = {"nrPci": "see.R1", "remoteAddress": "see.T5", "nRTAC": "see.R3", "vlan": "see.T4"}


def _config_shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
    object_id = str(a.get("object_id"))
    located = locate(db, object_id)
    if located is None or located.kind not in ATTRIBUTES:
        return ()
    names = a.get("attributes") or ATTRIBUTES[located.kind]
    if located.site is None:
        trunk = object_id == db.hub.ports[0].id and "admin" in names
        return ("alarm.LINK_FAILURE",) if trunk else ()
    effects = [_TELLS[name] for name in names if name in _TELLS]
    if located.kind == "ret":
        return told(db, object_id, ("reach",), ("see.LINK", "see.A3"))
    if located.kind != "cell":
        return told(db, object_id, ("reach", *effects))
    shown = told(db, object_id, ("reach",), tuple(effects))
    focus = located.site.id == db.focus and "administrativeState" in names
    return shown + (in_sectors(located, ("see.LOCKED",)) if focus else ())


def _diff_shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
    object_id = str(a.get("object_id"))
    located = locate(db, object_id)
    kind = located.kind if located is not None else ""
    by_kind = {
        "site": (
            ("reach", "see.T4", "see.T5", "see.R3"),
            ("see.R1", "see.R2", "see.LINK", "see.A3"),
        ),
        "port": (("reach", "see.T4"), ()),
        "gnb": (("reach", "see.T5", "see.R3"), ()),
        "cell": (("reach",), ("see.R1", "see.R2")),
        "ret": (("reach",), ("see.LINK", "see.A3")),
    }
    return told(db, object_id, *by_kind[kind]) if kind in by_kind else ()


def _log_shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
    scope = str(a.get("scope_id"))
    return tuple(
        f"log.{atom}"
        for atom in logged(len(db.sites[db.focus].cells))
        if in_scope(db, scope, object_of(db, db.focus, atom))
    )


class ConfigReads(Toolkit):
    """Configuration, plan and changes."""

    @read(shows=_config_shows)
    def get_config(self, object_id: str, attributes: list[str] | None = None) -> dict[str, Any]:
        """Read the configuration of a cell, RET, transport port, hub port or the NG end point.

        Args:
            object_id: E.g. K042-C1, K042-T1, K042-P, K042-NG.
            attributes: Only these; none for all.
        """
        located = find(self.db, object_id, *ATTRIBUTES)
        have = ATTRIBUTES[located.kind]
        for name in attributes or ():
            if name not in have:
                raise ToolError(f"{object_id} has no attribute '{name}'; has: {', '.join(have)}")
        values = {n: getattr(located.thing, n) for n in attributes or have}
        if located.site is None:
            return {"id": object_id, **values}
        missing = self._unread(located)
        if missing is None:
            return {"id": object_id, **values}
        books = {n: v for n, v in values.items() if n == "administrativeState"}
        return {**missing, **books}

    @read(shows=_diff_shows)
    def diff_config_vs_plan(self, object_id: str) -> dict[str, Any]:
        """Compare the configuration of a site or of one of its objects with the plan.

        Args:
            object_id: Site, cell, RET, transport port or NG end point.
        """
        located = find(self.db, object_id, "site", "cell", "ret", "port", "gnb")
        site = owner(located)
        if not seen(self.db, site)["reach"]:
            return unreachable(site)
        objects = _configured(site) if located.kind == "site" else [object_id]
        result: dict[str, Any] = {"diffs": []}
        for name in objects:
            one = find(self.db, name)
            if self._unread(one) is None:
                result["diffs"] += _differences(self.db, name, one)
            else:
                result.setdefault("not_read", []).append(name)
        return result

    @read(shows=_log_shows)
    def get_change_log(
        self, scope_id: str, hours: Annotated[int, Field(ge=24, le=168)] = 24
    ) -> list[dict[str, Any]]:
        """List configuration changes of a site, an object or the whole hub, the latest first.

        Args:
            scope_id: Site, object or hub.
            hours: How far back, 24 or more.
        """
        find(self.db, scope_id)
        since = self.db.clock_min - 60 * hours
        found = [
            c
            for c in self.db.changes
            if c.at_min >= since and in_scope(self.db, scope_id, c.object_id)
        ]
        return [_change(c) for c in sorted(found, key=lambda c: (-c.at_min, c.id))]

    def _unread(self, located: Located) -> dict[str, Any] | None:
        """What is returned instead of values that cannot be read now; None when they can."""
        site = owner(located)
        e = seen(self.db, site)
        if not e["reach"]:
            return unreachable(site)
        if located.kind == "ret" and not e[f"see.LINK.{located.sector}"]:
            return {"id": located.thing.id, "status": RRU_UNREACHABLE}
        return None


def _configured(site: Site) -> list[str]:
    things = (site.port, site.gnb, *site.cells, *site.rets)
    return [thing.id for thing in things]


def _differences(db: RanDB, object_id: str, located: Located) -> list[dict[str, Any]]:
    found = []
    for name in ("vlan", "localAddress", "remoteAddress", "nRTAC", "plmn", "tilt", "nrPci",
                 "configuredMaxTxPower"):  # fmt: skip
        key = f"{object_id}.{name}"
        if key in db.plan and getattr(located.thing, name) != db.plan[key]:
            found.append(_row(db, object_id, name, getattr(located.thing, name), db.plan[key]))
    if located.kind == "cell":
        have = [r.adjacentNRCellRef for r in located.thing.relations]
        planned = db.plan[f"{object_id}.relations"]
        found += [_row(db, object_id, "relation", None, n) for n in planned if n not in have]
        found += [_row(db, object_id, "relation", n, None) for n in have if n not in planned]
    return found


def _row(db: RanDB, object_id: str, attribute: str, actual: Any, planned: Any) -> dict[str, Any]:
    row = {"object": object_id, "attribute": attribute, "actual": actual, "planned": planned}
    approved = db.deviations.get(f"{object_id}.{attribute}")
    return row if approved is None else {**row, "approved": approved}


def _change(c: ChangeRecord) -> dict[str, Any]:
    """What the log says. `before` of the NOC's own changes would tell what it had not read."""
    row: dict[str, Any] = {
        "id": c.id,
        "at": stamp(c.at_min),
        "object": c.object_id,
        "attribute": c.attribute,
        "before": c.before,
        "after": c.after,
        "by": c.by,
        "approved": c.approved,
    }
    if c.by == "noc":
        del row["before"]
    if c.note:
        row["note"] = c.note
    if c.rolled_back:
        row["rolled_back"] = True
    return row
