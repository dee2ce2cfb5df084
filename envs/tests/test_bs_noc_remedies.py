"""What the NOC can cure, what it is refused and why, and what its tests of equipment tell."""

from __future__ import annotations

from typing import Any

import pytest
from bs_harness import Call, broken
from bs_noc_harness import WRITES, call, only

from telejudge_envs.base_station.atoms import present
from telejudge_envs.base_station.noc import NocKit
from telejudge_envs.base_station.toolkit import ToolError


@pytest.mark.parametrize(
    ("atom", "variant", "made"),
    [
        ("T3", {}, ("set_hub_port", {"port_id": "{h}-P0", "state": "up"})),
        ("T4", {}, ("rollback_config", {"change_id": "{change}"})),
        ("T5", {}, ("set_config",
                    {"object_id": "{s}-NG", "attribute": "remoteAddress", "value": "{plan}"})),
        ("T5", {}, ("rollback_config", {"change_id": "{change}"})),
        ("R3", {}, ("set_config", {"object_id": "{s}-NG", "attribute": "nRTAC",
                                   "value": "{plan}"})),
        ("R3", {}, ("rollback_config", {"change_id": "{change}"})),
        ("R1.2", {}, ("set_config", {"object_id": "{s}-C2", "attribute": "nrPci",
                                     "value": "{plan}"})),
        ("R1.2", {}, ("rollback_config", {"change_id": "{change}"})),
        ("R2.2", {}, ("rollback_config", {"change_id": "{change}"})),
        ("A3.2", {}, ("rollback_config", {"change_id": "{change}"})),
        ("A2.2", {}, ("calibrate_ret", {"ret_id": "{s}-T2"})),
        ("S2", {}, ("switch_clock_source", {"site_id": "{s}", "source": "gnss"})),
        ("B1", {}, ("reset_board", {"board_id": "{s}-BM", "mode": "soft"})),
        ("B3", {}, ("install_licence", {"site_id": "{s}", "key_id": "{key}"})),
        ("B4.2", {}, ("reset_board", {"board_id": "{s}-BB", "mode": "soft"})),
        ("R5.2", {}, ("enable_mlb", {"cell_id": "{s}-C2"})),
        ("R6.2", {}, ("unlock_cell", {"cell_id": "{s}-C2"})),
    ],
)  # fmt: skip
def test_the_remote_remedy_cures(atom: str, variant: dict[str, Any], made: Call) -> None:
    db, _, site = only(atom, **variant)
    words = {"s": site, "h": db.hub.id, "key": db.licence_pool[0]}
    words["change"] = db.changes[0].id if db.changes else ""
    if "attribute" in made[1]:
        where = str(made[1]["object_id"]).format(**words)
        words["plan"] = str(db.plan[f"{where}.{made[1]['attribute']}"])
    call(db, (made[0], {k: v.format(**words) for k, v in made[1].items()}))
    assert not present(db, site, atom)


def test_a_sleeping_cell_wakes_by_lock_and_unlock_only() -> None:
    db, kit, site = only("B4.1")
    with pytest.raises(ToolError, match="not LOCKED"):
        kit.unlock_cell(f"{site}-C1")
    kit.lock_cell(f"{site}-C1")
    assert present(db, site, "B4.1")
    assert not present(db, site, "R6.1")
    kit.unlock_cell(f"{site}-C1")
    assert not present(db, site, "B4.1")


@pytest.mark.parametrize(
    ("atom", "variant", "made", "why"),
    [
        ("A2.2", {"jammed": True}, ("calibrate_ret", {"ret_id": "{s}-T2"}), "ActuatorJam"),
        ("A2.2", {}, ("set_ret_tilt", {"ret_id": "{s}-T2", "tilt": 3.0}), "NotCalibrated"),
        ("R5.2", {"unfixable": True}, ("enable_mlb", {"cell_id": "{s}-C2"}), "no headroom"),
        ("B3", {}, ("install_licence", {"site_id": "{s}", "key_id": "LK-1"}), "not in the pool"),
        ("S2", {}, ("switch_clock_source", {"site_id": "{s}", "source": "ptp"}), "not locked"),
        ("T4", {}, ("set_config", {"object_id": "{s}-P", "attribute": "vlan", "value": 100}),
         "NE_UNREACHABLE"),
        ("B1", {}, ("lock_cell", {"cell_id": "{s}-C1"}), "NE_UNREACHABLE"),
        ("T1", {}, ("install_licence", {"site_id": "{s}", "key_id": "{key}"}), "NE_UNREACHABLE"),
        ("F1.2", {}, ("reset_rru", {"rru_id": "{s}-R2"}), "RRU_UNREACHABLE"),
        ("P3.2", {}, ("set_ret_tilt", {"ret_id": "{s}-T2", "tilt": 3.0}), "RRU_UNREACHABLE"),
        ("B4.2", {}, ("run_load_step", {"cell_id": "{s}-C2"}), "no traffic"),
        ("E1", {}, ("set_hub_port", {"port_id": "{h}-P1", "state": "down"}), "not shut"),
        ("E1", {}, ("set_config", {"object_id": "{s}-C1", "attribute": "nrPci", "value": 1008}),
         "0 to 1007"),
        ("E1", {}, ("set_config", {"object_id": "{s}-NG", "attribute": "remoteAddress",
                                   "value": "10.9.0"}), "IPv4"),
        ("E1", {}, ("set_config", {"object_id": "{s}-NG", "attribute": "vlan", "value": 3}),
         "takes a port"),
        ("E1", {}, ("add_neighbour", {"cell_id": "{s}-C1", "target_cell_id": "{s}-C2"}),
         "already"),
        ("E1", {}, ("lock_cell", {"cell_id": "{s}-C1", "token": "TK1"}), "no approval"),
        ("E1", {}, ("dispatch_technician", {"site_id": "{s}", "technician_id": "{te}",
                                            "task": "go", "parts": ["SP1"]}), "no spare"),
        ("E1", {}, ("clear_alarm", {"alarm_id": "AL1", "justification": "x"}), "no active alarm"),
        ("E1", {}, ("submit_resolution_report", {
            "root_causes": [{"fault_class": "fan_stalled", "object_id": "K1-FAN1"}],
            "restored": True}), "no object"),
    ],
)  # fmt: skip
def test_what_is_impossible_is_refused_with_its_reason(
    atom: str, variant: dict[str, Any], made: Call, why: str
) -> None:
    db, _, site = only(atom, **variant)
    words = {"s": site, "h": db.hub.id, "key": db.licence_pool[0], "te": db.technicians[0].id}
    arguments = {k: v.format(**words) if isinstance(v, str) else v for k, v in made[1].items()}
    before = db.model_dump()
    with pytest.raises(ToolError, match=why):
        call(db, (made[0], arguments))
    assert db.model_dump() == before


def test_no_power_leaves_a_board_out_of_reach_of_resets() -> None:
    db, kit, site = only("P1")
    db.clock_min += 24 * 60
    with pytest.raises(ToolError, match="no DC power"):
        kit.reset_board(f"{site}-BM", "soft")


def test_holdover_does_not_survive_a_reset_of_the_node() -> None:
    db, kit, site = only("S1")
    assert kit.get_clock(site)["state"] == "holdover"
    kit.reset_board(f"{site}-BM", "soft")
    assert kit.get_clock(site)["state"] == "freerun"
    assert kit.get_ne_status(site)["cells"][0]["state"] == "INACTIVE"
    kit.switch_clock_source(site, "ptp")
    assert kit.get_clock(site)["state"] == "locked"
    assert present(db, site, "S1")


def test_a_hard_reset_takes_twice_as_long_as_a_soft_one() -> None:
    took = {}
    for mode in ("soft", "hard"):
        db, kit, site = only("B1")
        start = db.clock_min
        kit.reset_board(f"{site}-BM", mode)
        took[mode] = db.clock_min - start + WRITES["reset_board"].marked.minutes
    assert took == {"soft": 6, "hard": 12}


@pytest.mark.parametrize(
    ("faults", "low_idle", "low_loaded"),
    [((), True, True), (("A4.2",), True, False), (("R4.2",), False, False)],
)
def test_the_load_step_tells_inner_from_outer_noise(
    faults: tuple[str, ...], low_idle: bool, low_loaded: bool
) -> None:
    db = broken(*faults)
    result = NocKit(db).run_load_step(f"{db.focus}-C2", 90)
    assert (result["idle_noise_dbm"] < -105) == low_idle
    assert (result["loaded_noise_dbm"] < -105) == low_loaded


def test_the_self_test_tells_broken_hardware_from_a_lost_licence() -> None:
    for atom, verdict in (("B2", "FAIL, hardware"), ("B3", "PASS")):
        _, kit, site = only(atom)
        assert kit.run_selftest(f"{site}-BB")["result"] == verdict
