"""Whose a fault is: what the state says agrees with the task that it was built from."""

from __future__ import annotations

from typing import Any

import pytest

from telejudge_envs.base_station.atoms import atoms, inject
from telejudge_envs.base_station.faults import FAULTS
from telejudge_envs.base_station.layout import Layout, Topology, healthy
from telejudge_envs.base_station.oracle.cures import Cures
from telejudge_envs.base_station.responsibility import OUT_OF_REACH, part_needed, team_needed
from telejudge_envs.base_station.rules.record import situation
from telejudge_envs.base_station.spec import Spec, part_for, team_for
from telejudge_envs.base_station.state import RanDB

FIRST = [a for a in atoms() if not a.endswith((".2", ".3"))]
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((atom, {}) for atom in FIRST),
    *((atom, {"unfixable": True}) for atom in FIRST if atom[:2] in OUT_OF_REACH),
    ("P3.1", {"shorted": True}),
    ("T2", {"worn": True}),
    ("F2.1", {"end": "rru", "worn": True}),
    ("A2.1", {"jammed": True}),
]


def broken(atom: str, variant: dict[str, Any], *missing: str) -> RanDB:
    db = healthy(Layout("single", "train", 6, missing=missing))
    inject(db, atom, variant)
    return db


@pytest.mark.parametrize(("atom", "variant"), VARIANTS, ids=str)
def test_the_state_needs_the_part_that_the_variant_names(
    atom: str, variant: dict[str, Any]
) -> None:
    db = broken(atom, variant)
    assert part_needed(db.sites[db.focus], atom) == part_for(atom, variant)


@pytest.mark.parametrize(("atom", "variant"), VARIANTS, ids=str)
def test_task_rules_and_oracle_name_the_same_team(atom: str, variant: dict[str, Any]) -> None:
    for missing in ((), (part_for(atom, variant) or "fan",)):
        db = broken(atom, variant, *missing)
        spec = Spec(id="x", split="train", seed=6, level=1, atoms=(atom,),
                    variants={atom: variant}, missing=missing)  # fmt: skip
        team = team_needed(db, atom)
        assert team_for(spec, atom) == team
        assert situation(db).outside.get(atom) == team
        assert Cures.of(db).cheapest(atom).team == (team or "")
        lacking = bool(missing) and part_for(atom, variant) in missing
        beyond = bool(variant.get("unfixable")) or atom == "R4.1"
        assert (team is not None) == (beyond or lacking)
        if team is not None:
            assert team == ("vendor" if lacking else FAULTS[atom[:2]].team)


@pytest.mark.parametrize(("topology", "team"), [("leased", "transmission"), ("single", None)])
def test_a_leased_fibre_is_its_owners(topology: Topology, team: str | None) -> None:
    assert team_needed(healthy(Layout(topology, "train", 6)), "T1") == team


def test_the_last_spare_that_is_built_in_is_missing() -> None:
    db = broken("E1", {})
    for spare in db.spares:
        spare.used = spare.type == "fan"
    assert team_needed(db, "E1") == "vendor"
    assert team_needed(db, "P2") is None
