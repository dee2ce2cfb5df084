"""The 29 atomic faults: where each is, who takes it, and how the state shows that it is there.

In: a RanDB, the site, the sector. Out: the table `FAULTS`, by code.

    FAULTS["P3"].slug                   -> "rru_breaker_open"
    FAULTS["P3"].present(db, site, 2)   -> whether the breaker of feed 2 is open

How faults come into the state is in `injections.py`; `atoms.py` puts them in their places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telejudge_envs.base_station.operations import Team
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.state import RanDB, Site

Present = Callable[[RanDB, Site, int], bool]

SENSITIVITY_DBM = -14.4
"""Receiver sensitivity of a 10G-LR module; below it bits are lost."""

CPRI_SENSITIVITY_DBM = -14.4
VSWR_MINOR = 2.0
CONGESTED = 0.9


@dataclass(frozen=True)
class Fault:
    """One atomic fault. `onsite`: its repair needs somebody there. `team`: who takes it when the
    agent cannot repair it. `suffix`: of the object that the report must name ("H0": hub trunk)."""

    code: str
    slug: str
    group: str
    suffix: str
    sector: bool
    onsite: bool
    team: Team
    present: Present


def missing_neighbour(db: RanDB, site: Site, sector: int) -> str | None:
    """The planned neighbour that the cell has no relation to."""
    cell = site.cells[sector - 1]
    have = {r.adjacentNRCellRef for r in cell.relations}
    return next((n for n in db.plan[f"{cell.id}.relations"] if n not in have), None)


def _left_locked(db: RanDB, s: Site, i: int) -> bool:
    cell = s.cells[i - 1]
    return (
        cell.administrativeState == "LOCKED"
        and cell.id not in db.agent_locked
        and not any(w.open and w.object_id == cell.id for w in db.work_orders)
    )


def _feed_open(db: RanDB, s: Site, i: int) -> bool:
    return not s.power.breakers[part(s.id, "FD", i)]


def _weak_optics(db: RanDB, s: Site, i: int) -> bool:
    rru = s.rrus[i - 1]
    return min(rru.rx_bbu_dbm, rru.rx_rru_dbm) < CPRI_SENSITIVITY_DBM


def _too_few_rectifiers(db: RanDB, s: Site, i: int) -> bool:
    return sum(r.cap_w for r in s.power.rectifiers if r.ok) < s.power.load_w


def _planned(db: RanDB, object_id: str, attribute: str) -> Any:
    return db.plan[f"{object_id}.{attribute}"]


_F = Fault
FAULTS: dict[str, Fault] = {
    f.code: f
    for f in (
        _F("P1", "mains_failure", "pow", "AC0", False, True, "power",
           lambda d, s, i: not (s.power.mains_ok or s.power.generator_running)),
        _F("P2", "rectifier_failure", "pow", "RE1", False, True, "vendor", _too_few_rectifiers),
        _F("P3", "rru_breaker_open", "brk", "FD", True, True, "vendor", _feed_open),
        _F("E1", "fan_stalled", "cli", "FAN1", False, True, "vendor",
           lambda d, s, i: not all(f.ok for f in s.climate.fans)),
        _F("E2", "aircon_failure", "cli", "AC", False, True, "facilities",
           lambda d, s, i: not s.climate.aircon_ok),
        _F("T1", "fibre_cut", "trn", "L", False, True, "transmission",
           lambda d, s, i: d.links[s.id].cut_at_m is not None),
        _F("T2", "sfp_degraded", "trn", "P", False, True, "vendor",
           lambda d, s, i: s.port.sfp_rx_dbm < SENSITIVITY_DBM),
        _F("T3", "hub_port_shut", "trn", "H0", False, False, "transmission",
           lambda d, s, i: d.hub.ports[0].admin == "down"),
        _F("T4", "vlan_wrong", "trn", "P", False, False, "transmission",
           lambda d, s, i: s.port.vlan != _planned(d, s.port.id, "vlan")),
        _F("T5", "amf_address_wrong", "ng", "NG", False, False, "transmission",
           lambda d, s, i: s.gnb.remoteAddress != _planned(d, s.gnb.id, "remoteAddress")),
        _F("S1", "gnss_antenna_open", "syn", "GNSS", False, True, "vendor",
           lambda d, s, i: s.clock.antenna_ma == 0),
        _F("S2", "ptp_master_lost", "syn", "PTP", False, False, "transmission",
           lambda d, s, i: s.clock.active == "ptp" and not s.clock.ptp_locked),
        _F("B1", "main_process_hung", "bb", "BM", False, False, "vendor",
           lambda d, s, i: s.main.sw_state == "hung"),
        _F("B2", "baseband_hardware", "bb", "BB", False, True, "vendor",
           lambda d, s, i: not s.baseband.hw_ok),
        _F("B3", "licence_expired", "lic", "LIC", False, False, "commercial",
           lambda d, s, i: not s.licence.valid),
        _F("B4", "cell_hung", "cst", "C", True, False, "vendor",
           lambda d, s, i: s.cells[i - 1].hung),
        _F("F1", "cpri_fibre_broken", "fh", "O", True, True, "vendor",
           lambda d, s, i: not s.rrus[i - 1].fibre_ok),
        _F("F2", "cpri_optics_weak", "fh", "O", True, True, "vendor", _weak_optics),
        _F("F3", "pa_dead", "fh", "R", True, True, "vendor",
           lambda d, s, i: not s.rrus[i - 1].pa_ok),
        _F("A1", "vswr_high", "ant", "A", True, True, "vendor",
           lambda d, s, i: s.lines[i - 1].vswr > VSWR_MINOR),
        _F("A2", "ret_jammed", "ret", "T", True, True, "vendor",
           lambda d, s, i: s.rets[i - 1].jammed or not s.rets[i - 1].calibrated),
        _F("A3", "tilt_wrong", "ret", "T", True, False, "capacity",
           lambda d, s, i: s.rets[i - 1].tilt != _planned(d, s.rets[i - 1].id, "tilt")),
        _F("A4", "passive_intermodulation", "ant", "A", True, True, "vendor",
           lambda d, s, i: s.lines[i - 1].pim),
        _F("R1", "pci_confusion", "mob", "C", True, False, "capacity",
           lambda d, s, i: s.cells[i - 1].nrPci != _planned(d, s.cells[i - 1].id, "nrPci")),
        _F("R2", "neighbour_missing", "mob", "C", True, False, "capacity",
           lambda d, s, i: missing_neighbour(d, s, i) is not None),
        _F("R3", "tac_wrong", "ng", "NG", False, False, "transmission",
           lambda d, s, i: s.gnb.nRTAC != _planned(d, s.gnb.id, "nRTAC")),
        _F("R4", "external_interference", "int", "C", True, False, "spectrum",
           lambda d, s, i: s.cells[i - 1].external_noise),
        _F("R5", "congestion", "int", "C", True, False, "capacity",
           lambda d, s, i: s.cells[i - 1].load > CONGESTED and not s.cells[i - 1].mlb),
        _F("R6", "cell_left_locked", "cst", "C", True, False, "capacity", _left_locked),
    )
}  # fmt: skip

SLUGS: tuple[str, ...] = tuple(f.slug for f in FAULTS.values())
