"""What the NOC does: a success leaves exactly the declared facts, a refusal changes nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.faults import SLUGS, atoms, inject, present
from telejudge_envs.base_station.layout import Layout, healthy
from telejudge_envs.base_station.noc import NocKit
from telejudge_envs.base_station.noise import add_noise
from telejudge_envs.base_station.observe import forget, observe
from telejudge_envs.base_station.physics import facts_of
from telejudge_envs.base_station.state import RanDB, WorkOrder
from telejudge_envs.base_station.toolkit import ToolError, tools_of

TOOLS = tools_of(NocKit)
WRITES = {name: tool for name, tool in TOOLS.items() if tool.marked.effect != "read"}
Call = tuple[str, dict[str, Any]]
NEAR = [a for a in atoms() if "." not in a or a.endswith(".2")]
"""Every fault once: those of sectors in sector 2."""

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((atom, {}) for atom in NEAR),
    ("A2.2", {"jammed": True}),
    ("R5.2", {"unfixable": True}),
    ("B3", {"unfixable": True}),
]


def world(*faults: tuple[str, dict[str, Any]], topology: Any = "single", seed: int = 4) -> RanDB:
    db = healthy(Layout(topology, "train", seed))
    for atom, variant in faults:
        inject(db, atom, variant)
    return db


def only(atom: str, **variant: Any) -> tuple[RanDB, NocKit, str]:
    db = world((atom, variant))
    return db, NocKit(db), db.focus


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


def call(db: RanDB, made: Call) -> dict[str, Any]:
    return TOOLS[made[0]].call(NocKit(db), made[1])


def unversioned(db: RanDB) -> dict[str, Any]:
    return db.model_dump(exclude={"version"})


@pytest.mark.parametrize(("atom", "variant"), VARIANTS, ids=lambda x: str(x))
@pytest.mark.parametrize("dressed", [False, True], ids=["alone", "locked_and_on_ptp"])
def test_a_success_leaves_the_declared_facts_and_no_other(
    atom: str, variant: dict[str, Any], dressed: bool
) -> None:
    for number in range(len(write_calls(world((atom, variant))))):
        db = world((atom, variant))
        if dressed:
            _dress(db)
        made = write_calls(db)[number]
        before, state = facts_of(db, db.focus), unversioned(db)
        declared = WRITES[made[0]].marked.sets(db, made[1])
        try:
            call(db, made)
        except ToolError:
            assert unversioned(db) == state, made
        else:
            assert facts_of(db, db.focus) == before | declared, made


def _dress(db: RanDB) -> None:
    """The agent has locked the cell, and the clock follows PTP where that can be."""
    site = db.sites[db.focus]
    site.cells[1].administrativeState = "LOCKED"
    db.agent_locked.append(site.cells[1].id)
    if site.clock.ptp_locked:
        site.clock.active = "ptp"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(NEAR), max_size=3, unique=True), st.data())
def test_declared_facts_hold_after_several_writes_on_several_faults(
    faults: list[str], data: st.DataObject
) -> None:
    db = world(*((atom, {}) for atom in faults), topology="star", seed=9)
    for _ in range(5):
        made = data.draw(st.sampled_from(write_calls(db)))
        before = facts_of(db, db.focus)
        declared = WRITES[made[0]].marked.sets(db, made[1])
        try:
            call(db, made)
        except ToolError:
            declared = {}
        after = facts_of(db, db.focus)
        kept = {k: v for k, v in before.items() if k not in declared}
        assert after == kept | declared, made
        assert observe(db)[db.focus]["reach"] in (0, 1)
        forget(db)


def test_what_was_derived_before_a_write_is_void_after_it() -> None:
    db, kit, site = only("T5")
    assert observe(db)[site]["see.T5"] == 1
    kit.set_config(f"{site}-NG", "remoteAddress", db.plan[f"{site}-NG.remoteAddress"])
    assert observe(db)[site]["see.T5"] == 0


def test_the_calls_above_use_every_write() -> None:
    assert {name for name, _ in write_calls(world(("T4", {})))} == set(WRITES)


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
    db = world(*((a, {}) for a in faults))
    result = NocKit(db).run_load_step(f"{db.focus}-C2", 90)
    assert (result["idle_noise_dbm"] < -105) == low_idle
    assert (result["loaded_noise_dbm"] < -105) == low_loaded


def test_the_self_test_tells_broken_hardware_from_a_lost_licence() -> None:
    for atom, verdict in (("B2", "FAIL, hardware"), ("B3", "PASS")):
        _, kit, site = only(atom)
        assert kit.run_selftest(f"{site}-BB")["result"] == verdict


def test_effects_do_not_tell_what_had_been_wrong() -> None:
    """A write says what it did; whether that repaired anything is for a reading to show."""
    for number, (name, _) in enumerate(write_calls(world())):
        if name in ("run_selftest", "run_load_step"):
            continue
        answers = set()
        for atom in ("E1", "A4.2", "R1.2", "R5.2", "S1", "B2", "T2"):
            db = world((atom, {}))
            calls = [c for c in write_calls(db) if c[0] != "rollback_config"]
            if number < len(calls) and calls[number][0] == name:
                try:
                    answers.add(str(call(db, calls[number])))
                except ToolError as refused:
                    answers.add(f"refused: {type(refused).__name__}")
        assert len({a for a in answers if not a.startswith("refused")}) <= 1, (name, answers)


def test_approval_gives_a_token_that_writes_accept() -> None:
    db, kit, site = only("R1.1")
    answer = kit.request_approval("set_config", f"{site}-C1", "wrong PCI")
    token = answer["token"]
    second = kit.request_approval("lock_cell", f"{site}-C1", "again")["token"]
    assert [t.id for t in db.tokens] == [token, second]
    assert token != second
    planned = db.plan[f"{site}-C1.nrPci"]
    kit.set_config(f"{site}-C1", "nrPci", planned, token)
    assert not present(db, site, "R1.1")


def test_clearing_an_alarm_hides_it_and_repairs_nothing() -> None:
    db, kit, site = only("E1")
    alarm = next(a for a in kit.list_alarms(site) if a["problem"].startswith("COOLING"))
    kit.ack_alarm(alarm["id"], "looking")
    assert {a["state"] for a in kit.list_alarms(site) if a["id"] == alarm["id"]} == {"ACK"}
    kit.clear_alarm(alarm["id"], "tired of it")
    assert alarm["id"] not in {a["id"] for a in kit.list_alarms(site)}
    assert alarm["id"] in {a["id"] for a in kit.list_alarms(site, state="cleared")}
    assert present(db, site, "E1")
    shown = TOOLS["list_alarms"].marked.shows(db, {"scope_id": site})
    assert "alarm.COOLING_FAN_FAILURE" not in shown


def test_the_noc_keeps_a_log_of_its_own_changes_and_can_undo_them() -> None:
    db, kit, site = only("T5")
    kit.set_config(f"{site}-NG", "nRTAC", 5)
    mine = next(c for c in kit.get_change_log(f"{site}-NG") if c["by"] == "noc")
    assert mine["after"] == 5
    assert "before" not in mine
    assert present(db, site, "R3")
    kit.rollback_config(mine["id"])
    assert not present(db, site, "R3")
    with pytest.raises(ToolError, match="already"):
        kit.rollback_config(mine["id"])


def test_software_releases_and_unmodelled_changes_are_not_rolled_back() -> None:
    db = world()
    add_noise(db, random.Random(1), 3)
    released = next(c for c in db.changes if c.attribute == "sw_version")
    with pytest.raises(ToolError, match="no change of configuration"):
        NocKit(db).rollback_config(released.id)


def test_an_unlocked_cell_ends_isolation_and_a_work_order_does_not_stop_it() -> None:
    db = world()
    site, kit = db.sites[db.focus], NocKit(db)
    db.work_orders.append(
        WorkOrder(id="WO1", site_id=site.id, object_id=f"{site.id}-C1", text="mast", on_tower=True)
    )
    kit.lock_cell(f"{site.id}-C1")
    site.rrus[0].isolated = True
    kit.unlock_cell(f"{site.id}-C1")
    assert not site.rrus[0].isolated
    assert site.cells[0].administrativeState == "UNLOCKED"


def test_dispatch_sends_one_technician_with_his_parts() -> None:
    db = world()
    kit, (first, second), site = NocKit(db), db.technicians, db.focus
    spare, more = db.spares[0].id, db.spares[1].id
    kit.dispatch_technician(site, first.id, "swap", [spare])
    assert (first.assigned, first.parts) == (site, [spare])
    first.location = site
    kit.dispatch_technician(site, first.id, "and this", [more, spare])
    assert (first.location, first.parts) == (site, [spare, more])
    kit.dispatch_technician(site, second.id, "instead", [])
    assert (first.assigned, first.location, second.assigned) == (None, None, site)


def test_the_report_is_kept_with_every_field() -> None:
    db, kit, site = only("E1")
    call(db, ("submit_resolution_report", {
        "root_causes": [{"fault_class": "fan_stalled", "object_id": f"{site}-FAN1",
                         "evidence": ["r2"]}],
        "restored": True, "actions": ["w3"], "escalation": ["vendor"], "verification": ["r4"],
    }))  # fmt: skip
    assert db.report == {
        "root_causes": [
            {"evidence": ["r2"], "fault_class": "fan_stalled", "object_id": f"{site}-FAN1"}
        ],
        "restored": True,
        "actions": ["w3"],
        "residual_alarms": [],
        "escalation": ["vendor"],
        "verification": ["r4"],
    }
    assert TOOLS["submit_resolution_report"].spec.effect == "control"
    assert kit.owner == "agent"


@pytest.mark.parametrize(
    ("name", "argument", "wrong"),
    [
        ("reset_board", "mode", "warm"),
        ("set_hub_port", "state", "open"),
        ("set_config", "attribute", "plmn"),
        ("switch_clock_source", "source", "ntp"),
        ("escalate", "team", "police"),
        ("request_approval", "action", "delete_site"),
        ("run_load_step", "pct", 10),
        ("set_ret_tilt", "tilt", 40.0),
        ("submit_resolution_report", "root_causes", [{"fault_class": "gremlins"}]),
    ],
)
def test_a_value_outside_the_choice_is_refused(name: str, argument: str, wrong: Any) -> None:
    arguments = next(a for n, a in write_calls(world()) if n == name)
    assert WRITES[name].complaint(arguments) is None
    assert argument in (WRITES[name].complaint({**arguments, argument: wrong}) or "")


BY_ID = sorted(set(WRITES) - {"escalate", "submit_resolution_report"})


@pytest.mark.parametrize("name", BY_ID)
def test_an_unknown_id_is_refused_and_declares_nothing(name: str) -> None:
    db = world(("T5", {}))
    arguments = next(a for n, a in write_calls(db) if n == name)
    key = next(k for k in arguments if k.endswith("_id"))
    wrong = {**arguments, key: "K999-C1"}
    before = db.model_dump()
    with pytest.raises(ToolError, match="there is no"):
        call(db, (name, wrong))
    assert db.model_dump() == before
    assert WRITES[name].marked.sets(db, wrong) == {}
    assert WRITES[name].marked.shows(db, wrong) == ()


def test_the_report_names_faults_by_the_table_of_faults() -> None:
    causes = TOOLS["submit_resolution_report"].spec.parameters["properties"]["root_causes"]
    assert causes["items"]["properties"]["fault_class"]["enum"] == list(SLUGS)
