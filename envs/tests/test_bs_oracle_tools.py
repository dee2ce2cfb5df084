"""After any writes the oracle still predicts what the world shows: the tools' `sets` are the truth.

Pairs of worlds that differ in their faults go through the same calls. The oracle follows one of
them and must predict both, bit by bit, as long as a call succeeds in both of them or in neither.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from bs_harness import TOPOLOGIES, Call, broken, seen, spare, with_faults

from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.layout import Layout, Topology, healthy
from telejudge_envs.base_station.noc import NocKit
from telejudge_envs.base_station.oracle.belief import Belief, Start, clocked_of
from telejudge_envs.base_station.oracle.oracle import PRIOR
from telejudge_envs.base_station.oracle.space import space_of
from telejudge_envs.base_station.parts import part
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import ToolError, tools_of

KITS = {name: kit for kit in (NocKit, FieldKit) for name in tools_of(kit)}
MODULES = (
    ("rectifier", "RE1"),
    ("fan", "FAN1"),
    ("fan", "FAN2"),
    ("baseband", "BB"),
    ("gnss_antenna", "GNSS"),
)


def site_calls(db: RanDB) -> Iterator[Call]:
    site, trunk = db.focus, db.hub.ports[0].id
    for mode, board in (("soft", "BM"), ("hard", "BM"), ("hard", "BB")):
        yield "reset_board", {"board_id": part(site, board), "mode": mode}
    for state in ("up", "down"):
        yield "set_hub_port", {"port_id": trunk, "state": state}
    for source in ("gnss", "ptp"):
        yield "switch_clock_source", {"site_id": site, "source": source}
    for tool in ("start_generator", "reset_aircon"):
        yield tool, {}
    yield "splice_fibre", {"link_id": part(site, "L")}
    yield "clean_connector", {"port_id": part(site, "P")}
    yield "replace_sfp", {"port_id": part(site, "P"), "spare_id": spare(db, "sfp")}
    yield "install_licence", {"site_id": site, "key_id": (*db.licence_pool, "none")[0]}
    for kind, slot in MODULES:
        arguments = {"type": kind, "slot": part(site, slot), "spare_id": spare(db, kind)}
        yield "replace_module", arguments
    for suffix, attribute, wrong in (
        ("NG", "remoteAddress", "10.1.2.3"),
        ("NG", "nRTAC", 77),
        ("P", "vlan", 77),
    ):
        target = part(site, suffix)
        for value in (db.plan[f"{target}.{attribute}"], wrong):
            yield "set_config", {"object_id": target, "attribute": attribute, "value": value}
    for change in db.changes:
        if change.by != "noc":
            yield "rollback_config", {"change_id": change.id}


def sector_calls(db: RanDB, i: int) -> Iterator[Call]:
    site = db.focus
    cell, rru, ret, line = (part(site, suffix, i) for suffix in ("C", "R", "T", "A"))
    for tool in ("lock_cell", "unlock_cell", "enable_mlb"):
        yield tool, {"cell_id": cell}
    for tool in ("reset_rru", "confirm_rf_isolation"):
        yield tool, {"rru_id": rru}
    for tilt in (db.plan[f"{ret}.tilt"], 11.0):
        yield "set_ret_tilt", {"ret_id": ret, "tilt": tilt}
    yield "calibrate_ret", {"ret_id": ret}
    yield "reset_breaker", {"feed": part(site, "FD", i)}
    for kind, slot in (("rru", rru), ("ret", ret)):
        yield "replace_module", {"type": kind, "slot": slot, "spare_id": spare(db, kind)}
    for port in (line, f"{part(site, 'O', i)}/bbu"):
        yield "clean_connector", {"port_id": port}
    arguments = {"port_id": f"{part(site, 'O', i)}/bbu", "spare_id": spare(db, "cpri_sfp")}
    yield "replace_sfp", arguments
    yield "replace_fibre", {"cpri_id": part(site, "O", i)}
    yield "repair_antenna_line", {"port_id": line, "segment": "jumper"}
    for neighbour in db.plan[f"{cell}.relations"]:
        yield "add_neighbour", {"cell_id": cell, "target_cell_id": neighbour}
    for value in (db.plan[f"{cell}.nrPci"], 77):
        yield "set_config", {"object_id": cell, "attribute": "nrPci", "value": value}


def visit(db: RanDB) -> list[Call]:
    who = {"technician_id": db.technicians[0].id, "parts": [s.id for s in db.spares]}
    return [
        ("dispatch_technician", {"site_id": db.focus, "task": "all", **who}),
        ("travel_to_site", {"site_id": db.focus}),
    ]


def make(db: RanDB, name: str, arguments: dict[str, Any]) -> bool:
    """The call as an episode makes it; whether the world let it happen."""
    tool = tools_of(KITS[name])[name]
    try:
        tool.call(KITS[name](db), arguments)
    except ToolError:
        return False
    db.clock_min += tool.marked.minutes
    db.version += 1
    return True


def logged(db: RanDB, change_id: str) -> tuple[str, str] | None:
    """What the change log says that a change was of."""
    return next(((c.object_id, c.attribute) for c in db.changes if c.id == change_id), None)


def walk(topology: Topology, dice: random.Random) -> int:
    """The number of writes that two worlds took alike."""
    layout = Layout(topology=topology, split="train", seed=dice.randrange(40))
    space = space_of(3, 3, Start.of(healthy(layout)).impossible)
    sets_of_faults = [space.faults(dice.randrange(space.count)) for _ in range(2)]
    worlds = [with_faults(healthy(layout), *faults) for faults in sets_of_faults]
    belief = Belief(space, Start.of(worlds[0]), PRIOR[:4])
    first = worlds[0]
    calls = visit(first)
    made = 0
    for _ in range(30):
        possible = [*site_calls(first), *(c for i in (1, 2, 3) for c in sector_calls(first, i))]
        name, arguments = calls.pop(0) if calls else dice.choice(possible)
        if name == "rollback_config" and len({logged(db, **arguments) for db in worlds}) > 1:
            continue  # whoever read the log knows which of the worlds it is
        sets = tools_of(KITS[name])[name].marked.sets(first, arguments)
        took = [make(db, name, arguments) for db in worlds]
        if took[0]:
            belief.write(sets, clocked_of(first))
            made += all(took)
        if took[0] != took[1]:
            worlds = worlds[:1] if took[0] else []
        for db, faults in zip(worlds, sets_of_faults, strict=False):
            bit = space.only(faults)
            said = {effect: int(bool(bits & bit)) for effect, bits in belief.effects.items()}
            assert said == seen(db), (name, arguments, faults)
        if len(worlds) < 2:
            return made
    return made


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_predictions_hold_after_any_writes(topology: Topology) -> None:
    dice = random.Random(f"walk|{topology}")
    assert sum(walk(topology, dice) for _ in range(12)) > 40


def test_every_tool_that_changes_facts_is_walked_through() -> None:
    db = broken("T4")
    walked = {name for name, _ in (*site_calls(db), *sector_calls(db, 1), *visit(db))}
    changing = {
        name
        for name, kit in KITS.items()
        if tools_of(kit)[name].marked.sets is not tools_of(NocKit)["ack_alarm"].marked.sets
    }
    assert changing <= walked
