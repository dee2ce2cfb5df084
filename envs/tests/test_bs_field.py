"""The technician's eyes and meters: what each tells, that it tells no more, and who may look."""

from __future__ import annotations

from typing import Any

import pytest
from bs_harness import broken, compositions, on_site, ways
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.observe import forget, observe
from telejudge_envs.base_station.toolkit import ToolError, tools_of

TOOLS = tools_of(FieldKit)
READS = {name: tool for name, tool in TOOLS.items() if tool.marked.effect == "read"}


def read_calls(site: str) -> list[tuple[str, dict[str, Any]]]:
    ends = ["P", *(f"O{i}/{end}" for i in (1, 2, 3) for end in ("bbu", "rru"))]
    lines = [f"A{i}" for i in (1, 2, 3)]
    lamps = ["BM", "BB", "RE1", "RE2", "FAN1", "FAN2", "R1", "R2", "R3"]
    others = ["AC0", "AC", "L", "GNSS", "FD1", "FD2", "T1", *lines, *ends, *lamps]
    return [
        *(("check_leds", {"unit_id": f"{site}-{unit}"}) for unit in lamps),
        ("check_breakers", {}),
        *(("measure_voltage", {"point": p}) for p in ("ac_in", "dc_bus", "battery")),
        ("read_thermometer", {}),
        *(("measure_optical_power", {"port_id": f"{site}-{p}"}) for p in ends),
        *(("otdr", {"port_id": f"{site}-{p}"}) for p in ("P", "O1", "O2/rru", "O3/bbu")),
        ("check_gnss_antenna", {}),
        *(("measure_vswr_dtf", {"port_id": f"{site}-{line}"}) for line in lines),
        *(("inspect", {"asset_id": f"{site}-{asset}"}) for asset in others),
        ("read_asset_label", {"slot": "BB"}),
        ("list_spares", {}),
    ]


@settings(max_examples=60, deadline=None)
@given(compositions(6), compositions(6), ways, st.sampled_from([0, 2, 30]))
def test_a_result_depends_on_the_shown_effects_only(
    one: tuple[str, ...], other: tuple[str, ...], variants: dict[str, Any], hours: int
) -> None:
    here, there = (on_site(3, *faults, hours=hours, **variants) for faults in (one, other))
    for name, arguments in read_calls(here.focus):
        told = [
            {e: observe(db)[db.focus][e] for e in READS[name].marked.shows(db, arguments)}
            for db in (here, there)
        ]
        if told[0] == told[1]:
            results = [READS[name].call(FieldKit(db), arguments) for db in (here, there)]
            assert results[0] == results[1], (name, arguments, told[0])


@settings(max_examples=20, deadline=None)
@given(compositions(6), ways)
def test_reads_change_nothing_and_repeat_themselves(
    faults: tuple[str, ...], variants: dict[str, Any]
) -> None:
    db = on_site(5, *faults, **variants)
    before = db.model_dump()
    for name, arguments in read_calls(db.focus):
        first = READS[name].call(FieldKit(db), arguments)
        assert READS[name].call(FieldKit(db), arguments) == first
    assert db.model_dump() == before


@pytest.mark.parametrize(
    ("atom", "tool", "argument", "shown"),
    [
        ("P1", "measure_voltage", "ac_in", "'volts': 0.0"),
        ("P2", "check_leds", "RE1", "'ALM': 'red'"),
        ("P3.2", "check_breakers", None, "FD2': 'open"),
        ("P3.2", "check_leds", "R2", "'PWR': 'off'"),
        ("E1", "check_leds", "FAN1", "stands still"),
        ("E2", "inspect", "AC", "E07"),
        ("T1", "measure_optical_power", "P", "no light"),
        ("T2", "inspect", "P", "dirty"),
        ("S1", "check_gnss_antenna", None, "open circuit"),
        ("B1", "check_leds", "BM", "not blinking"),
        ("B2", "check_leds", "BB", "'ALM': 'red'"),
        ("F1.3", "measure_optical_power", "O3/bbu", "no light"),
        ("F1.3", "otdr", "O3", "'break_at_m': "),
        ("F2.1", "inspect", "O1/bbu", "dirty"),
        ("F3.1", "check_leds", "R1", "transmitter"),
        ("A1.2", "measure_vswr_dtf", "A2", "'segment': 'jumper'"),
        ("A4.2", "inspect", "A2", "corroded"),
    ],
)
def test_each_fault_on_site_is_seen_by_its_reading(
    atom: str, tool: str, argument: str | None, shown: str
) -> None:
    sick, well = on_site(3, atom), on_site(3)
    (name,) = READS[tool].arguments.model_fields or [None]
    value = argument if tool == "measure_voltage" else f"{sick.focus}-{argument}"
    arguments = {} if name is None else {name: value}
    assert shown in str(READS[tool].call(FieldKit(sick), arguments))
    assert READS[tool].call(FieldKit(well), arguments) != READS[tool].call(
        FieldKit(sick), arguments
    )


def test_levels_agree_with_the_state() -> None:
    db = on_site(3, "F2.1", "T1", F2={"end": "rru"}, T1={"cut_at_m": 700})
    kit = FieldKit(db)
    weak = kit.measure_optical_power(f"{db.focus}-O1/rru")
    assert weak["rx_dbm"] == pytest.approx(-16.5, abs=0.3)
    assert kit.measure_optical_power(f"{db.focus}-O1/bbu")["rx_dbm"] > -10
    length = db.links[db.focus].length_m
    assert kit.otdr(f"{db.focus}-P") == {
        "fibre": f"{db.focus}-L",
        "length_m": length,
        "break_at_m": length - 700,
    }


def test_vswr_and_return_loss_agree() -> None:
    """RL = -20·log10((V-1)/(V+1)): 5.26 dB at 3.4 (textbook)."""
    db = on_site(3, "A1.1")
    reading = FieldKit(db).measure_vswr_dtf(f"{db.focus}-A1")
    assert reading["vswr"] == pytest.approx(3.4, abs=0.05)
    assert reading["return_loss_db"] == pytest.approx(5.3, abs=0.1)


def test_battery_runs_down_and_a_dark_plant_has_no_lamp_lit() -> None:
    volts = [
        FieldKit(on_site(3, "P1", hours=h)).measure_voltage("battery")["volts"] for h in (0, 3)
    ]
    assert 53 > volts[0] > volts[1] > 43
    dark = on_site(3, "P1", hours=48)
    kit = FieldKit(dark)
    assert kit.measure_voltage("dc_bus")["volts"] == 0
    lamps = {**kit.check_leds(f"{dark.focus}-BB"), **kit.check_leds(f"{dark.focus}-R1")}
    assert {v for k, v in lamps.items() if k != "unit"} == {"off"}


@pytest.mark.parametrize("name", [*READS])
def test_nobody_looks_from_afar(name: str) -> None:
    db = on_site(3)
    arguments = next(a for n, a in read_calls(db.focus) if n == name)
    db.technicians[0].location = None
    with pytest.raises(ToolError, match="travel_to_site"):
        READS[name].call(FieldKit(db), arguments)
    db.technicians[0].assigned = None
    with pytest.raises(ToolError, match="dispatch_technician"):
        READS[name].call(FieldKit(db), arguments)


def test_another_site_shows_nothing_of_the_fault() -> None:
    db = broken("P3.1", topology="star")
    other = next(site for site in db.sites if site != db.focus)
    who = db.technicians[0]
    who.assigned = who.location = other
    forget(db)
    assert set(FieldKit(db).check_breakers().values()) == {"closed"}
    assert READS["check_breakers"].marked.shows(db, {}) == ()


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("check_leds", {"unit_id": "X000-BB"}),
        ("check_leds", {"unit_id": "{}-P"}),
        ("measure_optical_power", {"port_id": "{}-O1"}),
        ("measure_optical_power", {"port_id": "{}-P/bbu"}),
        ("otdr", {"port_id": "{}-A1"}),
        ("inspect", {"asset_id": "{}-C1"}),
        ("measure_vswr_dtf", {"port_id": "{}-R1"}),
        ("read_asset_label", {"slot": "Z9"}),
    ],
)
def test_unfit_objects_are_refused_with_advice(tool: str, arguments: dict[str, str]) -> None:
    db = on_site(3)
    filled = {k: v.format(db.focus) for k, v in arguments.items()}
    with pytest.raises(ToolError, match=";"):
        READS[tool].call(FieldKit(db), filled)
