"""Groups with known truths, from the four kinds of files that hold some.

In: a file. Out: exams, the same for the same file and seed.

    exams = from_rollouts(Path("rollouts.jsonl"), seed=0)        # recorded outcomes, any world
    exams = from_corruptions(Path("corruptions.jsonl"), seed=0)  # `telejudge data corruptions`
    exams = from_trajectories(Path("groups.jsonl"), seed=0)      # `telejudge data trajectories`
    exams = from_teleqna(Path("TeleQnA.zip"), seed=0)            # its test fifth
    exams = from_rollouts(path, groups=50, size=4)[:50]

| source | answer | reward that orders | defects |
|---|---|---|---|
| rollouts | the recorded outcome | the verifier's | the verifier's |
| corruptions | the outcome when played | fused from answer, defects | those it was kept for |
| trajectories | the outcome when played | the same | those it has |
| TeleQnA | the key | fused from the answer | none: there are no calls |
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from telejudge_envs import store
from telejudge_envs.groups import groups_of, outcomes_of
from telejudge_envs.nouns.trajectory import Group, Outcome, Rollout
from telejudge_envs.nouns.verdict import Verdict
from telejudge_envs.registry import open_world
from telejudge_eval.judge_eval.records import Exam, Truth
from telejudge_judges.corruption.records import Labelled
from telejudge_judges.detectors.catalogue import tools_score
from telejudge_judges.fuse import fuse
from telejudge_judges.opaque import digest
from telejudge_judges.verifier import Verifier

T = TypeVar("T")

LARGEST = 8
"""Candidates of a group at most; larger groups of rollouts are cut into several."""

TELEQNA = "teleqna"


def from_rollouts(
    path: Path, *, seed: int = 0, groups: int | None = None, size: int = LARGEST
) -> list[Exam]:
    """Groups by task and mode. Rollouts of unknown outcome, and those that failed by somebody
    else's fault, stay in their groups without a truth."""
    rollouts = list(store.read(path, Rollout))
    outcomes = outcomes_of(rollouts)
    cut = [part for group in groups_of(rollouts) for part in _cut(group, size, seed)]
    verifier = Verifier(open_world)
    exams = []
    for group in _drawn(cut, groups, seed):
        verdict = verifier.judge_now(group)
        by_id = {v.trajectory_id: v for v in verdict.verdicts}
        known = ((t.id, outcomes[t.id]) for t in group.trajectories if t.id in outcomes)
        truths = {i: _played(outcome, by_id[i]) for i, outcome in known if not outcome.faults}
        if truths:
            exams.append(Exam(source=group.task.world, group=group, truths=truths))
    return exams


def from_corruptions(
    path: Path, *, seed: int = 0, groups: int | None = None, size: int = LARGEST
) -> list[Exam]:
    """Groups of trajectories of one task, correct and corrupted as chance will have it, so that
    the number of right ones varies; every trajectory is in one group at most."""
    labelled: dict[str, Labelled] = {
        one.rollout.trajectory.id: one for one in store.read(path, Labelled)
    }
    cut = [
        part
        for group in groups_of(one.rollout for one in labelled.values())
        for part in _cut(group, size, seed)
        if len(part.trajectories) > 1
    ]
    return [
        Exam(
            source=f"{group.task.world} corruptions",
            group=group,
            truths={t.id: _corrupted(labelled[t.id]) for t in group.trajectories},
        )
        for group in _drawn(cut, groups, seed)
    ]


def from_trajectories(
    path: Path, *, seed: int = 0, groups: int | None = None, size: int = LARGEST
) -> list[Exam]:
    """The groups of the test split as they were dealt, those of at most `size` candidates. What is
    held out of all training is a source of its own: faults and kinds of corruption."""
    from telejudge_training.judge_data.files import read_rows
    from telejudge_training.judge_data.rows import GroupRow

    rows = {row.group.id: row for row in read_rows(path, GroupRow) if row.split == "test"}
    fit = [row.group for row in rows.values() if len(row.group.trajectories) <= size]
    exams = []
    for group in _drawn(fit, groups, seed):
        row = rows[group.id]
        held_out = sorted({what.partition(":")[0] for what in row.reserved})
        source = " ".join((group.task.world, "groups", *(f"(unseen {x})" for x in held_out)))
        truths = {
            name: Truth(
                outcome=Outcome(answer=true.answer, world_reward=true.answer),
                reward=true.reward,
                defects=true.defects,
                kinds=None
                if true.defects is None
                else tuple(sorted({defect.kind for defect in true.defects})),
            )
            for name, true in row.truths.items()
        }
        exams.append(Exam(source=source, group=group, truths=truths, form=row.form))
    return exams


def from_teleqna(
    path: Path, *, seed: int = 0, groups: int | None = None, size: int = LARGEST
) -> list[Exam]:
    """Groups of answers to the questions of the test part; `size` is theirs, at most 5."""
    from telejudge_envs.teleqna import read_teleqna
    from telejudge_envs.teleqna_groups import answer_group

    questions = [q for q in read_teleqna(path) if q.part == "test"]
    made = [answer_group(q, seed) for q in questions]
    fit = [one for one in made if len(one.group.trajectories) <= size]
    chosen = {group.id for group in _drawn([one.group for one in fit], groups, seed)}
    return [
        Exam(
            source=TELEQNA,
            group=one.group,
            form=one.form,
            truths={
                name: Truth(
                    outcome=Outcome(answer=right, world_reward=right), reward=fuse(right, 1.0)
                )
                for name, right in one.right.items()
            },
        )
        for one in fit
        if one.group.id in chosen
    ]


def _played(outcome: Outcome, verdict: Verdict) -> Truth:
    if verdict.abstained is not None:
        return Truth(outcome=outcome)
    kinds = tuple(sorted({defect.kind for defect in verdict.defects}))
    return Truth(outcome=outcome, reward=verdict.reward, defects=verdict.defects, kinds=kinds)


def _corrupted(one: Labelled) -> Truth:
    outcome = one.rollout.outcome
    assert outcome is not None, "the corruption engine plays what it writes"
    return Truth(
        outcome=outcome,
        reward=fuse(outcome.answer, tools_score(one.defects), one.defects),
        defects=one.defects,
        kinds=() if one.kind is None else (one.kind,),
    )


def _cut(group: Group, size: int, seed: int) -> Iterator[Group]:
    """A group of at most `size` as it is; a larger one shuffled and dealt into equal parts."""
    count = -(-len(group.trajectories) // size)
    if count == 1:
        yield group
        return
    dealt = _shuffled(group.trajectories, f"{seed}|{group.id}")
    for start in range(count):
        part = tuple(dealt[start::count])
        yield group.model_copy(
            update={"id": "g" + digest(*(t.id for t in part))[:12], "trajectories": part}
        )


def _drawn(groups: Iterable[Group], count: int | None, seed: int) -> list[Group]:
    """`count` of them, one task after another so that tasks are as many as possible, in the order
    in which they came."""
    kept = list(groups)
    if count is None or count >= len(kept):
        return kept
    by_task: dict[str, list[int]] = defaultdict(list)
    for i in _shuffled(range(len(kept)), str(seed)):
        by_task[kept[i].task.id].append(i)
    rounds = sorted((nth, i) for own in by_task.values() for nth, i in enumerate(own))
    # Within a round any task is as good as another: the shuffle decides, not the file's order.
    place = {i: n for n, i in enumerate(_shuffled(range(len(kept)), f"{seed}|draw"))}
    chosen = sorted(rounds, key=lambda pair: (pair[0], place[pair[1]]))[:count]
    return [kept[i] for i in sorted(i for _, i in chosen)]


def _shuffled(items: Sequence[T], key: str) -> list[T]:
    return random.Random(key).sample(items, len(items))
