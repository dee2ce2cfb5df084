"""How careful a scripted agent is: the same dice and rates in both worlds."""

from __future__ import annotations

import dataclasses
import random
from typing import Any, get_args

import pytest

from telejudge_agents.scripted import engineer as tau2
from telejudge_agents.scripted.base import Plan, Planner
from telejudge_agents.scripted.base_station import slips as base_station
from telejudge_agents.scripted.base_station.expert import Flaws as BaseStationFlaws
from telejudge_agents.scripted.expert import Flaws as Tau2Flaws
from telejudge_agents.scripted.registry import cast_of
from telejudge_agents.scripted.temper import Careless, FlawRates, Steady, careful, careless
from telejudge_envs.nouns.task import TaskView

WORLDS = {
    "tau2-telecom": (Tau2Flaws, get_args(tau2.Slip)),
    "base-station": (BaseStationFlaws, get_args(base_station.Slip)),
}
VIEW = TaskView(id="t", world="w", split="train", level=1, mode="solo", ticket="Mend it.")


def first_throws(temper: Careless) -> Planner:
    """Says what the dice would show at the first three decisions."""

    def plan(ticket: str) -> Plan:
        yield " ".join(f"{temper.rng.random():.6f}" for _ in range(3))

    return plan


@pytest.mark.parametrize("name", WORLDS)
def test_every_slip_has_its_flaw_and_every_flaw_its_slip(name: str) -> None:
    flaws, slips = WORLDS[name]
    assert {f.name for f in dataclasses.fields(flaws)} == {"level", *slips}
    assert cast_of(name).flaws is flaws
    assert all(0 < flaws().rate(slip) < 1 for slip in slips)


@pytest.mark.parametrize("name", WORLDS)
def test_level_scales_every_flaw_up_to_certainty(name: str) -> None:
    flaws, slips = WORLDS[name]
    for slip in slips:
        usual = flaws().rate(slip)
        assert flaws(level=0).rate(slip) == 0
        assert flaws(level=0.5).rate(slip) == pytest.approx(usual / 2)
        assert flaws(level=1000).rate(slip) == 1


def test_one_throw_of_the_dice_a_decision_however_rare_the_slip() -> None:
    careful_one, rash = (Careless(Tau2Flaws(level=level), "t|0") for level in (0.0, 1000.0))
    for _ in range(20):
        assert not careful_one.slips("overlook")
        assert rash.slips("give_up")
    dice = random.Random("t|0")
    throws = [dice.random() for _ in range(20)]
    assert careful_one.rng.random() == rash.rng.random() == dice.random()
    again = Careless(Tau2Flaws(overlook=0.5), "t|0")
    assert [again.slips("overlook") for _ in throws] == [throw < 0.5 for throw in throws]


def test_steady_never_slips_and_throws_no_dice() -> None:
    before = Steady.rng.getstate()
    assert not any(Steady().slips(slip) for _, slips in WORLDS.values() for slip in slips)
    assert Steady.rng.getstate() == before


@pytest.mark.parametrize(("level", "name"), [(1.0, "expert"), (0.5, "expert:0.5"), (2, "expert:2")])
def test_the_expert_is_named_by_his_level(level: float, name: str) -> None:
    assert careless(FlawRates(level=level), first_throws).name == name


def test_the_dice_are_those_of_task_and_seed() -> None:
    def said(task_id: str, seed: int) -> Any:
        factory = careless(FlawRates(), first_throws)
        view = VIEW.model_copy(update={"id": task_id})
        return factory.start(view, seed).decide((), ()).text

    assert said("t", 0) == said("t", 0)
    assert len({said("t", 0), said("t", 1), said("u", 0)}) == 3


def test_the_engineer_walks_without_a_slip() -> None:
    asked: list[object] = []

    def walk(temper: Steady) -> Planner:
        asked.append(temper)
        return lambda ticket: iter(())  # type: ignore[return-value]

    factory = careful(walk)
    factory.start(VIEW, 0).decide((), ())
    assert factory.name == "engineer"
    assert [type(temper) for temper in asked] == [Steady]
