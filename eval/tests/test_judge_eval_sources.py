"""Groups with known truths: what is known, what stays unknown, and samples of them."""

from __future__ import annotations

from collections import Counter

import pytest

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs import store
from telejudge_envs.nouns.trajectory import Failure
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_eval.judge_eval.sources import from_corruptions, from_rollouts
from telejudge_judges.corruption.engine import Job, corrupt
from telejudge_judges.detectors.catalogue import tools_score
from telejudge_judges.fuse import fuse

WORLD = Tau2Telecom()


@pytest.fixture(scope="module")
def rollouts():
    tasks = WORLD.tasks("small")[:6]
    played = list(run(WORLD, tasks, scripted("expert", WORLD), rollouts=5, seed=3))
    return played


@pytest.fixture(scope="module")
def labelled():
    engineer = list(run(WORLD, WORLD.tasks("small")[:4], scripted("engineer", WORLD), rollouts=1))
    return [
        one
        for rollout in engineer
        for one in corrupt(Job(WORLD.name, rollout.task.id, rollout=rollout)).kept
    ]


@pytest.fixture
def rollout_file(rollouts, tmp_path):
    store.write(tmp_path / "r.jsonl", rollouts)
    return tmp_path / "r.jsonl"


@pytest.fixture
def corruption_file(labelled, tmp_path):
    store.write(tmp_path / "c.jsonl", labelled)
    return tmp_path / "c.jsonl"


def test_rollouts_keep_their_recorded_outcome(rollouts, rollout_file):
    exams = from_rollouts(rollout_file)
    truths = {name: truth for exam in exams for name, truth in exam.truths.items()}
    assert len(exams) == 6
    assert {e.source for e in exams} == {WORLD.name}
    assert {r.trajectory.id: r.outcome.answer for r in rollouts} == {
        name: truth.answer for name, truth in truths.items()
    }
    for truth in truths.values():
        assert truth.defects is not None
        assert truth.reward == fuse(truth.answer, tools_score(truth.defects), truth.defects)
        assert set(truth.kinds or ()) == {d.kind for d in truth.defects}
    assert len({truth.answer for truth in truths.values()}) == 2


def test_whose_failure_was_somebody_elses_has_no_truth(rollouts, tmp_path):
    fault = Failure(owner="endpoint", cause="timeout")
    spoilt = rollouts[0].model_copy(
        update={"outcome": rollouts[0].outcome.model_copy(update={"faults": (fault,)})}
    )
    unknown = rollouts[1].model_copy(update={"outcome": None})
    store.write(tmp_path / "r.jsonl", [spoilt, unknown, *rollouts[2:5]])
    (exam,) = from_rollouts(tmp_path / "r.jsonl")
    assert len(exam.group.trajectories) == 5
    assert set(exam.truths) == {r.trajectory.id for r in rollouts[2:5]}


def test_a_large_group_is_dealt_into_equal_ones(rollout_file):
    exams = from_rollouts(rollout_file, size=3)
    sizes = Counter(len(e.group.trajectories) for e in exams)
    assert sizes == {3: 6, 2: 6}
    whole = {t.id for e in from_rollouts(rollout_file) for t in e.group.trajectories}
    dealt = [t.id for e in exams for t in e.group.trajectories]
    assert len(dealt) == len(whole)
    assert set(dealt) == whole
    assert len({e.group.id for e in exams}) == 12


def test_a_sample_takes_every_task_once_before_any_twice(rollout_file):
    for seed in range(3):
        drawn = from_rollouts(rollout_file, size=3, groups=6, seed=seed)
        assert len({e.group.task.id for e in drawn}) == len(drawn) == 6
        again = from_rollouts(rollout_file, size=3, groups=6, seed=seed)
        assert [e.group.id for e in again] == [e.group.id for e in drawn]


def test_corruptions_know_their_kind_and_step(labelled, corruption_file):
    exams = from_corruptions(corruption_file)
    by_id = {one.rollout.trajectory.id: one for one in labelled}
    seen = [name for exam in exams for name in exam.truths]
    assert len(seen) == len(set(seen)) > 20
    for exam in exams:
        assert exam.source == f"{WORLD.name} corruptions"
        assert 2 <= len(exam.group.trajectories) <= 8
        assert {t.task_id for t in exam.group.trajectories} == {exam.group.task.id}
        for name, truth in exam.truths.items():
            one = by_id[name]
            assert truth.kinds == (() if one.kind is None else (one.kind,))
            assert truth.defects == one.defects
            assert one.step is None or one.step in {d.step for d in truth.defects or ()}


def test_the_judge_gets_no_truth(labelled, corruption_file):
    """Neither the kind nor the edit is written anywhere in a group but in the ids."""
    for exam in from_corruptions(corruption_file):
        shown = exam.group.model_dump_json(exclude={"trajectories": {"__all__": {"id"}}})
        assert '"kind"' not in shown
        assert '"edit"' not in shown
        assert '"outcome"' not in shown
