"""The technician's hands: what each repair cures, what it leaves alone, and when he refuses."""

from __future__ import annotations

from typing import Any

import pytest
from bs_harness import compositions, on_site, spare, ways
from hypothesis import given, settings

from telejudge_envs.base_station.atoms import atoms, present
from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.observe import forget
from telejudge_envs.base_station.physics import facts_of
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import ToolError, tools_of

TOOLS = tools_of(FieldKit)
MODULES = {"rectifier": ["RE1", "RE2"], "fan": ["FAN1", "FAN2"], "baseband": ["BB"],
           "rru": ["R1", "R2"], "gnss_antenna": ["GNSS"], "ret": ["T1", "T2"]}  # fmt: skip
ENDS = ["P", "O1/bbu", "O1/rru", "O2/bbu", "O2/rru"]


def repairs(db: RanDB) -> list[tuple[str, dict[str, Any]]]:
    """Every repair of sectors 1 and 2 and of the whole site."""
    at = db.focus
    sfps = {port: "sfp" if port == "P" else "cpri_sfp" for port in ENDS}
    return [
        *(("reset_breaker", {"feed": f"{at}-FD{i}"}) for i in (1, 2)),
        ("start_generator", {}),
        ("reset_aircon", {}),
        *(
            ("replace_module", {"type": t, "slot": f"{at}-{slot}", "spare_id": spare(db, t)})
            for t, slots in MODULES.items()
            for slot in slots
        ),
        *(("clean_connector", {"port_id": f"{at}-{p}"}) for p in [*ENDS, "A1", "A2"]),
        *(
            ("replace_sfp", {"port_id": f"{at}-{port}", "spare_id": spare(db, kind)})
            for port, kind in sfps.items()
        ),
        *(("replace_fibre", {"cpri_id": f"{at}-O{i}"}) for i in (1, 2)),
        ("splice_fibre", {"link_id": f"{at}-L"}),
        *(
            ("repair_antenna_line", {"port_id": f"{at}-A{i}", "segment": segment})
            for i in (1, 2)
            for segment in ("jumper", "feeder", "connector", "antenna")
        ),
    ]


def facts(db: RanDB) -> dict[str, int]:
    forget(db)
    return facts_of(db, db.focus)


def check_repair(db: RanDB, tool: str, arguments: dict[str, Any]) -> None:
    before, dumped = facts(db), db.model_dump()
    promised = TOOLS[tool].marked.sets(db, arguments)
    try:
        done = TOOLS[tool].call(FieldKit(db), arguments)
    except ToolError:
        assert db.model_dump() == dumped
        return
    assert set(done) == {"effect", "needs_verification"}
    assert facts(db) == {**before, **promised}, (tool, arguments)


@settings(max_examples=25, deadline=None)
@given(compositions(6), ways)
def test_a_repair_leaves_what_it_promises_and_nothing_else(
    faults: tuple[str, ...], variants: dict[str, Any]
) -> None:
    for tool, arguments in repairs(on_site(3, *faults, **variants)):
        check_repair(on_site(3, *faults, **variants), tool, arguments)


@pytest.mark.parametrize("atom", [a for a in atoms() if not a.endswith(".3")])
def test_each_fault_with_each_repair(atom: str) -> None:
    for tool, arguments in repairs(on_site(3, atom)):
        check_repair(on_site(3, atom), tool, arguments)


@pytest.mark.parametrize(
    ("atom", "tool", "fitting"),
    [
        ("P1", "start_generator", {}),
        ("P2", "replace_module", {"type": "rectifier", "slot": "RE1"}),
        ("P3.2", "reset_breaker", {"feed": "FD2"}),
        ("E1", "replace_module", {"type": "fan", "slot": "FAN1"}),
        ("E2", "reset_aircon", {}),
        ("T1", "splice_fibre", {"link_id": "L"}),
        ("T2", "clean_connector", {"port_id": "P"}),
        ("S1", "replace_module", {"type": "gnss_antenna", "slot": "GNSS"}),
        ("B2", "replace_module", {"type": "baseband", "slot": "BB"}),
        ("F1.1", "replace_fibre", {"cpri_id": "O1"}),
        ("F2.1", "clean_connector", {"port_id": "O1/bbu"}),
        ("F3.2", "replace_module", {"type": "rru", "slot": "R2"}),
        ("A1.1", "repair_antenna_line", {"port_id": "A1", "segment": "jumper"}),
        ("A2.2", "replace_module", {"type": "ret", "slot": "T2"}),
        ("A4.1", "clean_connector", {"port_id": "A1"}),
    ],
)
def test_the_right_repair_cures(atom: str, tool: str, fitting: dict[str, str]) -> None:
    db = on_site(3, atom)
    ids = {"feed", "slot", "link_id", "port_id", "cpri_id"}
    arguments = {k: f"{db.focus}-{v}" if k in ids else v for k, v in fitting.items()}
    if tool == "replace_module":
        arguments["spare_id"] = spare(db, fitting["type"])
    TOOLS[tool].call(FieldKit(db), arguments)
    assert not present(db, db.focus, atom)


def test_a_shorted_feed_trips_until_its_unit_is_replaced() -> None:
    db = on_site(3, "P3.1", P3={"shorted": True})
    kit, feed = FieldKit(db), f"{db.focus}-FD1"
    arguments = {"feed": feed}
    assert TOOLS["reset_breaker"].marked.sets(db, arguments) == {}
    assert TOOLS["reset_breaker"].marked.shows(db, arguments) == ("raw.P3.1",)
    assert "tripped again" in kit.reset_breaker(feed)["effect"]
    assert present(db, db.focus, "P3.1")
    assert db.sites[db.focus].power.recloses == {feed: 1}
    kit.replace_module("rru", f"{db.focus}-R1", spare(db, "rru"))
    assert not present(db, db.focus, "P3.1")
    assert "holds" in kit.reset_breaker(feed)["effect"]


def test_a_worn_module_must_be_replaced() -> None:
    db = on_site(3, "F2.2", F2={"end": "rru", "worn": True})
    kit, end = FieldKit(db), f"{db.focus}-O2/rru"
    kit.clean_connector(end)
    assert present(db, db.focus, "F2.2")
    kit.replace_sfp(f"{db.focus}-O2/bbu", spare(db, "cpri_sfp"))
    assert present(db, db.focus, "F2.2"), "the wrong end does not help"
    kit.replace_sfp(end, spare(db, "cpri_sfp"))
    assert not present(db, db.focus, "F2.2")


def test_words_of_an_effect_do_not_tell_whether_it_helped() -> None:
    """Unless the tool declares what it shows: shorted feeds and dead air conditioners do."""
    for tool, arguments in repairs(on_site(3)):
        told = {
            str(TOOLS[tool].call(FieldKit(on_site(3, *faults)), arguments))
            for faults in ((), ("P3.1", "F2.1", "A1.1", "T2"), ("P1", "A4.2", "F3.2", "B2", "E1"))
        }
        assert len(told) == 1, (tool, told)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"spare_id": "SP1"}, "there is no spare"),
        ({"spare_id": "fan"}, "not a rru"),
        ({"parts": []}, "does not have"),
        ({"used": True}, "already built in"),
        ({"certs": ["power"]}, "certificate"),
        ({"slot": "BB"}, "is a baseband"),
        ({"slot": "R9"}, "there is no"),
    ],
)
def test_a_replacement_is_refused_before_anything_changes(
    change: dict[str, Any], says: str
) -> None:
    db = on_site(3, "F3.1")
    part = spare(db, "rru")
    if "parts" in change:
        db.technicians[0].parts = []
    if "used" in change:
        next(s for s in db.spares if s.id == part).used = True
    db.technicians[0].certs = change.get("certs", db.technicians[0].certs)
    wanted = change.get("spare_id", part)
    arguments = {
        "type": "rru",
        "slot": f"{db.focus}-{change.get('slot', 'R1')}",
        "spare_id": spare(db, "fan") if wanted == "fan" else wanted,
    }
    dumped = db.model_dump()
    with pytest.raises(ToolError, match=says):
        TOOLS["replace_module"].call(FieldKit(db), arguments)
    assert db.model_dump() == dumped


def test_what_is_not_his_to_repair() -> None:
    db = on_site(3, "P1", "T1", "E2", P1={"unfixable": True}, T1={"unfixable": True},
                 E2={"unfixable": True})  # fmt: skip
    kit = FieldKit(db)
    with pytest.raises(ToolError, match="power"):
        kit.start_generator()
    with pytest.raises(ToolError, match="transmission"):
        kit.splice_fibre(f"{db.focus}-L")
    assert "E31" in kit.reset_aircon()["effect"]
    assert present(db, db.focus, "E2")
    db.technicians[0].parts = []
    with pytest.raises(ToolError, match="fibre"):
        kit.replace_fibre(f"{db.focus}-O1")


@pytest.mark.parametrize("place", ["nowhere", "on the road", "on site"])
def test_what_a_tool_declares_of_a_call_that_fails_is_nothing(place: str) -> None:
    """Judges ask every tool what it declares, before they know whether the call succeeds."""
    db = on_site(3, "P3.1", P3={"shorted": True})
    who = db.technicians[0]
    who.location = db.focus if place == "on site" else None
    who.assigned = None if place == "nowhere" else db.focus
    for tool in TOOLS.values():
        junk = dict.fromkeys(tool.arguments.model_fields, "K000-Z9")
        if place == "on site" and not any(name.endswith(("_id", "feed")) for name in junk):
            continue  # it would succeed
        declared = (tool.marked.shows(db, junk), tool.marked.sets(db, junk))
        assert declared == ((), {}), tool.name
