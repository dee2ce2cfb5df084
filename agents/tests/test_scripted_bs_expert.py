"""The imperfect expert of the base stations: right more often than not, wrong as engineers are."""

from __future__ import annotations

import dataclasses
import functools

import pytest

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_agents.scripted.base_station.cast import CAST
from telejudge_agents.scripted.base_station.engineer import engineer
from telejudge_agents.scripted.base_station.expert import Flaws, expert
from telejudge_envs.base_station.episode import BaseStationEpisode
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.nouns.message import ToolCall
from telejudge_envs.nouns.task import Task

WORLD = BaseStation()
NONE = {field.name: 0.0 for field in dataclasses.fields(Flaws)} | {"level": 1.0}
TOGETHER = {"forget_lock": {}, "keep_wrong_cause": {"misdiagnose": 1.0}}
"""Flaws that only show beside another one."""


def play(task: Task, agent: ScriptedFactory, seed: int = 0) -> BaseStationEpisode:
    episode = WORLD.open(task)
    worker = agent.start(task.view, seed)
    while episode.stop is None:
        episode.step(worker.decide(episode.observation, episode.tools))
    return episode


def calls(episode: BaseStationEpisode) -> list[ToolCall]:
    return [call for message in episode.observation for call in message.tool_calls]


@functools.cache
def tasks(level: int) -> list[Task]:
    return [t for t in WORLD.tasks("train") if t.view.level == level]


@functools.cache
def careful() -> dict[str, list[ToolCall]]:
    return {t.id: calls(play(t, engineer())) for t in many()}


def many() -> list[Task]:
    return [*tasks(1)[:60], *tasks(5)[:60], *tasks(4)[:40]]


def test_solves_about_half_of_the_easy_tasks() -> None:
    easy = [*tasks(1)[:150], *tasks(2)[:150]]
    solved = sum(play(t, expert()).outcome().answer for t in easy)
    assert 0.45 <= solved / len(easy) <= 0.62


def test_without_flaws_it_is_the_engineer() -> None:
    for task in many()[::8]:
        assert calls(play(task, expert(Flaws(level=0)))) == careful()[task.id]


def test_less_careless_solves_more() -> None:
    some = [*tasks(2)[:60], *tasks(3)[:60]]
    shares = [
        sum(play(t, expert(Flaws(level=level))).outcome().answer for t in some)
        for level in (2.0, 1.0, 0.3)
    ]
    assert shares[0] < shares[1] < shares[2]


def test_the_same_seed_makes_the_same_mistakes() -> None:
    task = tasks(4)[3]
    made = [calls(play(task, expert(), seed)) for seed in (1, 1, 2, 3, 4)]
    assert made[0] == made[1]
    assert any(other != made[0] for other in made[2:])


@pytest.mark.parametrize("flaw", [name for name in NONE if name != "level"])
def test_every_flaw_shows(flaw: str) -> None:
    """Alone and always there, a flaw changes what is done in some episode, and ends none badly."""
    chosen = Flaws(**{**NONE, **TOGETHER.get(flaw, {}), flaw: 1.0})
    other = Flaws(**{**NONE, **TOGETHER.get(flaw, {})}) if flaw in TOGETHER else None
    for task in many():
        usual = careful()[task.id] if other is None else calls(play(task, expert(other)))
        if calls(play(task, expert(chosen))) != usual:
            return
    pytest.fail(f"{flaw} changes nothing")


def test_the_command_line_knows_it() -> None:
    assert CAST.make("expert:0.5", WORLD).name == "expert:0.5"
    assert CAST.make("engineer", WORLD).name == "engineer"
    assert CAST.imperfect(misdiagnose=0.5).name == "expert"
