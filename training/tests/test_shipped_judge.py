"""The judge that ships: whole, small, admitted as its records say, and right about unseen tasks."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs.groups import groups_of, outcomes_of
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_envs.registry import open_world
from telejudge_judges.embedded import SHIPPED
from telejudge_judges.embedded.judge import EmbeddedJudge
from telejudge_judges.registry import open_judge
from telejudge_judges.settings import JudgeSettings
from telejudge_judges.verifier import Verifier
from telejudge_training.admission import (
    PAYING,
    default_judge,
    read_admission,
    require_admission,
    shipped_admission,
)

WORLDS = ("tau2-telecom", "base-station")
MEGABYTES = 10


@pytest.fixture(scope="module")
def judge() -> EmbeddedJudge:
    return EmbeddedJudge()


def rewards(verdict: GroupVerdict) -> dict[str, float]:
    return {v.trajectory_id: v.reward for v in verdict.verdicts if v.reward is not None}


def test_it_is_whole_and_small(judge):
    size = sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file())
    assert size <= MEGABYTES * 2**20
    assert judge.version in (SHIPPED / "README.md").read_text(encoding="utf-8")
    assert set(judge.parts) == set(WORLDS)


@pytest.mark.parametrize("world", WORLDS)
def test_its_records_are_of_this_very_judge(judge, world):
    record = read_admission(SHIPPED / f"admission-{world}.json")
    assert (record.judge, record.judge_version) == (judge.name, judge.version)


@pytest.mark.parametrize("world", WORLDS)
def test_it_may_pay_in_both_worlds(judge, world):
    settings = JudgeSettings(judge="embedded")
    note = require_admission(open_judge(None, settings), shipped_admission(settings, world))
    assert note["admitted"]
    assert (default_judge(world) == settings) == (world in PAYING)


def test_nobody_escapes_it_by_going_on_where_it_pays_unasked(judge):
    """With a call a message, as the tiny agents make them."""
    for name in PAYING:
        most = max(task.view.max_steps for task in open_world(name).tasks("test"))
        assert judge.parts[name].spec.shape.steps >= most


@pytest.mark.parametrize("world", WORLDS)
def test_it_is_right_about_unseen_tasks(judge, world):
    here = open_world(world)
    tasks = random.Random(1).sample(list(here.tasks("test")), 20)
    rollouts = run(here, tasks, scripted("expert", here), rollouts=4, seed=5)
    truth, verifier = outcomes_of(rollouts), Verifier(open_world)
    right = [
        said.answer == truth[said.trajectory_id].answer
        for group in groups_of(rollouts)
        for said in judge.judge_now(group).verdicts
    ]
    assert sum(right) / len(right) >= 0.85
    # It orders a group as the verifier does, far more often than by chance.
    alike = []
    for group in groups_of(rollouts):
        given = rewards(judge.judge_now(group))
        true = rewards(verifier.judge_now(group))
        alike += [
            (given[a] > given[b]) == (true[a] > true[b])
            for a in true
            for b in true
            if abs(true[a] - true[b]) > 0.05
        ]
    assert sum(alike) / len(alike) >= 0.75
