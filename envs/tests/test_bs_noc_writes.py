"""What the NOC does: a success leaves exactly the declared facts, a refusal changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from bs_harness import broken
from bs_noc_harness import READS, WRITES, call, only, write_calls
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.atoms import atoms
from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.observe import forget, observe
from telejudge_envs.base_station.physics import facts_of
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import ToolError, tools_of

NEAR = [a for a in atoms() if "." not in a or a.endswith(".2")]
"""Every fault once: those of sectors in sector 2."""

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((atom, {}) for atom in NEAR),
    ("A2.2", {"jammed": True}),
    ("R5.2", {"unfixable": True}),
    ("B3", {"unfixable": True}),
]


def unversioned(db: RanDB) -> dict[str, Any]:
    return db.model_dump(exclude={"version"})


@pytest.mark.parametrize(("atom", "variant"), VARIANTS, ids=lambda x: str(x))
@pytest.mark.parametrize("dressed", [False, True], ids=["alone", "locked_and_on_ptp"])
def test_a_success_leaves_the_declared_facts_and_no_other(
    atom: str, variant: dict[str, Any], dressed: bool
) -> None:
    for number in range(len(write_calls(broken(atom, variants={atom[:2]: variant})))):
        db = broken(atom, variants={atom[:2]: variant})
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
    db = broken(*faults, topology="star")
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
    assert {name for name, _ in write_calls(broken("T4"))} == set(WRITES)


def test_there_are_as_many_tools_as_the_page_on_the_world_says() -> None:
    field = [tool.marked.effect for tool in tools_of(FieldKit).values()]
    assert (len(READS), len(WRITES) - 1) == (20, 20), "and the report"
    assert (field.count("read"), field.count("write"), len(field)) == (11, 12, 23)


def test_effects_do_not_tell_what_had_been_wrong() -> None:
    """A write says what it did; whether that repaired anything is for a reading to show."""
    for number, (name, _) in enumerate(write_calls(broken())):
        if name in ("run_selftest", "run_load_step"):
            continue
        answers = set()
        for atom in ("E1", "A4.2", "R1.2", "R5.2", "S1", "B2", "T2"):
            db = broken(atom)
            calls = [c for c in write_calls(db) if c[0] != "rollback_config"]
            if number < len(calls) and calls[number][0] == name:
                try:
                    answers.add(str(call(db, calls[number])))
                except ToolError as refused:
                    answers.add(f"refused: {type(refused).__name__}")
        assert len({a for a in answers if not a.startswith("refused")}) <= 1, (name, answers)


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
    arguments = next(a for n, a in write_calls(broken()) if n == name)
    assert WRITES[name].complaint(arguments) is None
    assert argument in (WRITES[name].complaint({**arguments, argument: wrong}) or "")


BY_ID = sorted(set(WRITES) - {"escalate", "submit_resolution_report"})


@pytest.mark.parametrize("name", BY_ID)
def test_an_unknown_id_is_refused_and_declares_nothing(name: str) -> None:
    db = broken("T5")
    arguments = next(a for n, a in write_calls(db) if n == name)
    key = next(k for k in arguments if k.endswith("_id"))
    wrong = {**arguments, key: "K999-C1"}
    before = db.model_dump()
    with pytest.raises(ToolError, match="there is no"):
        call(db, (name, wrong))
    assert db.model_dump() == before
    assert WRITES[name].marked.sets(db, wrong) == {}
    assert WRITES[name].marked.shows(db, wrong) == ()
