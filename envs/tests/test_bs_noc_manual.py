"""The manual: every alarm and fault class is in it, and the search finds the right section."""

from __future__ import annotations

import pytest

from telejudge_envs.base_station import manual
from telejudge_envs.base_station.alarm_table import SPECS
from telejudge_envs.base_station.faults import SLUGS
from telejudge_envs.base_station.kpi_table import COUNTERS
from telejudge_envs.base_station.noc import NocKit
from telejudge_envs.base_station.toolkit import tools_of

WHOLE = "\n".join(f"{title}\n{text}" for title, text in manual.sections())


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("VSWR alarm", "Antenna line and VSWR"),
        ("ANTENNA_PROBLEM", "Antenna line and VSWR"),
        ("sleeping cell", "Sleeping cell"),
        ("uplink interference noise", "Intermodulation or external interference"),
        ("SCTP fault", "NG interface: SCTP_FAULT and NG_FAULT"),
        ("licence expired", "Licence"),
        ("many sites down", "Storms: many sites at once"),
        ("GNSS holdover", "Clock: GNSS and holdover"),
        ("PTP master lost", "Clock: PTP"),
        ("CPRI optics cleaning", "CPRI optics"),
        ("dying gasp breaker", "Breaker of a radio unit"),
        ("work order LOCKED", "Cell left LOCKED"),
        ("PrbTotDl congestion", "Congestion"),
    ],
)
def test_the_search_finds_the_section(query: str, title: str) -> None:
    assert manual.search(query)[0]["title"] == title


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.problem)
def test_every_alarm_is_explained_and_found(spec) -> None:
    first = manual.search(spec.problem, k=3)
    assert any(spec.problem in section["title"] + section["text"] for section in first)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_fault_class_is_found_by_its_name(slug: str) -> None:
    assert any(slug in section["text"] for section in manual.search(slug))


def test_every_limit_is_that_of_the_counter_table() -> None:
    limits = next(text for title, text in manual.sections() if title == "Counters and limits")
    for name, counter in COUNTERS.items():
        if counter.bad and counter.limit > 1:
            shared = "L1M" in name  # two counters with one limit
            value = f"{counter.limit:,g}"
            assert f"{name} {value}" in limits or (shared and f"{value}%" in limits), name


def test_tools_that_the_manual_names_exist() -> None:
    known = set(tools_of(NocKit))
    verbs = ("get_", "list_", "set_", "run_", "switch_", "enable_", "install_", "rollback_")
    words = {w.strip("`.,;:()") for w in WHOLE.split() if w.startswith("`")}
    named = {w for w in words if w.startswith(verbs)}
    assert len(named) > 15
    assert named <= known


def test_sections_stay_small_and_the_search_is_pure() -> None:
    assert all(len(text) < 900 for _, text in manual.sections())
    assert len({title for title, _ in manual.sections()}) == len(manual.sections())
    assert manual.search("clock", k=2) == manual.search("clock", k=2)
    assert len(manual.search("cell alarm", k=2)) == 2
    assert manual.search("zebra quantum") == []
    assert manual.search("") == []
