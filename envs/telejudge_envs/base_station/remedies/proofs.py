"""The reads that separate a fault from its rivals, and when they can.

In: a Case. Out: the calls of `PROOFS`; they prove as soon as the effects of `VISIBLE` are there and
those of `NOT_VISIBLE_WITH` are not.
"""

from __future__ import annotations

from telejudge_envs.base_station.remedies.case import Call, Case, Plan


def _power(c: Case) -> list[Call]:
    return [("get_power_climate", {"site_id": c.s})]


def _clock(c: Case) -> list[Call]:
    return [("get_clock", {"site_id": c.s})]


def _rf(c: Case) -> list[Call]:
    return [("get_rf", {"rru_id": c.rru})]


def _fronthaul(c: Case) -> list[Call]:
    return [("get_fronthaul", {"rru_id": c.rru})]


def _diff(suffix: str) -> Plan:
    def plan(c: Case) -> list[Call]:
        return [("diff_config_vs_plan", {"object_id": c.id(suffix, c.i or None)})]

    return plan


def _kpi(c: Case) -> list[Call]:
    return [("get_kpi", {"object_id": c.cell})]


def _load_step(c: Case) -> list[Call]:
    return [*_kpi(c), ("run_load_step", {"cell_id": c.cell, "pct": 80})]


def _port(which: str) -> Plan:
    def plan(c: Case) -> list[Call]:
        port = {"hub": c.hub_port, "trunk": c.db.hub.ports[0].id, "site": c.id("P")}[which]
        return [("get_transport_port", {"port_id": port})]

    return plan


def _vlan(c: Case) -> list[Call]:
    return [
        *_port("hub")(c),
        ("ping", {"src_id": c.s, "target": "gateway"}),
        ("get_change_log", {"scope_id": c.s}),
    ]


def _boards(c: Case) -> list[Call]:
    return [("get_boards", {"site_id": c.s})]


def _hang(c: Case) -> list[Call]:
    return [*_port("hub")(c), ("get_ne_status", {"site_id": c.s})]


def _locked(c: Case) -> list[Call]:
    return [("get_ne_status", {"site_id": c.s}), ("get_work_orders", {"scope_id": c.s})]


PROOFS: dict[str, Plan] = {
    "P1": _power,
    "P2": _power,
    "P3": _fronthaul,
    "E1": _power,
    "E2": _power,
    "T1": _port("hub"),
    "T2": _port("site"),
    "T3": _port("trunk"),
    "T4": _vlan,
    "T5": _diff("NG"),
    "S1": _clock,
    "S2": _clock,
    "B1": _hang,
    "B2": _boards,
    "B3": lambda c: [("get_licences", {"site_id": c.s})],
    "B4": _kpi,
    "F1": _fronthaul,
    "F2": _fronthaul,
    "F3": _rf,
    "A1": _rf,
    "A2": _rf,
    "A3": _diff("T"),
    "A4": _load_step,
    "R1": lambda c: [*_kpi(c), *_diff("C")(c)],
    "R2": lambda c: [*_kpi(c), ("get_neighbours", {"cell_id": c.cell})],
    "R3": _diff("NG"),
    "R4": _load_step,
    "R5": _kpi,
    "R6": _locked,
}


VISIBLE: dict[str, tuple[str, ...]] = {
    "P1": ("see.P1",),
    "P2": ("see.P2",),
    "P3": ("alarm.RRU_DYING_GASP.{i}",),
    "E1": ("see.E1",),
    "E2": ("see.E2",),
    "T1": ("alarm.LOSS_OF_SIGNAL",),
    "T2": ("see.T2",),
    "T3": ("alarm.LINK_FAILURE",),
    "T4": ("log.T4",),
    "T5": ("see.T5",),
    "S1": ("see.S1",),
    "S2": ("see.S2",),
    "B1": ("alarm.SOFTWARE_PROGRAM_ABNORMALLY_TERMINATED",),
    "B2": ("see.B2",),
    "B3": ("see.B3",),
    "B4": ("kpi.up.{i}",),
    "F1": ("see.F1.{i}",),
    "F2": ("see.F2.{i}",),
    "F3": ("see.F3.{i}",),
    "A1": ("see.A1.{i}",),
    "A2": ("see.A2.{i}",),
    "A3": ("see.A3.{i}",),
    "A4": ("kpi.noise.{i}",),
    "R1": ("see.R1.{i}",),
    "R2": ("see.R2.{i}",),
    "R3": ("see.R3",),
    "R4": ("kpi.idle_noise.{i}",),
    "R5": ("kpi.full.{i}",),
    "R6": ("see.LOCKED.{i}", "reach"),
}
"""Effects (physics.py) that must all be 1 for the proof to succeed; `{i}` is the sector."""


NOT_VISIBLE_WITH: dict[str, tuple[str, ...]] = {
    "F1": ("alarm.RRU_DYING_GASP.{i}",),
    "B4": ("kpi.traffic.{i}",),
    "A4": ("kpi.idle_noise.{i}",),
}
"""Effects that must be 0, since with them the reading would speak for a rival."""
