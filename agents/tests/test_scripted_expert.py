"""The imperfect expert: seeded, scaled by its level, wrong about as often as it should be."""

from __future__ import annotations

import dataclasses
import functools
from typing import get_args

import pytest

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_agents.scripted.engineer import Slip, engineer
from telejudge_agents.scripted.expert import Flaws, expert
from telejudge_envs.nouns.task import Task
from telejudge_envs.tau2_telecom.episode import Tau2Episode
from telejudge_envs.tau2_telecom.world import Tau2Telecom


@functools.cache
def world() -> Tau2Telecom:
    return Tau2Telecom()


def play(factory: ScriptedFactory, task: Task, seed: int = 0) -> Tau2Episode:
    episode = world().open(task, seed)
    agent = factory.start(task.view, seed)
    while episode.stop is None:
        episode.step(agent.decide(episode.observation, episode.tools))
    return episode


def success(factory: ScriptedFactory, seeds: int) -> float:
    tasks = world().tasks("test")
    answers = [play(factory, t, s).outcome().answer for t in tasks for s in range(seeds)]
    return sum(answers) / len(answers)


def only(*slips: Slip) -> ScriptedFactory:
    """An expert that always slips in these ways and in no other."""
    return expert(Flaws(**{name: float(name in slips) for name in get_args(Slip)}))


def names(episode: Tau2Episode) -> list[str]:
    return [call.name for m in episode.observation for call in m.tool_calls]


def test_every_slip_has_a_rate() -> None:
    assert {f.name for f in dataclasses.fields(Flaws)} == {"level", *get_args(Slip)}


def test_solves_about_two_fifths_of_the_test_tasks() -> None:
    assert 0.35 <= success(expert(), seeds=10) <= 0.47


def test_level_scales_from_the_engineer_to_hopeless() -> None:
    assert success(expert(Flaws(level=0)), seeds=1) == 1.0
    rates = [success(expert(Flaws(level=level)), seeds=3) for level in (0.3, 1, 3)]
    assert rates[0] > rates[1] > rates[2]


def test_level_zero_is_the_engineer() -> None:
    for task in world().tasks("test")[::7]:
        careful = play(engineer(), task)
        assert play(expert(Flaws(level=0)), task).observation == careful.observation


def test_a_seed_gives_one_episode_and_seeds_differ() -> None:
    task = world().tasks("test")[0]
    again = [play(expert(), task, seed=5).observation for _ in range(2)]
    assert again[0] == again[1]
    different = {str(play(expert(), task, seed).observation) for seed in range(8)}
    assert len(different) >= 5


@pytest.mark.parametrize("slip", get_args(Slip))
def test_each_slip_shows(slip: Slip) -> None:
    """With the slip always on, some task is played in another way than without it."""
    tasks = [*world().tasks("test")[::4], *world().tasks("small")[::4]]
    before: tuple[Slip, ...] = ("skip_fix",) if slip == "give_up" else ()
    one, other = only(*before), only(*before, slip)
    assert any(names(play(one, t)) != names(play(other, t)) for t in tasks)


@pytest.mark.parametrize(
    ("slip", "mark"),
    [("needless_transfer", "transfer_to_human_agents"), ("stop_early", "done")],
)
def test_slips_are_what_they_are_called(slip: Slip, mark: str) -> None:
    task = next(t for t in world().tasks("test") if t.id.startswith("[mms"))
    episode = play(only(slip), task)
    assert names(episode)[2] == mark
    assert episode.outcome().answer == 0


def test_a_failed_call_fails() -> None:
    task = world().tasks("test")[0]
    assert any(m.error for m in play(only("failed_call"), task).observation)
