"""How each atomic fault comes into the state: what it changes, by the fault's code.

In: a RanDB, a site, a sector (0: the whole site), a variant. Out: nothing; the state has changed.

    INJECTIONS["P3"](db, site, 2, {"shorted": True})     # feed 2 trips, and would trip again

Wrong configuration comes with a record of the change behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from telejudge_envs.base_station.jitter import whole
from telejudge_envs.base_station.operations import ChangeRecord
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.state import RanDB, Site

Variant = Mapping[str, Any]
Inject = Callable[[RanDB, Site, int, Variant], None]


def _mains(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.power.mains_ok = False
    if v.get("unfixable"):
        s.power.generator_fitted = False


def _rectifier(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.power.rectifiers[0].ok = False


def _breaker(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.power.breakers[part(s.id, "FD", i)] = False
    if v.get("shorted"):
        s.power.shorted.append(part(s.id, "FD", i))


def _fan(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.climate.fans[0].ok = False


def _aircon(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.climate.aircon_ok = False
    s.climate.aircon_resettable = not v.get("unfixable")
    s.climate.ambient_c = 41.0


def _fibre(db: RanDB, s: Site, i: int, v: Variant) -> None:
    link = db.links[s.id]
    link.cut_at_m = int(v.get("cut_at_m", link.length_m // 3))
    if v.get("unfixable"):
        link.owner = "leased"


def _sfp(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.port.sfp_rx_dbm, s.port.sfp_worn = -17.0, bool(v.get("worn"))


def _hub_port(db: RanDB, s: Site, i: int, v: Variant) -> None:
    db.hub.ports[0].admin = "down"


def _port_vlan(db: RanDB, s: Site, i: int, v: Variant) -> None:
    wrong = s.port.vlan + 7
    _change(db, s.port.id, "vlan", s.port.vlan, wrong)
    s.port.vlan = wrong


def _amf(db: RanDB, s: Site, i: int, v: Variant) -> None:
    head, _, last = s.gnb.remoteAddress.rpartition(".")
    wrong = f"{head}.{int(last) + 90}"
    _change(db, s.gnb.id, "remoteAddress", s.gnb.remoteAddress, wrong)
    s.gnb.remoteAddress = wrong


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


def _ret(db: RanDB, s: Site, i: int, v: Variant) -> None:
    ret = s.rets[i - 1]
    ret.calibrated, ret.jammed = False, bool(v.get("jammed"))


def _tilt(db: RanDB, s: Site, i: int, v: Variant) -> None:
    ret = s.rets[i - 1]
    _change(db, ret.id, "tilt", ret.tilt, 0.0)
    ret.tilt = 0.0


def _pim(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.lines[i - 1].pim, s.lines[i - 1].segment = True, "connector"


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


def _tac(db: RanDB, s: Site, i: int, v: Variant) -> None:
    wrong = s.gnb.nRTAC + 1000
    _change(db, s.gnb.id, "nRTAC", s.gnb.nRTAC, wrong)
    s.gnb.nRTAC = wrong


def _noise(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.cells[i - 1].external_noise = True


def _load(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.cells[i - 1].load = 0.97
    s.cells[i - 1].mlb_headroom = not v.get("unfixable")


def _lock(db: RanDB, s: Site, i: int, v: Variant) -> None:
    s.cells[i - 1].administrativeState = "LOCKED"


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


def _external_pci(db: RanDB, cell_id: str) -> int:
    """The PCI that a neighbouring cell has by plan, modelled or only known by name."""
    return int(db.plan[f"{cell_id}.nrPci"])


INJECTIONS: dict[str, Inject] = {
    "P1": _mains,
    "P2": _rectifier,
    "P3": _breaker,
    "E1": _fan,
    "E2": _aircon,
    "T1": _fibre,
    "T2": _sfp,
    "T3": _hub_port,
    "T4": _port_vlan,
    "T5": _amf,
    "S1": _gnss,
    "S2": _ptp,
    "B1": _hang_main,
    "B2": _baseband,
    "B3": _licence,
    "B4": _hang_cell,
    "F1": _cpri_fibre,
    "F2": _cpri_optics,
    "F3": _pa,
    "A1": _vswr,
    "A2": _ret,
    "A3": _tilt,
    "A4": _pim,
    "R1": _pci,
    "R2": _neighbour,
    "R3": _tac,
    "R4": _noise,
    "R5": _load,
    "R6": _lock,
}
