"""The repair of each fault, without travel, and whose impact is to be looked at before it.

In: a Case. Out: calls.
"""

from __future__ import annotations

from collections.abc import Callable

from telejudge_envs.base_station.faults import missing_neighbour
from telejudge_envs.base_station.remedies.case import Call, Case, Plan


def replace(kind: str, suffix: str) -> Plan:
    """A new module of the kind, in the slot with the suffix."""

    def plan(c: Case) -> list[Call]:
        slot = c.id(suffix, c.i or None)
        return [("replace_module", {"type": kind, "slot": slot, "spare_id": c.spare(kind)})]

    return plan


def _breaker(c: Case) -> list[Call]:
    feed = c.id("FD", c.i)
    close: list[Call] = [("check_breakers", {}), ("reset_breaker", {"feed": feed})]
    return close + (replace("rru", "R")(c) if c.variant.get("shorted") else [])


def _optics(port: Callable[[Case], str], kind: str) -> Plan:
    def plan(c: Case) -> list[Call]:
        clean: list[Call] = [("clean_connector", {"port_id": port(c)})]
        if not c.variant.get("worn"):
            return clean
        return [*clean, ("replace_sfp", {"port_id": port(c), "spare_id": c.spare(kind)})]

    return plan


def _set(suffix: str, attribute: str) -> Plan:
    def plan(c: Case) -> list[Call]:
        target = c.id(suffix, c.i or None)
        value = c.planned(target, attribute)
        return [("set_config", {"object_id": target, "attribute": attribute, "value": str(value)})]

    return plan


def _ret(c: Case) -> list[Call]:
    calibrate: list[Call] = [("calibrate_ret", {"ret_id": c.id("T", c.i)})]
    return replace("ret", "T")(c) if c.variant.get("jammed") else calibrate


def _antenna(c: Case) -> list[Call]:
    line = c.site.lines[c.i - 1]
    return [
        ("measure_vswr_dtf", {"port_id": line.id}),
        ("repair_antenna_line", {"port_id": line.id, "segment": line.segment}),
    ]


def _licence(c: Case) -> list[Call]:
    key = c.db.licence_pool[0] if c.db.licence_pool else "none"
    return [("install_licence", {"site_id": c.s, "key_id": key})]


def _gnss(c: Case) -> list[Call]:
    return [("check_gnss_antenna", {}), *replace("gnss_antenna", "GNSS")(c)]


FIXES: dict[str, Plan] = {
    "P1": lambda c: [("start_generator", {})],
    "P2": replace("rectifier", "RE1"),
    "P3": _breaker,
    "E1": replace("fan", "FAN1"),
    "E2": lambda c: [("reset_aircon", {})],
    "T1": lambda c: [("otdr", {"port_id": c.id("P")}), ("splice_fibre", {"link_id": c.id("L")})],
    "T2": _optics(lambda c: c.id("P"), "sfp"),
    "T3": lambda c: [("set_hub_port", {"port_id": c.db.hub.ports[0].id, "state": "up"})],
    "T4": lambda c: [("rollback_config", {"change_id": c.change()})],
    "T5": _set("NG", "remoteAddress"),
    "S1": _gnss,
    "S2": lambda c: [("switch_clock_source", {"site_id": c.s, "source": "gnss"})],
    "B1": lambda c: [("reset_board", {"board_id": c.id("BM"), "mode": "soft"})],
    "B2": replace("baseband", "BB"),
    "B3": _licence,
    "B4": lambda c: [("lock_cell", {"cell_id": c.cell}), ("unlock_cell", {"cell_id": c.cell})],
    "F1": lambda c: [("replace_fibre", {"cpri_id": c.id("O", c.i)})],
    "F2": _optics(lambda c: c.optic, "cpri_sfp"),
    "F3": replace("rru", "R"),
    "A1": _antenna,
    "A2": _ret,
    "A3": lambda c: [
        ("set_ret_tilt", {"ret_id": c.id("T", c.i), "tilt": c.planned(c.id("T", c.i), "tilt")})
    ],
    "A4": lambda c: [("clean_connector", {"port_id": c.id("A", c.i)})],
    "R1": _set("C", "nrPci"),
    "R2": lambda c: [
        (
            "add_neighbour",
            {
                "cell_id": c.cell,
                "target_cell_id": missing_neighbour(c.db, c.site, c.i) or "none",
            },
        )
    ],
    "R3": _set("NG", "nRTAC"),
    "R4": lambda c: [],
    "R5": lambda c: [("enable_mlb", {"cell_id": c.cell})],
    "R6": lambda c: [("unlock_cell", {"cell_id": c.cell})],
}
"""By fault code; empty where only others can repair it."""

IMPACTS: dict[str, Callable[[Case], tuple[str, str]]] = {
    "B1": lambda c: (c.id("BM"), "reset_board"),
    "B4": lambda c: (c.cell, "lock_cell"),
    "R1": lambda c: (c.cell, "set_config"),
    "R5": lambda c: (c.cell, "enable_mlb"),
    "T3": lambda c: (c.db.hub.ports[0].id, "set_hub_port"),
}
"""Object and action of repairs that may cost users their service."""
