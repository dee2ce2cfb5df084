"""The 29 atomic faults: what each changes in the state, and how the state shows that it is there.

In: a RanDB, the site, the sector. An *atom* is a fault at its place: `P1`, or `P3.2` for sector 2.

    inject(db, "P3.2", {})           # the breaker of the second radio unit's feed opens
    present(db, db.focus, "P3.2")    -> True
    object_of(db, db.focus, "P3.2")  -> "K042-FD2"

`FAULTS` is the table; everything else in the world (physics, remedies, oracle) speaks of atoms.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from telejudge_envs.base_station.jitter import whole
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.state import ChangeRecord, RanDB, Site, Team

Variant = Mapping[str, Any]
Inject = Callable[[RanDB, Site, int, Variant], None]
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
    inject: Inject
    present: Present


def _port_vlan(db: RanDB, s: Site, i: int, v: Variant) -> None:
    wrong = s.port.vlan + 7
    _change(db, s.port.id, "vlan", s.port.vlan, wrong)
    s.port.vlan = wrong


def _amf(db: RanDB, s: Site, i: int, v: Variant) -> None:
    head, _, last = s.gnb.remoteAddress.rpartition(".")
    wrong = f"{head}.{int(last) + 90}"
    _change(db, s.gnb.id, "remoteAddress", s.gnb.remoteAddress, wrong)
    s.gnb.remoteAddress = wrong


def _tac(db: RanDB, s: Site, i: int, v: Variant) -> None:
    wrong = s.gnb.nRTAC + 1000
    _change(db, s.gnb.id, "nRTAC", s.gnb.nRTAC, wrong)
    s.gnb.nRTAC = wrong


def _change(db: RanDB, object_id: str, attribute: str, before: Any, after: Any) -> None:
    """Wrong configuration comes from a change that nobody approved.

    Its id and time depend on what was changed only, so that they tell nothing of other faults.
    """
    taken = {change.id for change in db.changes}
    number = whole(900, db.seed, object_id, attribute, "change")
    while f"CH{100 + number}" in taken:
        number = (number + 1) % 900
    db.changes.append(
        ChangeRecord(
            id=f"CH{100 + number}",
            object_id=object_id,
            attribute=attribute,
            before=before,
            after=after,
            at_min=db.started_min - 60 - whole(540, db.seed, object_id, attribute, "minute"),
            by="night-shift",
            approved=False,
        )
    )


def _rectifier(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.power.rectifiers[0].ok = False


def _breaker(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.power.breakers[part(s.id, "FD", i)] = False
    if v.get("shorted"):
        s.power.shorted.append(part(s.id, "FD", i))


def _aircon(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.climate.aircon_ok = False
    s.climate.aircon_resettable = not v.get("unfixable")
    s.climate.ambient_c = 41.0


def _fan(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.climate.fans[0].ok = False


def _fibre(db: RanDB, s: Site, i: int, v: Variant) -> None:
    link = db.links[s.id]
    link.cut_at_m = int(v.get("cut_at_m", link.length_m // 3))
    if v.get("unfixable"):
        link.owner = "leased"


def _sfp(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.port.sfp_rx_dbm, s.port.sfp_worn = -17.0, bool(v.get("worn"))


def _mains(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.power.mains_ok = False
    if v.get("unfixable"):
        s.power.generator_fitted = False


def _gnss(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.clock.antenna_ma, s.clock.sats = 0, 0
    s.clock.holdover_since = db.started_min


def _ptp(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.clock.active, s.clock.ptp_locked = "ptp", False


def _hang_main(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.main.sw_state = "hung"


def _baseband(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.baseband.hw_ok = False


def _licence(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.licence.valid = False
    if v.get("unfixable"):
        db.licence_pool.clear()


def _hang_cell(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.cells[i - 1].hung = True


def _cpri_fibre(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.rrus[i - 1].fibre_ok = False


def _cpri_optics(db: RanDB, s: Site, i: int, v: Variant) -> None:
    rru, end = s.rrus[i - 1], v.get("end", "bbu")
    if end == "bbu":
        rru.rx_bbu_dbm = -16.5
    else:
        rru.rx_rru_dbm = -16.5
    if v.get("worn"):
        rru.optics_worn = end


def _pa(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.rrus[i - 1].pa_ok = False


def _vswr(db: RanDB, s: Site, i: int, v: Variant) -> None:
    line = s.lines[i - 1]
    line.vswr = 3.4
    line.segment, line.dist_m = v.get("segment", "jumper"), float(v.get("dist_m", 4.0))


def _pim(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.lines[i - 1].pim, s.lines[i - 1].segment = True, "connector"


def _ret(db: RanDB, s: Site, i: int, v: Variant) -> None:
    ret = s.rets[i - 1]
    ret.calibrated, ret.jammed = False, bool(v.get("jammed"))


def _tilt(db: RanDB, s: Site, i: int, v: Variant) -> None:
    ret = s.rets[i - 1]
    _change(db, ret.id, "tilt", ret.tilt, 0.0)
    ret.tilt = 0.0


def _pci(db: RanDB, s: Site, i: int, v: Variant) -> None:
    cell = s.cells[i - 1]
    other = _external_pci(db, cell.relations[-1].adjacentNRCellRef)
    _change(db, cell.id, "nrPci", cell.nrPci, other)
    cell.nrPci = other


def _neighbour(db: RanDB, s: Site, i: int, v: Variant) -> None:
    cell = s.cells[i - 1]
    gone = cell.relations[0]
    _change(db, cell.id, "relation", gone.adjacentNRCellRef, None)
    cell.relations = cell.relations[1:]


def _noise(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.cells[i - 1].external_noise = True


def _load(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.cells[i - 1].load = 0.97
    s.cells[i - 1].mlb_headroom = not v.get("unfixable")


def _lock(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.cells[i - 1].administrativeState = "LOCKED"


def _external_pci(db: RanDB, cell_id: str) -> int:
    """The PCI that a neighbouring cell has by plan, modelled or only known by name."""
    return int(db.plan[f"{cell_id}.nrPci"])


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
        _F("P1", "mains_failure", "pow", "AC0", False, True, "power", _mains,
           lambda d, s, i: not (s.power.mains_ok or s.power.generator_running)),
        _F("P2", "rectifier_failure", "pow", "RE1", False, True, "vendor", _rectifier,
           _too_few_rectifiers),
        _F("P3", "rru_breaker_open", "brk", "FD", True, True, "vendor", _breaker, _feed_open),
        _F("E1", "fan_stalled", "cli", "FAN1", False, True, "vendor", _fan,
           lambda d, s, i: not all(f.ok for f in s.climate.fans)),
        _F("E2", "aircon_failure", "cli", "AC", False, True, "facilities", _aircon,
           lambda d, s, i: not s.climate.aircon_ok),
        _F("T1", "fibre_cut", "trn", "L", False, True, "transmission", _fibre,
           lambda d, s, i: d.links[s.id].cut_at_m is not None),
        _F("T2", "sfp_degraded", "trn", "P", False, True, "vendor", _sfp,
           lambda d, s, i: s.port.sfp_rx_dbm < SENSITIVITY_DBM),
        _F("T3", "hub_port_shut", "trn", "H0", False, False, "transmission",
           lambda d, s, i, v: setattr(d.hub.ports[0], "admin", "down"),
           lambda d, s, i: d.hub.ports[0].admin == "down"),
        _F("T4", "vlan_wrong", "trn", "P", False, False, "transmission", _port_vlan,
           lambda d, s, i: s.port.vlan != _planned(d, s.port.id, "vlan")),
        _F("T5", "amf_address_wrong", "ng", "NG", False, False, "transmission", _amf,
           lambda d, s, i: s.gnb.remoteAddress != _planned(d, s.gnb.id, "remoteAddress")),
        _F("S1", "gnss_antenna_open", "syn", "GNSS", False, True, "vendor", _gnss,
           lambda d, s, i: s.clock.antenna_ma == 0),
        _F("S2", "ptp_master_lost", "syn", "PTP", False, False, "transmission", _ptp,
           lambda d, s, i: s.clock.active == "ptp" and not s.clock.ptp_locked),
        _F("B1", "main_process_hung", "bb", "BM", False, False, "vendor", _hang_main,
           lambda d, s, i: s.main.sw_state == "hung"),
        _F("B2", "baseband_hardware", "bb", "BB", False, True, "vendor", _baseband,
           lambda d, s, i: not s.baseband.hw_ok),
        _F("B3", "licence_expired", "lic", "LIC", False, False, "commercial", _licence,
           lambda d, s, i: not s.licence.valid),
        _F("B4", "cell_hung", "cst", "C", True, False, "vendor", _hang_cell,
           lambda d, s, i: s.cells[i - 1].hung),
        _F("F1", "cpri_fibre_broken", "fh", "O", True, True, "vendor", _cpri_fibre,
           lambda d, s, i: not s.rrus[i - 1].fibre_ok),
        _F("F2", "cpri_optics_weak", "fh", "O", True, True, "vendor", _cpri_optics, _weak_optics),
        _F("F3", "pa_dead", "fh", "R", True, True, "vendor", _pa,
           lambda d, s, i: not s.rrus[i - 1].pa_ok),
        _F("A1", "vswr_high", "ant", "A", True, True, "vendor", _vswr,
           lambda d, s, i: s.lines[i - 1].vswr > VSWR_MINOR),
        _F("A2", "ret_jammed", "ret", "T", True, True, "vendor", _ret,
           lambda d, s, i: s.rets[i - 1].jammed or not s.rets[i - 1].calibrated),
        _F("A3", "tilt_wrong", "ret", "T", True, False, "capacity", _tilt,
           lambda d, s, i: s.rets[i - 1].tilt != _planned(d, s.rets[i - 1].id, "tilt")),
        _F("A4", "passive_intermodulation", "ant", "A", True, True, "vendor", _pim,
           lambda d, s, i: s.lines[i - 1].pim),
        _F("R1", "pci_confusion", "mob", "C", True, False, "capacity", _pci,
           lambda d, s, i: s.cells[i - 1].nrPci != _planned(d, s.cells[i - 1].id, "nrPci")),
        _F("R2", "neighbour_missing", "mob", "C", True, False, "capacity", _neighbour,
           lambda d, s, i: missing_neighbour(d, s, i) is not None),
        _F("R3", "tac_wrong", "ng", "NG", False, False, "transmission", _tac,
           lambda d, s, i: s.gnb.nRTAC != _planned(d, s.gnb.id, "nRTAC")),
        _F("R4", "external_interference", "int", "C", True, False, "spectrum", _noise,
           lambda d, s, i: s.cells[i - 1].external_noise),
        _F("R5", "congestion", "int", "C", True, False, "capacity", _load,
           lambda d, s, i: s.cells[i - 1].load > CONGESTED and not s.cells[i - 1].mlb),
        _F("R6", "cell_left_locked", "cst", "C", True, False, "capacity", _lock, _left_locked),
    )
}  # fmt: skip

SLUGS: tuple[str, ...] = tuple(f.slug for f in FAULTS.values())


def missing_neighbour(db: RanDB, site: Site, sector: int) -> str | None:
    """The planned neighbour that the cell has no relation to."""
    cell = site.cells[sector - 1]
    have = {r.adjacentNRCellRef for r in cell.relations}
    return next((n for n in db.plan[f"{cell.id}.relations"] if n not in have), None)


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
    fault.inject(db, db.sites[db.focus], sector, variant or {})
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
