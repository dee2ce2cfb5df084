"""WRITE tools of the NOC for configuration: set an attribute, or undo a change of the log.

In: a RanDB, ids, as an option a token. Out: `{"effect": …, "needs_verification": […]}`.

    NocWrites(db).set_config("K042-NG", "nRTAC", "310")
    -> {"effect": "K042-NG nRTAC = 310", "needs_verification": ["diff_config_vs_plan K042-NG", …]}

`set_config` speaks with the node; `rollback_config` restores a stored file out of band, which also
reaches a node that does not answer. Only a RET turns with its radio unit alone.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Literal

from telejudge_envs.base_station.noc_common import (
    check_token,
    demand_link,
    demand_reach,
    done,
    find,
    owner,
    record_change,
)
from telejudge_envs.base_station.operations import ChangeRecord
from telejudge_envs.base_station.parts import locate
from telejudge_envs.base_station.physics import ATTRIBUTE
from telejudge_envs.base_station.radio import Cell, NRCellRelation
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Arguments, ToolError, Toolkit, write

Attribute = Literal["nRTAC", "nrPci", "remoteAddress", "vlan"]
KIND = {"nRTAC": "gnb", "nrPci": "cell", "remoteAddress": "gnb", "vlan": "port"}
RANGE = {"nRTAC": (0, 2**24 - 1), "nrPci": (0, 1007), "vlan": (1, 4094)}
"""TAC: 24 bits, TS 38.413. PCI of NR: TS 38.211. VLAN id: IEEE 802.1Q."""

RESTORABLE = {*KIND, "localAddress", "plmn", "tilt", "configuredMaxTxPower", "relation"}
"""What a stored configuration file holds; software releases are none of it."""

CODE = {attribute: code for code, attribute in ATTRIBUTE.items()}


def _atom(db: RanDB, object_id: str, attribute: str) -> str | None:
    """The fault of the focus site that a wrong value of the attribute is."""
    located = locate(db, object_id)
    code = CODE.get(attribute)
    if code is None or located is None or located.site is None or located.site.id != db.focus:
        return None
    return f"{code}.{located.sector}" if located.sector else code


def _config_sets(db: RanDB, a: Arguments) -> dict[str, int]:
    attribute, object_id = str(a.get("attribute")), str(a.get("object_id"))
    atom = _atom(db, object_id, attribute)
    if atom is None:
        return {}
    planned = db.plan.get(f"{object_id}.{attribute}")
    return {atom: int(str(a.get("value")).strip() != str(planned))}


def _rollback_sets(db: RanDB, a: Arguments) -> dict[str, int]:
    record = next((c for c in db.changes if c.id == a.get("change_id")), None)
    atom = record and _atom(db, record.object_id, record.attribute)
    if record is None or atom is None:
        return {}
    if record.attribute == "relation":
        planned = record.before in db.plan[f"{record.object_id}.relations"]
        return {atom: 0} if planned else {}
    return {atom: int(record.before != db.plan[f"{record.object_id}.{record.attribute}"])}


def put_neighbour(db: RanDB, cell: Cell, target: str) -> None:
    """Add the relation where the plan has it, so that a repaired cell is as it was."""
    planned = db.plan[f"{cell.id}.relations"]
    order = {name: n for n, name in enumerate(planned)}
    cell.relations = sorted(
        [*cell.relations, NRCellRelation(adjacentNRCellRef=target)],
        key=lambda r: order.get(r.adjacentNRCellRef, len(order)),
    )


class ConfigWrites(Toolkit):
    """Set and undo."""

    @write(sets=_config_sets, minutes=2)
    def set_config(
        self, object_id: str, attribute: Attribute, value: str | int, token: str | None = None
    ) -> dict[str, Any]:
        """Set an attribute through the node: nRTAC or remoteAddress (AMF) of K042-NG, nrPci of a
        cell, vlan of the site's port.

        Args:
            object_id: E.g. K042-NG, K042-C1, K042-P.
            attribute: Which.
            value: The new value.
            token: Approval, if any.
        """
        located = find(self.db, object_id, KIND[attribute])
        check_token(self.db, token)
        new = _value(attribute, value)
        demand_reach(self.db, owner(located))
        before = getattr(located.thing, attribute)
        setattr(located.thing, attribute, new)
        if before != new:
            record_change(self.db, object_id, attribute, before, new)
        return self._done(object_id, f"{object_id} {attribute} = {new}")

    @write(sets=_rollback_sets, minutes=2)
    def rollback_config(self, change_id: str, token: str | None = None) -> dict[str, Any]:
        """Undo one change of the log, out of band: works while the node does not answer.

        Args:
            change_id: Change from get_change_log, e.g. CH123.
            token: Approval, if any.
        """
        record = next((c for c in self.db.changes if c.id == change_id), None)
        if record is None:
            raise ToolError(f"there is no change '{change_id}'; get_change_log lists them")
        check_token(self.db, token)
        if record.rolled_back:
            raise ToolError(f"{change_id} was rolled back already; nothing was changed")
        self._restore(record)
        record.rolled_back = True
        return self._done(
            record.object_id, f"{change_id} is undone: {record.object_id} {record.attribute}"
        )

    def _restore(self, record: ChangeRecord) -> None:
        located = find(self.db, record.object_id)
        thing = located.thing
        if record.attribute not in RESTORABLE:
            raise ToolError(f"{record.id} is no change of configuration; nothing was changed")
        if record.attribute == "relation" and isinstance(thing, Cell):
            have = {r.adjacentNRCellRef for r in thing.relations}
            if record.before is not None and record.before not in have:
                put_neighbour(self.db, thing, record.before)
            return
        if located.kind == "ret":
            demand_link(self.db, owner(located), located.sector)
            if thing.jammed or not thing.calibrated:
                raise ToolError(f"{record.object_id} does not turn; nothing was changed")
        setattr(thing, record.attribute, record.before)

    def _done(self, object_id: str, effect: str) -> dict[str, Any]:
        site = object_id.rpartition("-")[0]
        return done(
            self.db,
            effect,
            f"diff_config_vs_plan {object_id}",
            f"list_alarms {site}",
            f"get_kpi {site}",
        )


def _value(attribute: Attribute, value: str | int) -> str | int:
    """The value in the attribute's type. Raises ToolError when it cannot be one."""
    text = str(value).strip()
    if attribute == "remoteAddress":
        try:
            return str(ipaddress.IPv4Address(text))
        except ValueError:
            raise ToolError(f"'{text}' is no IPv4 address; nothing was changed") from None
    low, high = RANGE[attribute]
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ToolError(f"{attribute} must be a number from {low} to {high}, not '{text}'")
    return int(text)
