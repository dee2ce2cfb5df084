"""How faults show: from a symptom to the reads that tell its rivals apart, and what they mean.

    CLUES["RRU_LINK_LOST"].reads         -> get_fronthaul of that radio unit
    CLUES["RRU_LINK_LOST"].verdicts      -> P3 if it gasped, F1 if there is only no light

The tables are the only place that knows how a base station fails; engineer.py walks them. Alarms
that always follow another one (a cell without service, a battery that discharges, heat, an NG fault
after SCTP) have no entry: their cause's alarm has. Limits are those of the manual.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telejudge_agents.scripted.base import Call
from telejudge_agents.scripted.base_station.case import UNREACHABLE, Case

WEAK_DBM = -14.4
DARK_DBM = -30.0
VSWR_LIMIT = 2.0
TX_LOW_DBM = 30.0
NOISE_LIMIT_DBM = -105.0

Ask = Callable[[Case, int], Call]
Test = Callable[[Case, int], bool]


@dataclass(frozen=True)
class Clue:
    """`reads` in order; of `verdicts` (fault code, test) the first that holds is believed.

    `shown_by`: the read in which the symptom itself is seen, cited as evidence besides. `until`:
    no more is read once it holds.
    """

    reads: tuple[Ask, ...]
    verdicts: tuple[tuple[str, Test], ...]
    shown_by: str = ""
    until: Test = lambda case, i: False


def ask(tool: str, argument: str, kind: str = "", **more: Any) -> Ask:
    """A read of the site, or of a part of the symptom's sector."""

    def call(case: Case, i: int) -> Call:
        return Call(tool, {argument: case.id(kind, i) if kind else case.site, **more})

    return call


power = ask("get_power_climate", "site_id")
clock = ask("get_clock", "site_id")
fronthaul = ask("get_fronthaul", "rru_id", "rru")
rf = ask("get_rf", "rru_id", "rru")
trunk = ask("get_transport_port", "port_id", "trunk")
uplink = ask("get_transport_port", "port_id", "hub_port")
node = ask("get_ne_status", "site_id")
ng_diff = ask("diff_config_vs_plan", "object_id", "ng")
cell_diff = ask("diff_config_vs_plan", "object_id", "cell")
load_step = ask("run_load_step", "cell_id", "cell", pct=80)


def _of(read: Ask) -> Callable[[Case, int], dict[str, Any]]:
    def data(case: Case, i: int) -> dict[str, Any]:
        call = read(case, i)
        found = case.data(call.tool, str(next(iter(call.arguments.values()))))
        return found if isinstance(found, dict) else {}

    return data


def _is(read: Ask, test: Callable[[dict[str, Any]], bool]) -> Test:
    data = _of(read)
    return lambda case, i: bool(data(case, i)) and test(data(case, i))


def difference(case: Case, object_id: str, attribute: str) -> dict[str, Any] | None:
    """The unapproved difference from plan of an attribute, if the plan was compared."""
    rows = [r for r in differences(case, object_id) if r["object"] == object_id]
    fits = (r for r in rows if r["attribute"] == attribute and r["planned"] is not None)
    return next(fits, None)


def differences(case: Case, about: str) -> list[dict[str, Any]]:
    """All unapproved differences last read of an object, or of its whole site."""
    found = case.data("diff_config_vs_plan", about) or case.data("diff_config_vs_plan")
    return [r for r in found.get("diffs", []) if "approved" not in r]


def _differs(kind: str, attribute: str) -> Test:
    return lambda case, i: difference(case, case.id(kind, i), attribute) is not None


def bad_change(case: Case, attribute: str) -> dict[str, Any] | None:
    """A change of the attribute that nobody approved and that is still in force."""
    log = case.answer("get_change_log").data
    rows = log if isinstance(log, list) else []
    fits = (r for r in rows if r["attribute"] == attribute and not r["approved"])
    return next((r for r in fits if not r.get("rolled_back")), None)


def _left_locked(case: Case, i: int) -> bool:
    cell = case.id("cell", i)
    cells = case.answer("get_ne_status").data.get("cells", [])
    locked = any(c["id"] == cell and c["admin"] == "LOCKED" for c in cells)
    return locked and not case.held(cell)


def _dead(currents: dict[str, float]) -> bool:
    return any(amps == 0 for amps in currents.values())


def _weak_end(d: dict[str, Any]) -> bool:
    ends = [d.get("rx_bbu_dbm"), d.get("rx_rru_dbm")]
    return d["link"] == "up" and any(e is not None and e < WEAK_DBM for e in ends)


_POWER = (
    ("P1", _is(power, lambda d: d["ac_v"] == 0)),
    ("P2", _is(power, lambda d: d["ac_v"] > 0 and _dead(d["rectifiers_a"]))),
)
_CLIMATE = (
    ("E1", _is(power, lambda d: 0 in d["fans_rpm"].values())),
    ("E2", _is(power, lambda d: d["aircon"] == "stopped")),
)
_NG = (("T5", _differs("ng", "remoteAddress")), ("R3", _differs("ng", "nRTAC")))
_CLOCK = (
    ("S1", _is(clock, lambda d: d["antenna_ma"] == 0)),
    ("S2", _is(clock, lambda d: d["active"] == "ptp" and d["ptp"] != "locked")),
)
_CPRI = (
    ("P3", _is(fronthaul, lambda d: bool(d["dying_gasp"]))),
    ("F1", _is(fronthaul, lambda d: d["link"] == "down")),
    ("F2", _is(fronthaul, _weak_end)),
)
_RADIO = (
    ("F3", _is(rf, lambda d: d.get("pa_amps", 9) < 1.0 and d.get("tx_dbm", 0) < TX_LOW_DBM)),
    ("A1", _is(rf, lambda d: (d.get("vswr") or 0) > VSWR_LIMIT)),
    ("A2", _is(rf, lambda d: d.get("ret", "OK") != "OK")),
)
_SILENT = (
    ask("ping", "src_id", "hub_port", target="gateway"),
    ask("get_change_log", "scope_id"),
)

BY_ALARM: dict[str, Clue] = {
    "LINK_FAILURE": Clue((trunk,), (("T3", _is(trunk, lambda d: d["admin"] == "down")),)),
    "LOSS_OF_SIGNAL": Clue((uplink,), (("T1", _is(uplink, lambda d: d["rx_dbm"] < DARK_DBM)),)),
    "SOFTWARE_PROGRAM_ABNORMALLY_TERMINATED": Clue(
        (node,), (("B1", lambda case, i: not case.data("get_ne_status")),)
    ),
    UNREACHABLE: Clue(
        (uplink, *_SILENT), (("T4", lambda case, i: bad_change(case, "vlan") is not None),)
    ),
    "COMMERCIAL_POWER_FAILURE": Clue((power,), _POWER),
    "RECTIFIER_FAILURE": Clue((power,), _POWER),
    "COOLING_FAN_FAILURE": Clue((power,), _CLIMATE),
    "AIR_CONDITIONING_FAILURE": Clue((power,), _CLIMATE),
    "EXCESSIVE_BIT_ERROR_RATE": Clue(
        (ask("get_transport_port", "port_id", "port"),),
        (
            (
                "T2",
                _is(ask("get_transport_port", "port_id", "port"), lambda d: d["rx_dbm"] < WEAK_DBM),
            ),
        ),
    ),
    "EQUIPMENT_MALFUNCTION": Clue(
        (ask("get_boards", "site_id"),),
        (("B2", lambda case, i: any(b["state"] == "FAULTY" for b in case.data("get_boards"))),),
    ),
    "LICENCE_EXPIRED": Clue(
        (ask("get_licences", "site_id"),),
        (("B3", _is(ask("get_licences", "site_id"), lambda d: d["state"] == "EXPIRED")),),
    ),
    "CLOCK_SYNCHRONIZATION_PROBLEM": Clue((clock,), _CLOCK),
    "CLOCK_REFERENCE_LOST": Clue((clock,), _CLOCK),
    "NG_FAULT": Clue((ng_diff,), _NG),
    "RRU_DYING_GASP": Clue((fronthaul,), _CPRI),
    "RRU_LINK_LOST": Clue((fronthaul,), _CPRI),
    "CPRI_BIT_ERRORS": Clue((fronthaul,), _CPRI),
    "TRANSMITTER_FAILURE": Clue((rf,), _RADIO[:1]),
    "ANTENNA_PROBLEM": Clue((rf,), _RADIO[1:2]),
    "TRANSMITTER_ANTENNA_NOT_ADJUSTED": Clue((rf,), _RADIO[2:]),
}

_BY_KPI: dict[str, Clue] = {
    "off air": Clue(
        (ask("get_work_orders", "scope_id"), node),
        (("R6", _left_locked),),
        "get_kpi",
        until=lambda case, i: case.held(case.id("cell", i)),
    ),
    "no access": Clue((), (("B4", lambda case, i: True),), "get_kpi"),
    "handover": Clue((cell_diff,), (("R1", _differs("cell", "nrPci")),), "get_kpi"),
    "late handover": Clue((cell_diff,), (("R2", _differs("cell", "relation")),), "get_kpi"),
    "far": Clue(
        (ask("diff_config_vs_plan", "object_id", "ret"),),
        (("A3", _differs("ret", "tilt")),),
        "get_kpi",
    ),
    "noise": Clue(
        (load_step,),
        (
            ("R4", _is(load_step, lambda d: d["idle_noise_dbm"] > NOISE_LIMIT_DBM)),
            ("A4", _is(load_step, lambda d: d["loaded_noise_dbm"] > NOISE_LIMIT_DBM)),
        ),
        "get_kpi",
    ),
    "full": Clue((), (("R5", lambda case, i: True),), "get_kpi"),
}

CLUES: dict[str, Clue] = BY_ALARM | _BY_KPI

AUDIT = ask("diff_config_vs_plan", "object_id")
DIFFERS = {"remoteAddress": "T5", "nRTAC": "R3", "nrPci": "R1", "relation": "R2", "tilt": "A3"}
"""The fault that an unapproved difference from plan is."""

TELLING = frozenset(BY_ALARM) | {
    "CELL_UNAVAILABLE",
    "BATTERY_DISCHARGING",
    "HIGH_TEMPERATURE",
    "SCTP_FAULT",
    "LOSS_OF_SYNCHRONIZATION",
}
"""Names of alarms that a fault raises; others have stood for days or are reminders."""
