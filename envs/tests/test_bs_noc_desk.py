"""The NOC's desk: approvals, alarms, the change log, dispatch, the report."""

from __future__ import annotations

import random

import pytest
from bs_harness import broken
from bs_noc_harness import TOOLS, call, only

from telejudge_envs.base_station.atoms import present
from telejudge_envs.base_station.faults import SLUGS
from telejudge_envs.base_station.noc import NocKit
from telejudge_envs.base_station.noise import add_noise
from telejudge_envs.base_station.operations import WorkOrder
from telejudge_envs.base_station.toolkit import ToolError


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
    db = broken()
    add_noise(db, random.Random(1), 3)
    released = next(c for c in db.changes if c.attribute == "sw_version")
    with pytest.raises(ToolError, match="no change of configuration"):
        NocKit(db).rollback_config(released.id)


def test_an_unlocked_cell_ends_isolation_and_a_work_order_does_not_stop_it() -> None:
    db = broken()
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
    db = broken()
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


def test_the_report_names_faults_by_the_table_of_faults() -> None:
    causes = TOOLS["submit_resolution_report"].spec.parameters["properties"]["root_causes"]
    assert causes["items"]["properties"]["fault_class"]["enum"] == list(SLUGS)
