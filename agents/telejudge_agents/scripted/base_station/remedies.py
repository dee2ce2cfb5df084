"""What an engineer does about each fault: whether somebody must go, with which parts, what he does.

    REMEDIES["F1"].parts                        -> ("fibre",)
    yield from REMEDIES["F1"].work(desk, finding)

In: a Desk and a Finding (desk.py). Out: calls, one after the other.
Classes, objects and teams are those of the policy's table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telejudge_agents.scripted.base import Call
from telejudge_agents.scripted.base_station.case import Case
from telejudge_agents.scripted.base_station.clues import WEAK_DBM, bad_change, difference
from telejudge_agents.scripted.base_station.desk import Desk, Finding, Step

Work = Callable[[Desk, Finding], Step]


@dataclass(frozen=True)
class Remedy:
    """`parts` are certainly needed, `perhaps` only if the first attempt fails. `mast`: the cell is
    LOCKED and the radio isolated meanwhile; `dark`: the fault itself keeps the cell off the air."""

    part: str
    """Kind of the object at fault, in the topology's words."""
    work: Work
    onsite: bool = False
    parts: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    mast: bool = False
    dark: bool = False


def _calls(*makes: Callable[[Desk, Finding], Call]) -> Work:
    def work(desk: Desk, finding: Finding) -> Step:
        for make in makes:
            yield from desk.repair(make(desk, finding))

    return work


def _on(tool: str, argument: str, **more: Any) -> Callable[[Desk, Finding], Call]:
    return lambda desk, finding: Call(tool, {argument: finding.object_id, **more})


def _plain(tool: str) -> Callable[[Desk, Finding], Call]:
    return lambda desk, finding: Call(tool)


def _replace(kind: str) -> Callable[[Desk, Finding], Call]:
    def make(desk: Desk, finding: Finding) -> Call:
        slot = desk.case.id("rru", finding.sector) if kind == "rru" else finding.object_id
        return Call("replace_module", {"type": kind, "slot": slot, "spare_id": desk.spare(kind)})

    return make


def _planned(attribute: str) -> Work:
    """Set an attribute to what the plan has; a cell that carries users is cleared first."""

    def work(desk: Desk, f: Finding) -> Step:
        row = difference(desk.case, f.object_id, attribute)
        if row is None:
            return
        arguments: dict[str, Any] = {
            "object_id": f.object_id,
            "attribute": attribute,
            "value": str(row["planned"]),
        }
        if f.sector:
            arguments |= yield from desk.cleared("set_config", f.object_id)
        yield from desk.repair(Call("set_config", arguments))

    return work


def _tilt(desk: Desk, f: Finding) -> Step:
    row = difference(desk.case, f.object_id, "tilt")
    if row is not None:
        yield from desk.repair(
            Call("set_ret_tilt", {"ret_id": f.object_id, "tilt": row["planned"]})
        )


def _neighbour(desk: Desk, f: Finding) -> Step:
    row = difference(desk.case, f.object_id, "relation")
    if row is not None:
        yield from desk.repair(
            Call("add_neighbour", {"cell_id": f.object_id, "target_cell_id": row["planned"]})
        )


def _rollback(desk: Desk, f: Finding) -> Step:
    change = bad_change(desk.case, "vlan")
    if change is not None:
        yield from desk.repair(Call("rollback_config", {"change_id": change["id"]}))


def _trunk(desk: Desk, f: Finding) -> Step:
    token = yield from desk.cleared("set_hub_port", f.object_id, always=True)
    yield from desk.repair(Call("set_hub_port", {"port_id": f.object_id, "state": "up", **token}))


def _balance(desk: Desk, f: Finding) -> Step:
    """Without room at the neighbours it is for those who build more capacity."""
    token = yield from desk.cleared("enable_mlb", f.object_id, always=True)
    if desk.case.answer("check_impact", f.object_id).data.get("headroom") is False:
        yield from desk.escalate(f)
        return
    answer = yield from desk.repair(Call("enable_mlb", {"cell_id": f.object_id, **token}))
    if not answer.ok and "headroom" in answer.text:
        yield from desk.escalate(f)


def _licence(desk: Desk, f: Finding) -> Step:
    pool = desk.case.answer("get_licences").data.get("pool", [])
    if pool:
        yield from desk.repair(
            Call("install_licence", {"site_id": desk.case.site, "key_id": pool[0]})
        )


def _aircon(desk: Desk, f: Finding) -> Step:
    answer = yield from desk.repair(Call("reset_aircon"))
    if "repaired" in answer.text:
        yield from desk.escalate(f)


def _breaker(desk: Desk, f: Finding) -> Step:
    """Close it once; when it trips again the short circuit is in the radio unit."""
    answer = yield from desk.repair(Call("reset_breaker", {"feed": f.object_id}))
    if "tripped again" in answer.text:
        cell, rru = desk.case.id("cell", f.sector), desk.case.id("rru", f.sector)
        yield from desk.do(Call("lock_cell", {"cell_id": cell}))
        yield from desk.do(Call("confirm_rf_isolation", {"rru_id": rru}))
        yield from desk.repair(_replace("rru")(desk, f))
        yield from desk.repair(Call("unlock_cell", {"cell_id": cell}))


def _optics(desk: Desk, port: str, kind: str, look: Call, receiver: str) -> Step:
    """Clean, read the light again, and replace the module only if that did not help."""
    yield from desk.repair(Call("clean_connector", {"port_id": port}))
    answer = yield from desk.do(look)
    if (answer.data.get(receiver) or 0) < WEAK_DBM:
        yield from desk.repair(Call("replace_sfp", {"port_id": port, "spare_id": desk.spare(kind)}))


def _uplink_optics(desk: Desk, f: Finding) -> Step:
    look = Call("get_transport_port", {"port_id": f.object_id})
    yield from _optics(desk, f.object_id, "sfp", look, "rx_dbm")


def _cpri_optics(desk: Desk, f: Finding) -> Step:
    rru = desk.case.id("rru", f.sector)
    seen = desk.case.data("get_fronthaul", rru)
    end = "bbu" if (seen.get("rx_bbu_dbm") or 0) < WEAK_DBM else "rru"
    look = Call("get_fronthaul", {"rru_id": rru})
    yield from _optics(desk, f"{f.object_id}/{end}", "cpri_sfp", look, f"rx_{end}_dbm")


def _line(desk: Desk, f: Finding) -> Step:
    found = yield from desk.do(Call("measure_vswr_dtf", {"port_id": f.object_id}))
    fault = found.data.get("fault") or {}
    yield from desk.repair(
        Call(
            "repair_antenna_line",
            {"port_id": f.object_id, "segment": fault.get("segment", "jumper")},
        )
    )


REMEDIES: dict[str, Remedy] = {
    "P1": Remedy("mains", _calls(_plain("start_generator")), onsite=True),
    "P2": Remedy("rectifier", _calls(_replace("rectifier")), onsite=True, parts=("rectifier",)),
    "P3": Remedy("feed", _breaker, onsite=True, perhaps=("rru",)),
    "E1": Remedy("fan", _calls(_replace("fan")), onsite=True, parts=("fan",)),
    "E2": Remedy("aircon", _aircon, onsite=True),
    "T1": Remedy("link", _calls(_on("splice_fibre", "link_id")), onsite=True),
    "T2": Remedy("port", _uplink_optics, onsite=True, perhaps=("sfp",)),
    "T3": Remedy("trunk", _trunk),
    "T4": Remedy("port", _rollback),
    "T5": Remedy("ng", _planned("remoteAddress")),
    "S1": Remedy("gnss", _calls(_replace("gnss_antenna")), onsite=True, parts=("gnss_antenna",)),
    "S2": Remedy("ptp", lambda d, f: _calls(lambda desk, g: _switch(desk.case.site, "gnss"))(d, f)),
    "B1": Remedy("main", _calls(_on("reset_board", "board_id", mode="soft"))),
    "B2": Remedy("baseband", _calls(_replace("baseband")), onsite=True, parts=("baseband",)),
    "B3": Remedy("licence", _licence),
    "B4": Remedy("cell", _calls(_on("lock_cell", "cell_id"), _on("unlock_cell", "cell_id"))),
    "F1": Remedy("cpri", _calls(_on("replace_fibre", "cpri_id")), onsite=True, parts=("fibre",)),
    "F2": Remedy("cpri", _cpri_optics, onsite=True, perhaps=("cpri_sfp",)),
    "F3": Remedy("rru", _calls(_replace("rru")), onsite=True, parts=("rru",), mast=True, dark=True),
    "A1": Remedy("antenna", _line, onsite=True, mast=True),
    "A2": Remedy("ret", _calls(_replace("ret")), onsite=True, parts=("ret",), mast=True),
    "A3": Remedy("ret", _tilt),
    "A4": Remedy("antenna", _calls(_on("clean_connector", "port_id")), onsite=True, mast=True),
    "R1": Remedy("cell", _planned("nrPci")),
    "R2": Remedy("cell", _neighbour),
    "R3": Remedy("ng", _planned("nRTAC")),
    "R4": Remedy("cell", _calls()),
    "R5": Remedy("cell", _balance),
    "R6": Remedy("cell", _calls(_on("unlock_cell", "cell_id"))),
}

_CALIBRATE = Remedy("ret", _calls(_on("calibrate_ret", "ret_id")))


def remedy_for(case: Case, f: Finding) -> Remedy:
    """The remedy of a finding; a tilt unit that only lost its calibration needs nobody there."""
    if f.code == "A2":
        code = case.data("get_rf", case.id("rru", f.sector)).get("ret")
        return _CALIBRATE if code == "NotCalibrated" else REMEDIES["A2"]
    return REMEDIES[f.code]


def outside(case: Case, f: Finding) -> bool:
    """Whether the readings already say that only the fault's team can repair it."""
    if f.code == "P1":
        return case.data("get_power_climate").get("generator") == "none"
    if f.code == "T1":
        port = case.data("get_transport_port", case.id("hub_port"))
        return port.get("link_owner") == "leased"
    if f.code == "B3":
        return not case.data("get_licences").get("pool")
    return f.code == "R4"


def mitigation(case: Case, f: Finding) -> Call | None:
    """What helps at once, before somebody has travelled."""
    if f.code != "S1":
        return None
    seen = case.data("get_clock")
    if seen.get("active") == "gnss" and seen.get("ptp") == "locked":
        return _switch(case.site, "ptp")
    return None


def _switch(site: str, source: str) -> Call:
    return Call("switch_clock_source", {"site_id": site, "source": source})
