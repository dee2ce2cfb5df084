"""How the technician gets to a site, and what he makes sure of before he climbs."""

from __future__ import annotations

import pytest
from bs_harness import on_site

from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.noc import NocKit
from telejudge_envs.base_station.spec import Spec
from telejudge_envs.base_station.toolkit import ToolError
from telejudge_envs.base_station.validate import fresh
from telejudge_envs.nouns.message import ToolCall


def test_travel_follows_the_dispatch() -> None:
    db = on_site(3)
    who, kit = db.technicians[0], FieldKit(db)
    with pytest.raises(ToolError, match="already"):
        kit.travel_to_site(db.focus)
    assert db.focus in kit.leave_site()["effect"]
    assert (who.location, who.assigned, who.parts) == (None, None, [])
    with pytest.raises(ToolError, match="dispatch_technician"):
        kit.travel_to_site(db.focus)
    who.assigned = db.focus
    for elsewhere in ("Z999", db.hub.id):
        with pytest.raises(ToolError, match="there is no site"):
            kit.travel_to_site(elsewhere)
    kit.travel_to_site(db.focus)
    assert who.location == db.focus


@pytest.mark.parametrize("number", [0, 1])
def test_a_journey_takes_as_long_as_the_list_of_resources_says(number: int) -> None:
    episode = fresh(Spec(id="bs-train-x", split="train", seed=3, level=1, atoms=("E1",)))
    db = episode.db
    listed = NocKit(db).list_resources(db.focus)["technicians"][number]
    episode.call(_called("dispatch_technician", site_id=db.focus, technician_id=listed["id"],
                         task="look"))  # fmt: skip
    left = db.clock_min
    assert not episode.call(_called("travel_to_site", site_id=db.focus)).error
    assert db.clock_min - left == listed["travel_min"]
    assert [t["travel_min"] for t in NocKit(db).list_resources(db.focus)["technicians"]] == [45, 90]


def _called(name: str, **arguments: str) -> ToolCall:
    return ToolCall(id=name, name=name, arguments=arguments)


def test_isolation_needs_a_locked_cell() -> None:
    db = on_site(3)
    site, kit = db.sites[db.focus], FieldKit(db)
    with pytest.raises(ToolError, match="lock_cell"):
        kit.confirm_rf_isolation(f"{db.focus}-R1")
    site.cells[0].administrativeState = "LOCKED"
    kit.confirm_rf_isolation(f"{db.focus}-R1")
    assert [rru.isolated for rru in site.rrus] == [True, False, False]
