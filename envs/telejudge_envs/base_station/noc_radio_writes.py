"""WRITE tools of the NOC for one sector: cell state, radio unit, tilt, neighbours, load tests.

In: a RanDB, ids, as an option a token. Out: `{"effect": …, "needs_verification": […]}`. They work
through the node: a node that does not answer, or a radio unit without a link, gives a ToolError.

    NocWrites(db).unlock_cell("K042-C1")
    -> {"effect": "K042-C1 is UNLOCKED", "needs_verification": ["get_kpi K042-C1", …]}
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from telejudge_envs.base_station.kpis import uplink_noise_dbm
from telejudge_envs.base_station.noc_common import (
    check_token,
    demand_link,
    demand_reach,
    done,
    find,
    owner,
    record_change,
    told,
)
from telejudge_envs.base_station.noc_config_writes import put_neighbour
from telejudge_envs.base_station.parts import locate
from telejudge_envs.base_station.physics import LOCKED
from telejudge_envs.base_station.radio import Cell, Ret
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Arguments, Sets, ToolError, Toolkit, write

MAX_TILT_DEG = 15.0
IDLE_PCT = 5


def _sector(db: RanDB, object_id: Any) -> int:
    """The sector of an object of the focus site, else 0."""
    located = locate(db, str(object_id))
    if located is None or located.site is None or located.site.id != db.focus:
        return 0
    return located.sector


def _sets(argument: str, **facts: int) -> Sets:
    """`sets` of a tool that leaves facts of the sector at fixed values."""

    def sets(db: RanDB, a: Arguments) -> dict[str, int]:
        i = _sector(db, a.get(argument))
        return {f"{name}.{i}": value for name, value in facts.items()} if i else {}

    return sets


def _tilt_sets(db: RanDB, a: Arguments) -> dict[str, int]:
    i = _sector(db, a.get("ret_id"))
    return {f"A3.{i}": int(float(a["tilt"]) != db.plan[f"{a['ret_id']}.tilt"])} if i else {}


def _neighbour_sets(db: RanDB, a: Arguments) -> dict[str, int]:
    i = _sector(db, a.get("cell_id"))
    planned = db.plan.get(f"{a.get('cell_id')}.relations", ())
    return {f"R2.{i}": 0} if i and a.get("target_cell_id") in planned else {}


def _noise_shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
    return told(db, str(a.get("cell_id")), (), ("kpi.noise", "kpi.idle_noise"))


class RadioWrites(Toolkit):
    """Cells, radio units, tilts, neighbours."""

    @write(sets=_sets("cell_id", **{LOCKED: 1, "R6": 0}), minutes=1)
    def lock_cell(self, cell_id: str, token: str | None = None) -> dict[str, Any]:
        """Take a cell off the air (administrativeState LOCKED), e.g. before work on its antenna.

        Args:
            cell_id: Cell, e.g. K042-C1.
            token: Approval, if any.
        """
        cell = self._cell(cell_id, token)
        cell.administrativeState = "LOCKED"
        if cell_id not in self.db.agent_locked:
            self.db.agent_locked.append(cell_id)
        return done(self.db, f"{cell_id} is LOCKED", f"get_ne_status {cell_id[:-3]}")

    @write(sets=_sets("cell_id", **{LOCKED: 0, "R6": 0, "B4": 0}), minutes=1)
    def unlock_cell(self, cell_id: str, token: str | None = None) -> dict[str, Any]:
        """Put a LOCKED cell on the air again; it starts anew.

        Args:
            cell_id: Cell, e.g. K042-C1.
            token: Approval, if any.
        """
        cell = self._cell(cell_id, token)
        if cell.administrativeState == "UNLOCKED":
            raise ToolError(f"{cell_id} is not LOCKED; nothing was changed")
        located = find(self.db, cell_id)
        cell.administrativeState, cell.hung = "UNLOCKED", False
        owner(located).rrus[located.sector - 1].isolated = False
        if cell_id in self.db.agent_locked:
            self.db.agent_locked.remove(cell_id)
        return done(
            self.db, f"{cell_id} is UNLOCKED", f"get_kpi {cell_id}", f"list_alarms {cell_id}"
        )

    @write(minutes=5)
    def reset_rru(self, rru_id: str, token: str | None = None) -> dict[str, Any]:
        """Restart a radio unit; its cell is down meanwhile.

        Args:
            rru_id: Radio unit, e.g. K042-R1.
            token: Approval, if any.
        """
        located = find(self.db, rru_id, "rru")
        check_token(self.db, token)
        demand_link(self.db, owner(located), located.sector)
        located.thing.resets += 1
        return done(self.db, f"{rru_id} was reset", f"get_rf {rru_id}", f"list_alarms {rru_id}")

    @write(shows=_noise_shows, minutes=5)
    def run_load_step(
        self, cell_id: str, pct: Annotated[int, Field(ge=80, le=100)] = 80
    ) -> dict[str, Any]:
        """Fill a cell's downlink with dummy load and compare the uplink noise with that when idle.

        Args:
            cell_id: Cell with traffic, e.g. K042-C1.
            pct: Load, 80 to 100 percent.
        """
        located = find(self.db, cell_id, "cell")
        demand_reach(self.db, owner(located))
        idle = uplink_noise_dbm(self.db, cell_id, IDLE_PCT)
        loaded = uplink_noise_dbm(self.db, cell_id, pct)
        if idle is None or loaded is None:
            raise ToolError(f"{cell_id} carries no traffic; the test needs a working cell")
        return done(
            self.db,
            f"load step of {cell_id} to {pct}% done and ended",
            idle_noise_dbm=idle,
            loaded_noise_dbm=loaded,
        )

    @write(sets=_tilt_sets, minutes=2)
    def set_ret_tilt(
        self,
        ret_id: str,
        tilt: Annotated[float, Field(ge=0, le=MAX_TILT_DEG)],
        token: str | None = None,
    ) -> dict[str, Any]:
        """Turn the electrical tilt of an antenna.

        Args:
            ret_id: RET, e.g. K042-T1.
            tilt: Degrees down, 0 to 15.
            token: Approval, if any.
        """
        ret = self._ret(ret_id, token)
        if ret.jammed or not ret.calibrated:
            code = "ActuatorJam" if ret.jammed else "NotCalibrated"
            raise ToolError(f"{ret_id} does not turn: {code}; nothing was changed")
        before, ret.tilt = ret.tilt, float(tilt)
        if before != ret.tilt:
            record_change(self.db, ret_id, "tilt", before, ret.tilt)
        sector = find(self.db, ret_id).sector
        cell = ret_id.replace(f"-T{sector}", f"-C{sector}")
        return done(
            self.db,
            f"{ret_id} is at {ret.tilt} degrees",
            f"get_rf {_rru(ret_id)}",
            f"get_kpi {cell}",
        )

    @write(sets=_sets("ret_id", A2=0), minutes=2)
    def calibrate_ret(self, ret_id: str) -> dict[str, Any]:
        """Let a RET find its end stops again; a jammed actuator refuses.

        Args:
            ret_id: RET, e.g. K042-T1.
        """
        ret = self._ret(ret_id, None)
        if ret.jammed:
            raise ToolError(f"calibration of {ret_id} failed: ActuatorJam; nothing was changed")
        ret.calibrated = True
        return done(
            self.db, f"{ret_id} is calibrated", f"get_rf {_rru(ret_id)}", f"list_alarms {ret_id}"
        )

    @write(sets=_neighbour_sets, minutes=2)
    def add_neighbour(self, cell_id: str, target_cell_id: str) -> dict[str, Any]:
        """Give a cell a neighbour relation, so that it can hand over there.

        Args:
            cell_id: Cell, e.g. K042-C1.
            target_cell_id: The neighbour.
        """
        located = find(self.db, cell_id, "cell")
        cell: Cell = located.thing
        if f"{target_cell_id}.nrPci" not in self.db.plan or target_cell_id == cell_id:
            raise ToolError(f"'{target_cell_id}' is no cell that {cell_id} could have beside it")
        if any(r.adjacentNRCellRef == target_cell_id for r in cell.relations):
            raise ToolError(f"{cell_id} has the neighbour {target_cell_id} already")
        demand_reach(self.db, owner(located))
        put_neighbour(self.db, cell, target_cell_id)
        return done(
            self.db,
            f"{cell_id} has the neighbour {target_cell_id}",
            f"get_neighbours {cell_id}",
            f"get_kpi {cell_id}",
        )

    @write(sets=_sets("cell_id", R5=0), minutes=2)
    def enable_mlb(self, cell_id: str, token: str | None = None) -> dict[str, Any]:
        """Let a cell push users to its neighbours (mobility load balancing); needs room there.

        Args:
            cell_id: Cell, e.g. K042-C1.
            token: Approval, if any.
        """
        cell = self._cell(cell_id, token)
        if not cell.mlb_headroom:
            raise ToolError(f"no headroom: the neighbours of {cell_id} are full; not enabled")
        cell.mlb = True
        return done(self.db, f"load balancing of {cell_id} is on", f"get_kpi {cell_id}")

    # -- what the calls have in common

    def _cell(self, cell_id: str, token: str | None) -> Cell:
        located = find(self.db, cell_id, "cell")
        check_token(self.db, token)
        demand_reach(self.db, owner(located))
        return located.thing

    def _ret(self, ret_id: str, token: str | None) -> Ret:
        located = find(self.db, ret_id, "ret")
        check_token(self.db, token)
        demand_link(self.db, owner(located), located.sector)
        return located.thing


def _rru(ret_id: str) -> str:
    head, _, number = ret_id.rpartition("-T")
    return f"{head}-R{number}"
