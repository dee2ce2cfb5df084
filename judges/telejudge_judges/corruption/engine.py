"""The corruption engine: correct trajectories in, labelled ones out.

In: jobs, that is correct trajectories or the tasks on which the world's own gold makes them. Out:
for each, what was kept, and how often each kind was attempted.

    for batch in corrupt_all(jobs, processes=2):
        batch.kept, batch.attempted

An edit is kept only if, played again, the detectors find its kind where it was put and no other
kind: so every pair of base and corrupted trajectory differs in one defect.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field

from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.nouns.verdict import Defect
from telejudge_envs.workers import pool
from telejudge_judges.corruption.play import Played, play
from telejudge_judges.corruption.records import CONSEQUENCES, Labelled
from telejudge_judges.corruption.script import Case, Edit, Edited
from telejudge_judges.corruption.stages import Stage, stage_of
from telejudge_judges.detectors.catalogue import GRAVITY, SUPERSEDED, find_defects

CHUNK = 4
WAVE = 32
CORRECT = "correct"
"""Under this name alternatives and bases are counted."""


@dataclass(frozen=True)
class Job:
    """One base. `rollout`: a correct trajectory; None: the world's gold makes one, the `number`-th
    for its task. `rounds`: how often each kind is attempted."""

    world: str
    task_id: str
    number: int = 0
    seed: int = 0
    rollout: Rollout | None = None
    kinds: tuple[str, ...] | None = None
    rounds: int = 1

    @property
    def base_id(self) -> str:
        return f"{self.task_id}|{self.number}"


@dataclass
class Batch:
    """What came of one job: the kept ones, and counts by kind."""

    kept: list[Labelled] = field(default_factory=list)
    attempted: Counter[str] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(edit, why it was not kept)."""


def corrupt_all(jobs: Iterable[Job], processes: int = 2) -> Generator[Batch, None, None]:
    """Batches in the order of the jobs, spread over processes. Jobs are drawn in waves, so that
    they may go on for ever as long as the caller stops."""
    if processes <= 1:
        yield from map(corrupt, jobs)
        return
    drawn = iter(jobs)
    with pool(processes) as helpers:
        while wave := list(itertools.islice(drawn, WAVE * processes)):
            yield from helpers.imap(corrupt, wave, CHUNK)


def corrupt(job: Job) -> Batch:
    """All kinds of corruption of one base; the same for the same job, whatever ran before."""
    batch = Batch()
    maker = _Maker(_stage(job.world), job, batch)
    maker.work()
    return batch


_STAGES: dict[str, Stage] = {}


def _stage(world: str) -> Stage:
    """One for each process: worlds load their tasks once."""
    if world not in _STAGES:
        _STAGES[world] = stage_of(world)
    return _STAGES[world]


class _Maker:
    def __init__(self, stage: Stage, job: Job, batch: Batch) -> None:
        self.stage, self.job, self.batch = stage, job, batch

    def work(self) -> None:
        solo = self._base("solo")
        if solo is None:
            return
        wanted = self.job.kinds or tuple(self.stage.edits)
        for kind, edits in self.stage.edits.items():
            if kind not in wanted:
                continue
            case = solo
            if kind in self.stage.dual_kinds:
                case = self._in_dual(solo)
            if case is not None:
                self._kind(kind, edits, case)
        self._correct(solo)

    def _base(self, mode: Mode) -> Case | None:
        """The base, when it is solved and clean."""
        job = self.job
        if job.rollout is not None:
            mode = job.rollout.task.mode
        task = self.stage.task(job.task_id, mode)
        given = job.rollout.trajectory if job.rollout is not None else None
        trajectory = given or self.stage.gold(task, job.number)
        inspection = self.stage.inspect(task, trajectory)
        self.batch.attempted[CORRECT] += 1
        defects = find_defects(inspection)
        if inspection.outcome.answer == 0 or defects:
            why = "not solved" if inspection.outcome.answer == 0 else defects[0].kind
            self.batch.rejected["base", why] += 1
            return None
        rollout = Rollout(task=task.view, trajectory=trajectory, outcome=inspection.outcome)
        self.batch.kept.append(
            Labelled(rollout=rollout, kind=None, edit="base", base_id=job.base_id)
        )
        return self.stage.case(task, inspection)

    def _in_dual(self, solo: Case) -> Case | None:
        """The same script with a user who is told what to do; None when that is not clean."""
        task = self.stage.task(self.job.task_id, "dual")
        edited = Edited(solo.script, None, "dual")
        played = play(self.stage, task, edited, solo.inspection, f"{self.job.base_id}|dual", 0)
        self.batch.attempted[CORRECT] += 1
        inspection = self.stage.inspect(task, played.trajectory)
        defects = find_defects(inspection)
        if inspection.outcome.answer == 0 or defects:
            why = defects[0].kind if defects else "not solved"
            self.batch.rejected["dual", why] += 1
            return None
        self._keep(task, played, edited, None, ())
        return self.stage.case(task, inspection)

    def _kind(self, kind: str, edits: Sequence[Edit], case: Case) -> None:
        dice = random.Random(f"{self.job.seed}|{self.job.base_id}|{kind}")
        for number in range(self.job.rounds):
            order = list(edits)
            dice.shuffle(order)
            edited = next((e for edit in order if (e := edit(case, dice)) is not None), None)
            if edited is None:
                return
            self._attempt(kind, case, edited, number)

    def _attempt(self, kind: str, case: Case, edited: Edited, number: int) -> None:
        task = self._task_of(case)
        name = f"{self.job.base_id}|{kind}|{number}"
        self.batch.attempted[kind] += 1
        played = play(
            self.stage, task, edited, case.inspection, name, case.inspection.trajectory.seed
        )
        if _blames_others(played):
            self.batch.rejected[edited.name, "not the agent's fault"] += 1
            return
        inspection = self.stage.inspect(task, played.trajectory)
        defects = find_defects(inspection)
        wanted = self.stage.detected_as[kind]
        why = reason_to_reject(kind, wanted, edited, played, defects)
        if why is not None:
            self.batch.rejected[edited.name, why] += 1
        else:
            self._keep(task, played, edited, kind, defects)

    def _correct(self, case: Case) -> None:
        """Alternatives: nothing at all may be found in them."""
        task = self._task_of(case)
        for edit in self.stage.alternatives:
            dice = random.Random(f"{self.job.seed}|{self.job.base_id}|{edit.__name__}")
            edited = edit(case, dice)
            if edited is None:
                continue
            self.batch.attempted[CORRECT] += 1
            name = f"{self.job.base_id}|{edited.name}"
            played = play(self.stage, task, edited, case.inspection, name, 0)
            defects = find_defects(self.stage.inspect(task, played.trajectory))
            if played.outcome.answer == 1 and not defects:
                self._keep(task, played, edited, None, ())
            else:
                why = defects[0].kind if defects else "not solved"
                self.batch.rejected[edited.name, why] += 1

    def _task_of(self, case: Case) -> Task:
        return self.stage.task(self.job.task_id, case.inspection.task.mode)

    def _keep(
        self,
        task: Task,
        played: Played,
        edited: Edited,
        kind: str | None,
        defects: Sequence[Defect],
    ) -> None:
        own = [d for d in defects if kind is not None and d.kind == self.stage.detected_as[kind]]
        gravest = max(own, key=lambda d: GRAVITY.index(d.severity), default=None)
        self.batch.kept.append(
            Labelled(
                rollout=Rollout(
                    task=task.view, trajectory=played.trajectory, outcome=played.outcome
                ),
                kind=kind,
                step=own[0].step if own else None,
                severity=gravest.severity if gravest else None,
                edit=edited.name,
                base_id=self.job.base_id,
                defects=tuple(defects),
            )
        )


def reason_to_reject(
    kind: str, wanted: str, edited: Edited, played: Played, defects: Sequence[Defect]
) -> str | None:
    """None when the corruption shows as a defect of the kind `wanted`, where it was made, and
    nothing else shows."""
    here = None if edited.at is None else {played.steps[i] for i in edited.at}
    if not any(d.kind == wanted and (here is None or d.step in here) for d in defects):
        others = sorted({d.kind for d in defects} - CONSEQUENCES)
        return f"does not show; shows {', '.join(others) or 'nothing'}"
    steps = {d.step for d in defects if d.kind == wanted}
    implied = SUPERSEDED.get(wanted, frozenset())
    apart = [d for d in defects if not (d.kind in implied and d.step in steps)]
    if others := sorted({d.kind for d in apart} - CONSEQUENCES - {wanted}):
        return f"also shows {', '.join(others)}"
    if kind == "skipped_diagnosis" and played.outcome.answer == 0:
        return "the outcome did not pass"
    return None


def _blames_others(played: Played) -> bool:
    failure = played.trajectory.failure
    return failure is not None and failure.owner != "agent"
