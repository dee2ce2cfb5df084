"""Every tool of the operations centre, with calls that fit any base-station network.

for name, arguments in write_calls(db): call(db, (name, arguments))
db, kit, site = only("A2.2", jammed=True)      # a network with one fault, and the tools on it
"""

from __future__ import annotations

from typing import Any

from bs_harness import Call, broken

from telejudge_envs.base_station.noc import NocKit
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import tools_of

TOOLS = tools_of(NocKit)
READS = {name: tool for name, tool in TOOLS.items() if tool.marked.effect == "read"}
WRITES = {name: tool for name, tool in TOOLS.items() if tool.marked.effect != "read"}


def only(atom: str, **variant: Any) -> tuple[RanDB, NocKit, str]:
    """A network with one fault, its tools, and the site of the fault."""
    db = broken(atom, variants={atom[:2]: variant})
    return db, NocKit(db), db.focus


def call(db: RanDB, made: Call) -> Any:
    """Raises ToolError when the world refuses."""
    return TOOLS[made[0]].call(NocKit(db), made[1])


def read_calls(db: RanDB) -> list[Call]:
    """Every READ on the focus site, on the hub, and a few on another site."""
    site, hub = db.focus, db.hub.id
    other = list(db.sites)[-1]
    calls: list[Call] = []
    for s in dict.fromkeys((site, other)):
        for name in ("get_ne_status", "get_boards", "get_power_climate", "get_clock",
                     "get_licences"):  # fmt: skip
            calls.append((name, {"site_id": s}))
        calls += [
            ("list_alarms", {"scope_id": s}),
            ("list_alarms", {"scope_id": s, "min_severity": "major"}),
            ("get_kpi", {"object_id": s}),
            ("diff_config_vs_plan", {"object_id": s}),
            ("get_config", {"object_id": f"{s}-P"}),
            ("get_transport_port", {"port_id": f"{s}-P"}),
            ("ping", {"src_id": s, "target": "gateway"}),
            ("ping", {"src_id": s, "target": "amf"}),
            ("get_change_log", {"scope_id": s}),
            ("check_impact", {"object_id": s, "action": "reset_board"}),
            ("get_rf", {"rru_id": f"{s}-R1"}),
            ("get_work_orders", {"scope_id": s}),
        ]
    for i in (1, 2, 3):
        calls += [
            ("get_rf", {"rru_id": f"{site}-R{i}"}),
            ("get_fronthaul", {"rru_id": f"{site}-R{i}"}),
            ("get_neighbours", {"cell_id": f"{site}-C{i}"}),
            ("get_kpi", {"object_id": f"{site}-C{i}"}),
            ("get_kpi", {"object_id": f"{site}-C{i}", "kpis": ["RRU.PrbTotDl"], "hours": 2}),
            ("get_config", {"object_id": f"{site}-C{i}"}),
            ("get_config", {"object_id": f"{site}-C{i}", "attributes": ["nrPci"]}),
            ("get_config", {"object_id": f"{site}-T{i}"}),
            ("diff_config_vs_plan", {"object_id": f"{site}-C{i}"}),
            ("diff_config_vs_plan", {"object_id": f"{site}-T{i}"}),
            ("list_alarms", {"scope_id": f"{site}-C{i}"}),
            ("check_impact", {"object_id": f"{site}-C{i}", "action": "lock_cell"}),
            ("get_change_log", {"scope_id": f"{site}-C{i}"}),
        ]
    ports = [port.id for port in db.hub.ports]
    calls += [("get_transport_port", {"port_id": port}) for port in ports]
    calls += [("ping", {"src_id": p, "target": "gateway"}) for p in (hub, *ports)]
    calls += [
        ("ping", {"src_id": hub, "target": "amf"}),
        ("get_config", {"object_id": f"{site}-NG"}),
        ("get_config", {"object_id": f"{site}-NG", "attributes": ["nRTAC"]}),
        ("get_config", {"object_id": ports[0]}),
        ("diff_config_vs_plan", {"object_id": f"{site}-NG"}),
        ("diff_config_vs_plan", {"object_id": f"{site}-P"}),
        ("list_alarms", {"scope_id": hub, "limit": 100}),
        ("check_impact", {"object_id": ports[0], "action": "set_hub_port"}),
        ("get_change_log", {"scope_id": hub, "hours": 48}),
        ("get_topology", {"object_id": site}),
        ("get_topology", {"object_id": hub}),
        ("list_resources", {"site_id": site}),
        ("search_manual", {"query": "VSWR"}),
    ]
    return calls


def write_calls(db: RanDB) -> list[Call]:
    """Writes that touch what any fault of site, hub or sector 2 touches; ids are real."""
    s, hub = db.focus, db.hub
    plan = db.plan
    key = db.licence_pool[0] if db.licence_pool else "LK-0"
    calls: list[Call] = [
        ("reset_board", {"board_id": f"{s}-BM", "mode": "soft"}),
        ("reset_board", {"board_id": f"{s}-BM", "mode": "hard"}),
        ("reset_board", {"board_id": f"{s}-BB", "mode": "soft"}),
        ("run_selftest", {"board_id": f"{s}-BB"}),
        ("run_selftest", {"board_id": f"{s}-BM"}),
        ("set_hub_port", {"port_id": hub.ports[0].id, "state": "up"}),
        ("set_hub_port", {"port_id": hub.ports[0].id, "state": "down"}),
        ("set_hub_port", {"port_id": hub.ports[1].id, "state": "up"}),
        ("switch_clock_source", {"site_id": s, "source": "gnss"}),
        ("switch_clock_source", {"site_id": s, "source": "ptp"}),
        ("install_licence", {"site_id": s, "key_id": key}),
        ("calibrate_ret", {"ret_id": f"{s}-T2"}),
        ("set_ret_tilt", {"ret_id": f"{s}-T2", "tilt": plan[f"{s}-T2.tilt"]}),
        ("set_ret_tilt", {"ret_id": f"{s}-T2", "tilt": 2.5}),
        ("enable_mlb", {"cell_id": f"{s}-C2"}),
        ("run_load_step", {"cell_id": f"{s}-C2", "pct": 80}),
        ("reset_rru", {"rru_id": f"{s}-R2"}),
        ("request_approval", {"action": "lock_cell", "object_id": f"{s}-C2", "reason": "work"}),
        ("dispatch_technician",
         {"site_id": s, "technician_id": db.technicians[0].id, "task": "look"}),
        ("escalate", {"team": "vendor", "summary": "broken", "evidence": ["r1"]}),
        ("ack_alarm", {"alarm_id": "AL1", "note": "seen"}),
        ("clear_alarm", {"alarm_id": "AL1", "justification": "gone"}),
        ("submit_resolution_report",
         {"root_causes": [{"fault_class": "vswr_high", "object_id": f"{s}-A2"}],
          "restored": False}),
    ]  # fmt: skip
    for i in (1, 2):
        calls += [
            ("lock_cell", {"cell_id": f"{s}-C{i}"}),
            ("unlock_cell", {"cell_id": f"{s}-C{i}"}),
        ]
        for neighbour in plan[f"{s}-C{i}.relations"]:
            calls.append(("add_neighbour", {"cell_id": f"{s}-C{i}", "target_cell_id": neighbour}))
    for target, attribute, wrong in (
        (f"{s}-NG", "nRTAC", 7),
        (f"{s}-NG", "remoteAddress", "10.9.9.9"),
        (f"{s}-P", "vlan", 4000),
        (f"{s}-C2", "nrPci", 1000),
    ):
        for value in (plan[f"{target}.{attribute}"], str(wrong)):
            arguments = {"object_id": target, "attribute": attribute, "value": value}
            calls.append(("set_config", arguments))
    calls += [("rollback_config", {"change_id": change.id}) for change in db.changes]
    return calls
