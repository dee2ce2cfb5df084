"""Noise: it is there in the amount asked for, it is harmless, and it hides no fault."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.base_station.alarm_table import BY_PROBLEM
from telejudge_envs.base_station.alarms import active
from telejudge_envs.base_station.atoms import atoms, exclusive, inject, present
from telejudge_envs.base_station.kpis import kpis
from telejudge_envs.base_station.layout import Layout, Topology, healthy
from telejudge_envs.base_station.noise import FLAPPING, RED_HERRINGS, STALE, STANDING, add_noise
from telejudge_envs.base_station.observe import forget, observe
from telejudge_envs.base_station.parts import locate
from telejudge_envs.base_station.physics import facts_of
from telejudge_envs.base_station.state import RanDB

TOPOLOGIES: tuple[Topology, ...] = ("single", "star", "ring", "mixed", "gnss_only", "leased")


def world(seed: int, topology: Topology = "single") -> RanDB:
    return healthy(Layout(topology=topology, split="train", seed=seed))


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 2000),
    st.sampled_from(TOPOLOGIES),
    st.integers(0, 3),
    st.lists(st.sampled_from(atoms()), max_size=3, unique=True),
    st.booleans(),
)
def test_noise_changes_no_effect(
    seed: int, topology: Topology, level: int, chosen: list[str], first: bool
) -> None:
    """Whether it comes before or after the faults, every bit of every site stays the same."""
    kept = [a for n, a in enumerate(chosen) if not any(exclusive(a, b) for b in chosen[:n])]
    plain, noisy = world(seed, topology), world(seed, topology)
    if first:
        add_noise(noisy, random.Random(seed), level)
    for atom in kept:
        inject(plain, atom)
        inject(noisy, atom)
    if not first:
        add_noise(noisy, random.Random(seed), level)
    assert observe(noisy) == observe(plain)
    for site in plain.sites:
        assert facts_of(noisy, site) == facts_of(plain, site)
        assert kpis(noisy, site) == kpis(plain, site)
    shown = {a.alarmId for a in active(noisy)}
    assert {a.alarmId for a in active(plain)} <= shown


@pytest.mark.parametrize("sector", [1, 2, 3])
def test_a_crew_on_the_mast_locks_its_cell_and_is_no_fault(sector: int) -> None:
    db = world(5)
    add_noise(db, random.Random(1), 1, work_order=sector)
    cell = db.sites[db.focus].cells[sector - 1]
    (order,) = [o for o in db.work_orders if o.on_tower]
    assert (order.object_id, order.open, cell.administrativeState) == (cell.id, True, "LOCKED")
    assert not any(present(db, db.focus, atom) for atom in atoms())
    bits, plain = observe(db)[db.focus], observe(world(5))[db.focus]
    changed = {name for name in bits if bits[name] != plain[name]}
    assert changed
    assert all(name.endswith(f".{sector}") for name in changed)
    assert not any(name.startswith("alarm.") for name in changed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("level", range(4))
def test_each_level_adds_what_it_says(level: int, seed: int) -> None:
    db = world(seed, "star")
    add_noise(db, random.Random(seed), level)
    flapping = [a for a in db.standing if a.flapping]
    manual = [a for a in db.standing if a.clearingType == "MANUAL"]
    assert len(db.standing) == level + (level >= 2) + 2 * (level == 3)
    assert (len(flapping), len(manual)) == (int(level >= 2), int(level == 3))
    assert len(db.deviations) == int(level >= 1) + int(level == 3)
    assert len(db.changes) == {0: 0, 1: 1, 2: 2, 3: 4}[level]
    assert all(change.approved for change in db.changes)


@pytest.mark.parametrize("seed", range(8))
def test_deviations_are_real_and_explained(seed: int) -> None:
    db = world(seed, "star")
    add_noise(db, random.Random(seed), 3)
    for key, text in db.deviations.items():
        object_id, _, attribute = key.partition(".")
        located = locate(db, object_id)
        assert located is not None
        assert getattr(located.thing, attribute) != db.plan[key]
        assert text.startswith("approved")
        assert any((c.object_id, c.attribute) == (object_id, attribute) for c in db.changes)


def test_ids_stay_unique_beside_faults() -> None:
    for seed in range(40):
        db = world(seed, "star")
        add_noise(db, random.Random(seed), 3, work_order=2)
        for atom in ("T4", "T5", "A3.1", "R1.1", "R2.3", "E1"):
            inject(db, atom)
        forget(db)
        for ids in (
            [a.alarmId for a in active(db)],
            [c.id for c in db.changes],
            [o.id for o in db.work_orders],
        ):
            assert len(set(ids)) == len(ids)


def test_noise_never_uses_the_name_of_an_alarm_that_a_fault_raises() -> None:
    causes = {t.cause for t in (*STANDING, *FLAPPING, *RED_HERRINGS, STALE)}
    assert causes.isdisjoint(BY_PROBLEM)


def test_a_door_alarm_names_an_open_work_order_that_exists() -> None:
    seen = 0
    for seed in range(30):
        db = world(seed)
        add_noise(db, random.Random(seed), 3)
        for alarm in db.standing:
            if "Cabinet door open" in alarm.specificProblem:
                seen += 1
                assert any(o.id in alarm.specificProblem and o.open for o in db.work_orders)
    assert seen > 0


def test_same_dice_same_bytes() -> None:
    first, second = world(9), world(9)
    for db in (first, second):
        add_noise(db, random.Random(4), 3, work_order=1)
    assert first.model_dump_json() == second.model_dump_json()


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="level 4"):
        add_noise(world(1), random.Random(1), 4)
