"""Each of the 29 faults: what proves it, what mends it, what does not (design section 2)."""

from __future__ import annotations

import itertools

import pytest

from telejudge_envs.base_station.atoms import atoms, exclusive, inject, present
from telejudge_envs.base_station.faults import FAULTS
from telejudge_envs.base_station.gold import Gold
from telejudge_envs.base_station.layout import SITES, Layout, healthy
from telejudge_envs.base_station.oracle.oracle import Oracle
from telejudge_envs.base_station.physics import effects, facts_of
from telejudge_envs.base_station.remedies.remedy import remedy
from telejudge_envs.base_station.spec import Spec, team_for
from telejudge_envs.base_station.stages import facts_for, is_visible, rounds
from telejudge_envs.base_station.validate import CHECKS, fresh, validate

FIRST = [a for a in atoms() if not a.endswith((".1", ".3"))]
"""One place for each of the 29 faults: the second sector where it has one."""

VARIANTS = [
    ("P3.1", {"shorted": True}),
    ("A2.1", {"jammed": True}),
    ("T2", {"worn": True}),
    ("F2.1", {"end": "rru", "worn": True}),
    ("P1", {"unfixable": True}),
    ("E2", {"unfixable": True}),
    ("T1", {"unfixable": True}),
    ("B3", {"unfixable": True}),
    ("R5.1", {"unfixable": True}),
]


def spec_of(atom: str, variant: dict[str, object] | None = None, **more: object) -> Spec:
    return Spec.model_validate(
        {
            "id": "bs-train-x",
            "split": "train",
            "seed": 12,
            "level": 1,
            "atoms": (atom,),
            "variants": {atom: variant} if variant else {},
            **more,
        }
    )


def test_there_are_29_faults_in_57_places_and_as_many_compositions_as_the_design_counts():
    assert (len(FAULTS), len(FIRST), len(atoms())) == (29, 29, 57)
    pairs = [p for p in itertools.combinations(atoms(), 2) if not exclusive(*p)]
    assert len(pairs) == 1_561


@pytest.mark.parametrize("atom", atoms())
def test_a_fault_is_there_after_its_injection_and_no_other_is(atom: str):
    db = healthy(Layout("single", "train", 3))
    inject(db, atom)
    assert [a for a in atoms() if present(db, db.focus, a)] == [atom]


@pytest.mark.parametrize("topology", SITES)
def test_a_healthy_network_has_no_fault_on_any_site(topology):
    db = healthy(Layout(topology, "train", 5))
    found = [(s, a) for s in db.sites for a in atoms() if present(db, s, a)]
    assert found == []


@pytest.mark.parametrize("atom", FIRST)
def test_everything_a_task_promises_holds_for_the_fault_alone(atom: str):
    """Gold restores service without breaking a rule, leaving its repair out does not, the trap
    fails or breaks a rule, and what gold reads is enough to know the fault."""
    report = validate(spec_of(atom))
    assert report.failed == {}
    assert len(CHECKS) == 7


@pytest.mark.parametrize(("atom", "variant"), VARIANTS)
def test_so_does_its_stubborn_variant(atom: str, variant: dict[str, object]):
    assert validate(spec_of(atom, variant)).failed == {}


@pytest.mark.parametrize("atom", FIRST)
def test_its_evidence_separates_it_from_every_rival(atom: str):
    """The reads of its proof, after the alarms, leave no other single fault."""
    spec = spec_of(atom)
    episode = fresh(spec)
    seen = effects(facts_of(episode.db, episode.db.focus), 1)
    assert is_visible(atom, seen)
    rivals = [r for r in atoms() if r != atom and is_visible(r, effects(facts_for([r]), 1))]
    shown = _shown_by_proof(spec, atom)
    for rival in rivals:
        theirs = effects(facts_for([rival]), 1)
        assert any(theirs[name] != seen[name] for name in shown), f"{rival} looks the same"


def _shown_by_proof(spec: Spec, atom: str) -> set[str]:
    from telejudge_envs.base_station.episode import tool_named

    db = fresh(spec).db
    calls = [("list_alarms", {"scope_id": db.focus}), *remedy(db, spec, atom).proof]
    names: set[str] = set()
    for name, given in calls:
        tool = tool_named(name)
        assert tool is not None
        arguments = tool.arguments.model_validate(given).model_dump()
        names |= set(tool.marked.shows(db, arguments))
    return names


@pytest.mark.parametrize("atom", FIRST)
def test_its_repair_ends_it_in_the_state(atom: str):
    spec = spec_of(atom)
    played = Gold(fresh(spec)).play()
    left = present(played.db, played.db.focus, atom)
    assert left == (team_for(spec, atom) is not None)


def test_pairs_of_which_one_hides_the_other_come_to_light_in_rounds():
    assert rounds(("T3", "P3.1")) == (("T3",), ("P3.1",))
    assert rounds(("E1", "P3.1")) == (("E1", "P3.1"),)
    assert rounds(("T1", "P3.1"), stuck=("T1",)) is None


def test_no_pair_stays_hidden_when_all_can_be_repaired():
    """The design's prototype found the same: fix what is visible, read again, repeat."""
    for pair in itertools.combinations(atoms(without=frozenset({"R4"})), 2):
        if not exclusive(*pair):
            assert rounds(pair) is not None, pair


def test_the_oracle_knows_a_fault_after_its_proof():
    spec = spec_of("F1.2")
    episode = fresh(spec)
    oracle = Oracle(episode.db)
    bits = effects(facts_of(episode.db, episode.db.focus), 1)
    oracle.see(sorted(_shown_by_proof(spec, "F1.2")), bits)
    assert oracle.posterior()["F1.2"] > 0.9
