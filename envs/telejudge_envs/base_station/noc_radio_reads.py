"""READ tools of the NOC for one sector: radio unit, CPRI fibre, neighbours, counters.

In: a RanDB and the id of a radio unit or a cell. Out: small dicts. A node that does not answer
gives NE_UNREACHABLE, a radio unit without a link RRU_UNREACHABLE.

    NocReads(db).get_rf("K042-R2")
    -> {"rru": "K042-R2", "tx_dbm": 45.9, "pa_amps": 6.9, "vswr": 1.23, "tilt": 6.0, "ret": "OK"}
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from telejudge_envs.base_station.kpi_table import KPI_NAMES
from telejudge_envs.base_station.kpis import kpi_effects_of
from telejudge_envs.base_station.kpis import kpis as counters
from telejudge_envs.base_station.noc_common import (
    find,
    near,
    owner,
    seen,
    through_node,
    unreachable,
)
from telejudge_envs.base_station.noc_transport_reads import DARK_DBM
from telejudge_envs.base_station.radio import Ret, Rru
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Arguments, Toolkit, read

RRU_UNREACHABLE = "RRU_UNREACHABLE"
"""What is said of a radio unit without a CPRI link."""


def _kpi_shows(db: RanDB, a: Arguments) -> tuple[str, ...]:
    names = [n for n in a.get("kpis") or () if n in KPI_NAMES]
    return kpi_effects_of(db, str(a.get("object_id")), names)


class RadioReads(Toolkit):
    """Radio units, fronthaul, neighbours and counters."""

    @read(
        shows=through_node(
            "rru_id",
            by_sector=("see.LINK", "see.F3", "see.RADIATING", "see.A1", "see.A2", "see.A3"),
        )
    )
    def get_rf(self, rru_id: str) -> dict[str, Any]:
        """Read a radio unit: output power, amplifier current, VSWR, electrical tilt.

        Args:
            rru_id: Radio unit, e.g. K042-R1.
        """
        located = find(self.db, rru_id, "rru")
        site, i = owner(located), located.sector
        e = seen(self.db, site)
        if not e["reach"]:
            return unreachable(site)
        if not e[f"see.LINK.{i}"]:
            return {"rru": rru_id, "status": RRU_UNREACHABLE}
        power, amps = self._output(rru_id, dead=e[f"see.F3.{i}"], on=e[f"see.RADIATING.{i}"])
        ret = site.rets[i - 1]
        return {
            "rru": rru_id,
            "tx_dbm": power,
            "pa_amps": amps,
            "vswr": round(site.lines[i - 1].vswr, 2) if e[f"see.RADIATING.{i}"] else None,
            "tilt": ret.tilt,
            "ret": _ret_code(ret) if e[f"see.A2.{i}"] else "OK",
        }

    @read(shows=through_node("rru_id", by_sector=("see.LINK", "see.F2", "alarm.RRU_DYING_GASP")))
    def get_fronthaul(self, rru_id: str) -> dict[str, Any]:
        """Read the CPRI link of a radio unit: state, received light at both ends, bit errors.

        Args:
            rru_id: Radio unit, e.g. K042-R1.
        """
        located = find(self.db, rru_id, "rru")
        site, i = owner(located), located.sector
        rru: Rru = located.thing
        e = seen(self.db, site)
        if not e["reach"]:
            return unreachable(site)
        up, weak = e[f"see.LINK.{i}"], e[f"see.F2.{i}"]
        return {
            "cpri": rru.cpri,
            "link": "up" if up else "down",
            "rx_bbu_dbm": self._light(rru.cpri, "bbu", rru.rx_bbu_dbm) if up else DARK_DBM,
            "rx_rru_dbm": self._light(rru.cpri, "rru", rru.rx_rru_dbm) if up else None,
            "ber": ("3e-7" if weak else "1e-13") if up else None,
            "dying_gasp": bool(e[f"alarm.RRU_DYING_GASP.{i}"]),
        }

    @read(shows=through_node("cell_id", by_sector=("see.R1", "see.R2")))
    def get_neighbours(self, cell_id: str) -> dict[str, Any]:
        """Read a cell's own PCI and its neighbour relations as configured.

        Args:
            cell_id: Cell, e.g. K042-C1.
        """
        located = find(self.db, cell_id, "cell")
        site = owner(located)
        if not seen(self.db, site)["reach"]:
            return unreachable(site)
        cell = located.thing
        return {
            "cell": cell.id,
            "pci": cell.nrPci,
            "neighbours": [
                {
                    "id": r.adjacentNRCellRef,
                    "pci": self.db.plan.get(f"{r.adjacentNRCellRef}.nrPci"),
                    "ho": r.isHOAllowed,
                }
                for r in cell.relations
            ],
        }

    @read(shows=_kpi_shows)
    def get_kpi(
        self,
        object_id: str,
        kpis: list[str] | None = None,
        hours: Annotated[int, Field(ge=1, le=24)] = 1,
    ) -> dict[str, Any]:
        """Read counters of the last 15 minutes of a cell, or of a site with all its cells.

        Args:
            object_id: Cell or site.
            kpis: Counter names, e.g. RRU.PrbTotDl; none for all.
            hours: From 2 on a cell's usual values are given besides.
        """
        find(self.db, object_id, "cell", "site")
        return counters(self.db, object_id, kpis or (), hours)

    # -- parts of the results

    def _output(self, rru_id: str, *, dead: int, on: int) -> tuple[float, float]:
        """Output power in dBm and supply current of the amplifier in A."""
        jitter = near(self.db, 0.3, rru_id, "tx")
        if dead:
            return round(11 + jitter, 1), round(0.4 + jitter / 10, 2)
        if on:
            return round(45.8 + jitter, 1), round(6.8 + jitter, 2)
        return DARK_DBM, round(1.2 + jitter / 10, 2)

    def _light(self, cpri: str, end: str, dbm: float) -> float:
        return round(dbm + near(self.db, 0.2, cpri, end), 1)


def _ret_code(ret: Ret) -> str:
    """Return codes of TS 25.463 Annex A."""
    return "ActuatorJam" if ret.jammed else "NotCalibrated"
