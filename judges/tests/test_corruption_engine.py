"""The corruption engine: what is kept shows one mistake, where it was made; what is correct is."""

from __future__ import annotations

import functools
from collections import Counter

import pytest

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.errors import UsageError
from telejudge_envs.inspection import inspect
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Rollout, Trajectory
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_judges.corruption.engine import Batch, Job, corrupt, corrupt_all
from telejudge_judges.corruption.records import CONSEQUENCES, DETECTED_AS, Labelled
from telejudge_judges.corruption.script import Slot, as_call
from telejudge_judges.corruption.stages import stage_of
from telejudge_judges.detectors.catalogue import find_defects

BASE_STATION = BaseStation()
TAU2 = Tau2Telecom()
TASKS = [task.id for task in BASE_STATION.tasks("train")]

SAMPLED = (1, 3, 5, 10, 15, 23)
"""Numbers of tasks: single and several faults, hidden ones, visits."""


@functools.cache
def batch(number: int) -> Batch:
    return corrupt(Job("base-station", TASKS[number], number=1))


@functools.cache
def sample() -> tuple[Labelled, ...]:
    return tuple(labelled for n in SAMPLED for labelled in batch(n).kept)


@functools.cache
def tau2_batches() -> tuple[Batch, ...]:
    tasks = TAU2.tasks("base")[::19]
    played = run(TAU2, list(tasks), scripted("engineer", TAU2), rollouts=1)
    jobs = [Job(TAU2.name, r.task.id, rollout=r) for r in played]
    return tuple(map(corrupt, jobs))


def calls(trajectory: Trajectory) -> list[tuple[str, dict[str, object]]]:
    return [(c.name, c.arguments) for m in trajectory.messages for c in m.tool_calls]


# -- the base-station world


def test_all_seventeen_kinds_are_made() -> None:
    assert set(stage_of("base-station").edits) == set(DETECTED_AS)
    assert len(DETECTED_AS) == 17
    made = {labelled.kind for labelled in sample()}
    assert len(made - {None}) >= 15, Counter(labelled.kind for labelled in sample())


def test_what_is_kept_shows_its_kind_and_no_other() -> None:
    for labelled in sample():
        task = BASE_STATION.task(labelled.rollout.task.id, labelled.rollout.task.mode)
        found = find_defects(inspect(BASE_STATION, task, labelled.rollout.trajectory))
        kinds = {d.kind for d in found} - CONSEQUENCES
        assert found == labelled.defects
        if labelled.kind is None:
            assert not found, (labelled.edit, found)
            assert labelled.step is None
        else:
            assert kinds == {DETECTED_AS[labelled.kind]}, (labelled.edit, found)
            assert (labelled.step, labelled.severity) in {(d.step, d.severity) for d in found}


def test_outputs_of_a_corrupted_trajectory_are_what_the_world_says() -> None:
    for labelled in sample()[::5]:
        trajectory = labelled.rollout.trajectory
        task = BASE_STATION.task(trajectory.task_id, trajectory.mode)
        again = BASE_STATION.replay(task, trajectory)
        assert again.ledger == trajectory.changes
        assert again.outcome() == labelled.rollout.outcome


def test_a_corruption_differs_from_its_base_in_few_calls() -> None:
    bases = {x.base_id: x for x in sample() if x.edit == "base"}
    for labelled in sample():
        if labelled.kind in ("redundant", "injection", "hallucinated_id", "false_claim"):
            base = calls(bases[labelled.base_id].rollout.trajectory)
            other = calls(labelled.rollout.trajectory)
            assert abs(len(base) - len(other)) <= 2
            assert other != base or labelled.edit == "plea_beside"


def test_cited_readings_follow_the_new_numbers() -> None:
    for labelled in sample():
        made = calls(labelled.rollout.trajectory)
        if labelled.kind == "redundant":
            cited = [i for c in made[-1][1]["root_causes"] for i in c["evidence"]]  # type: ignore[union-attr,index]
            assert cited
            assert all(int(name[1:]) <= len(made) for name in cited)


def test_a_skipped_diagnosis_passes_all_the_same() -> None:
    lucky = [x for x in sample() if x.kind == "skipped_diagnosis"]
    assert lucky
    assert all(x.rollout.outcome is not None and x.rollout.outcome.answer == 1 for x in lucky)


def test_bad_instructions_are_words_to_the_technician() -> None:
    told = [x for x in sample() if x.kind == "bad_instruction"]
    assert told
    for labelled in told:
        assert labelled.step is not None
        trajectory = labelled.rollout.trajectory
        made = [c for m in trajectory.messages for c in m.tool_calls][labelled.step]
        assert trajectory.mode == "dual"
        assert made.owner == "user"


def test_the_same_job_gives_the_same_bytes_in_another_process() -> None:
    job = Job("base-station", TASKS[8], number=1, kinds=("redundant", "false_claim", "injection"))
    here = [x.model_dump_json() for x in corrupt(job).kept]
    (there,) = corrupt_all([job], processes=2)
    assert [x.model_dump_json() for x in there.kept] == here
    other = Job("base-station", TASKS[8], number=1, seed=5, kinds=job.kinds)
    assert [x.model_dump_json() for x in corrupt(other).kept] != here


def test_every_attempt_is_counted() -> None:
    for number in SAMPLED:
        one = batch(number)
        kept = Counter(x.kind or "correct" for x in one.kept)
        assert all(kept[kind] <= tried for kind, tried in one.attempted.items())
        assert one.attempted.total() == kept.total() + sum(one.rejected.values())


def test_a_base_with_a_defect_is_not_edited() -> None:
    task = BASE_STATION.task(TASKS[0])
    episode = BASE_STATION.open(task)
    report = Slot("submit_resolution_report", {"root_causes": [], "restored": True})
    episode.step(Message(role="assistant", tool_calls=(as_call(report, 1, {}),)))
    record = Trajectory(
        id="quitter",
        task_id=task.id,
        world=BASE_STATION.name,
        agent="quitter",
        mode="solo",
        messages=episode.observation,
        stop="agent_stop",
    )
    job = Job("base-station", task.id, rollout=Rollout(task=task.view, trajectory=record))
    assert corrupt(job).kept == []


def test_an_unknown_world_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="base-station, tau2-telecom"):
        stage_of("moon")


# -- tau2


def test_tau2_gets_the_kinds_that_apply() -> None:
    made = Counter(x.kind for b in tau2_batches() for x in b.kept)
    wanted = {"redundant", "hallucinated_id", "ignored_error", "unsafe", "missing_verification",
              "skipped_diagnosis", "injection", "wrong_escalation", "wandering"}  # fmt: skip
    assert wanted <= made.keys(), made


def test_tau2_corruptions_show_where_they_were_made() -> None:
    names = stage_of("tau2-telecom").detected_as
    for labelled in (x for b in tau2_batches() for x in b.kept):
        if labelled.kind is None:
            assert not labelled.defects
        else:
            assert names[labelled.kind] in {d.kind for d in labelled.defects}
            assert labelled.severity is not None


def test_harm_to_a_bystander_is_labelled_as_a_safety_matter() -> None:
    harmed = [x for b in tau2_batches() for x in b.kept if x.kind == "unsafe"]
    assert harmed
    assert {x.severity for x in harmed} == {"safety"}


def test_tau2_needs_rollouts_to_start_from() -> None:
    with pytest.raises(UsageError, match="give the engine correct rollouts"):
        corrupt(Job("tau2-telecom", TAU2.tasks("base")[0].id))
