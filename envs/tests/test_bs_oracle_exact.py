"""What the oracle says a set of faults would look like is what the real world then looks like."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from bs_harness import TOPOLOGIES, seen, with_faults

from telejudge_envs.base_station.atoms import atoms, inject
from telejudge_envs.base_station.layout import Layout, Topology, healthy
from telejudge_envs.base_station.operations import WorkOrder
from telejudge_envs.base_station.oracle.belief import Belief, Start, clocked_of
from telejudge_envs.base_station.oracle.oracle import PRIOR, Oracle
from telejudge_envs.base_station.oracle.space import Space, space_of
from telejudge_envs.base_station.state import RanDB


def believing(db: RanDB, max_faults: int = 3) -> Belief:
    start = Start.of(db)
    return Belief(space_of(3, max_faults, start.impossible), start, PRIOR[: max_faults + 1])


def predicted(belief: Belief, faults: tuple[str, ...]) -> dict[str, int]:
    bit = belief.space.only(faults)
    assert bit
    return {name: int(bool(bits & bit)) for name, bits in belief.effects.items()}


def sample(space: Space, dice: random.Random) -> tuple[str, ...]:
    k = dice.randrange(space.max_faults + 1)
    return space.faults(dice.randrange(space.upto[k - 1] if k else 0, space.upto[k]))


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("worn_out", [False, True])
def test_all_effects_agree_bit_by_bit(topology: Topology, worn_out: bool) -> None:
    """`worn_out`: so late that batteries are empty and a clock without GNSS has drifted."""
    dice = random.Random(f"{topology}{worn_out}")
    layout = Layout(topology=topology, split="train", seed=3, holdover_lost=worn_out)
    db = healthy(layout)
    belief = believing(db)
    later = db.clock_min + (5000 if worn_out else 0)
    db.clock_min = later
    belief.write({}, clocked_of(db))
    for _ in range(60):
        faults = sample(belief.space, dice)
        world = with_faults(healthy(layout), *faults)
        world.clock_min = later
        assert predicted(belief, faults) == seen(world), faults


def test_the_faults_that_are_there_do_not_change_what_the_oracle_starts_from() -> None:
    layout = Layout(topology="star", split="train", seed=5)
    plain = Start.of(healthy(layout))
    for atom in atoms(3):
        assert Start.of(with_faults(healthy(layout), atom)) == plain, atom


def test_a_cell_under_a_work_order_is_locked_in_every_hypothesis_and_never_left_locked() -> None:
    layout = Layout(topology="single", split="train", seed=4)
    db = healthy(layout)
    cell = db.sites[db.focus].cells[1]
    cell.administrativeState = "LOCKED"
    db.work_orders.append(
        WorkOrder(id="WO1", site_id=db.focus, object_id=cell.id, text="new antenna")
    )
    inject(db, "F1.3")
    oracle = Oracle(db)
    assert not oracle.possible("R6.2")
    assert oracle.possible("R6.1")
    real = seen(db)
    oracle.see(real, real)
    assert oracle.top(1) == [("F1.3", 1.0)]


def brute_force(db: RanDB, layout: Layout, shown: Mapping[str, int]) -> dict[str, float]:
    """The posterior by building every world with up to two faults and looking at it."""
    space = space_of(3, 2, Start.of(db).impossible)
    weights: dict[str, float] = dict.fromkeys(space.presence, 0.0)
    total = 0.0
    for hypothesis in range(space.count):
        faults = space.faults(hypothesis)
        world = seen(with_faults(healthy(layout), *faults))
        if all(world[name] == bit for name, bit in shown.items()):
            weight = PRIOR[len(faults)] / space.of_size(len(faults))
            total += weight
            for atom in faults:
                weights[atom] += weight
    return {atom: weight / total for atom, weight in weights.items()}


def test_the_posterior_is_that_of_brute_force() -> None:
    layout = Layout(topology="ring", split="train", seed=9)
    db = with_faults(healthy(layout), "P1", "R4.2")
    real = seen(db)
    shown = {n: real[n] for n in ("kpi.noise.2", "cell_up.1", "alarm.BATTERY_DISCHARGING")}
    oracle = Oracle(db, 2)
    oracle.see(shown, real)
    assert oracle.posterior() == pytest.approx(
        {**dict.fromkeys(atoms(3), 0.0), **brute_force(db, layout, shown)}, abs=1e-12
    )
