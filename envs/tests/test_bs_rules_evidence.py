"""What readings prove, against the plain formulas evaluated one world at a time."""

from __future__ import annotations

import pytest
from bs_harness import broken, compositions
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.alarms import alarm_effects
from telejudge_envs.base_station.atoms import atoms, split
from telejudge_envs.base_station.observe import forget
from telejudge_envs.base_station.physics import LOCKED, effects
from telejudge_envs.base_station.rules.evidence import betrayed, explained, remote
from telejudge_envs.base_station.rules.record import RuleStep, Situation, situation

NAMES = sorted(effects(situation(broken()).facts, 1))


def reading(now: Situation, *shows: str, index: int = 0) -> RuleStep:
    return RuleStep(
        index=index,
        owner="agent",
        tool="get_ne_status",
        arguments={"site_id": now.focus},
        ok=True,
        content={},
        effect="read",
        before=now,
        after=now,
        shows=shows,
    )


@settings(max_examples=60, deadline=None)
@given(compositions(3, remote(3)), st.lists(st.sampled_from(NAMES), max_size=25))
def test_faults_that_can_be_cured_from_afar_explain_themselves(
    chosen: tuple[str, ...], shows: list[str]
) -> None:
    db = broken(*chosen, topology="star")
    seen = situation(db)
    if "T3" not in chosen:
        db.hub.ports[0].admin = "down"
        forget(db)
    later = RuleStep(
        index=1,
        owner="agent",
        tool="set_hub_port",
        arguments={"port_id": db.hub.ports[0].id, "state": "down"},
        ok=True,
        content={},
        effect="write",
        before=seen,
        after=situation(db),
        sets={"T3": int("T3" in situation(db).present)},
    )
    again = reading(situation(db), *shows, index=2)
    assert explained([reading(seen, *shows), later, again])


@pytest.mark.parametrize("atom", [a for a in atoms() if split(a)[0].onsite])
def test_every_fault_on_site_can_be_told_from_all_that_are_not(atom: str) -> None:
    db = broken(atom)
    everything = [n for n in NAMES if n.startswith(("alarm.", "see.", "kpi.")) or n == "path"]
    assert not explained([reading(situation(db), *everything)])


def test_a_dark_site_alone_is_no_reason_to_travel_but_its_dark_fibre_is() -> None:
    db = broken("T1")
    now = situation(db)
    assert explained([reading(now, "alarm.NE_UNREACHABLE", "reach")])
    assert not explained([reading(now, *alarm_effects(db, db.focus))])
    joint = [reading(now, "path"), reading(now, "alarm.LINK_FAILURE", "log.T4")]
    assert explained(joint[:1])
    assert explained(joint[1:])
    assert not explained(joint)


@settings(max_examples=60, deadline=None)
@given(compositions(3), st.lists(st.sampled_from(NAMES), max_size=6))
def test_a_reading_betrays_what_it_would_not_show_otherwise(
    chosen: tuple[str, ...], shows: list[str]
) -> None:
    now = situation(broken(*chosen))
    found = betrayed(reading(now, *shows))
    for atom in now.present:
        gone = {atom: 0} | ({f"{LOCKED}.{atom[3:]}": 0} if atom.startswith("R6.") else {})
        without = effects({**now.facts, **gone}, 1)
        told = any(without[name] != now.effects[name] for name in shows)
        assert (atom in found) == told
