"""Let a judge judge groups of known truth, once and with changes, and lay both side by side.

    judged = await examine(judge, exams, lambda plain: padding(exams, 20, seed=0), folder)
    measures([one.result for one in judged])["all"]["accuracy"].value

Everything that the judge says is in the folder as soon as it is there, so that an examination that
was interrupted goes on where it was: `verdicts.jsonl`, `again.jsonl` (the changed groups).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_envs.store import Store
from telejudge_eval.judge_eval.marks import marked, probed
from telejudge_eval.judge_eval.padding import padded
from telejudge_eval.judge_eval.records import Exam, GroupResult, Probe
from telejudge_judges.asking import ask
from telejudge_judges.protocol import Judge

VERDICTS, AGAIN, RESULT, JUDGED = "verdicts.jsonl", "again.jsonl", "result.json", "judged.jsonl"

PADDING = "padding"

OnJudged = Callable[[], None]


@dataclass(frozen=True)
class Change:
    """A group to be judged again with something changed. `touched`: ids of the changed candidates
    in the plain group, by their ids in the changed one."""

    name: str
    family: str
    number: int
    """Of the exam whose group it is."""
    group: Group
    touched: dict[str, str]
    place: str = ""


class Judgements:
    """The verdicts of one judge in one file; a group judged before is not judged again."""

    def __init__(self, judge: Judge, path: Path) -> None:
        self._judge = judge
        self._store = Store(path, GroupVerdict)
        self._known = {
            verdict.group_id: verdict
            for verdict in self._store.read()
            if (verdict.judge, verdict.judge_version) == (judge.name, judge.version)
        }

    async def on(self, group: Group) -> GroupVerdict:
        if group.id not in self._known:
            self._known[group.id] = await ask(self._judge, group)
            self._store.append(self._known[group.id])
        return self._known[group.id]

    def __enter__(self) -> Judgements:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._store.close()


@dataclass(frozen=True)
class Judged:
    """What came of an exam, with the verdict itself, which holds words."""

    exam: Exam
    verdict: GroupVerdict
    result: GroupResult


def padding(exams: Sequence[Exam], groups: int, seed: int) -> list[Change]:
    """The first `groups` of every source with padded candidates."""
    seen: dict[str, int] = {}
    changes = []
    for number, exam in enumerate(exams):
        seen[exam.source] = seen.get(exam.source, 0) + 1
        if seen[exam.source] <= groups:
            group, touched = padded(exam.group, seed)
            changes.append(Change(PADDING, PADDING, number, group, touched))
    return changes


async def examine(
    judge: Judge,
    exams: Sequence[Exam],
    changes: Callable[[Sequence[Judged]], Sequence[Change]],
    folder: Path,
    *,
    concurrency: int = 8,
    on_judged: OnJudged = lambda: None,
    on_planned: Callable[[int], None] = lambda more: None,
) -> list[Judged]:
    """Judge all exams, then the changed groups; results in the order of the exams.

    `changes` says what to judge again when the plain verdicts are there. `on_judged` is called
    after each group, `on_planned` with the number of changed groups.
    """
    free = asyncio.Semaphore(concurrency)

    async def one(judgements: Judgements, group: Group) -> GroupVerdict:
        async with free:
            verdict = await judgements.on(group)
        on_judged()
        return verdict

    with Judgements(judge, folder / VERDICTS) as judgements:
        verdicts = await asyncio.gather(*(one(judgements, exam.group) for exam in exams))
    plain = [
        Judged(exam, verdict, marked(exam, verdict))
        for exam, verdict in zip(exams, verdicts, strict=True)
    ]
    planned = changes(plain)
    on_planned(len(planned))
    with Judgements(judge, folder / AGAIN) as judgements:
        again = await asyncio.gather(*(one(judgements, change.group) for change in planned))
    probes: dict[int, list[Probe]] = {}
    for change, verdict in zip(planned, again, strict=True):
        result = plain[change.number].result
        found = (
            probe.model_copy(update={"place": change.place})
            for probe in probed(change.name, change.family, result, verdict, change.touched)
        )
        probes.setdefault(change.number, []).extend(found)
    return [_with(judged, probes.get(i, [])) for i, judged in enumerate(plain)]


def judged_group(judged: Judged) -> JudgedGroup:
    """For the report: the group with verdict, outcomes and true defects."""
    truths = judged.exam.truths
    return JudgedGroup(
        phase=judged.exam.source,
        group=judged.exam.group,
        verdict=judged.verdict,
        outcomes={name: truth.outcome for name, truth in truths.items()},
        true_defects={
            name: truth.defects for name, truth in truths.items() if truth.defects is not None
        },
    )


def _with(judged: Judged, probes: Sequence[Probe]) -> Judged:
    padded_ones = tuple(p for p in probes if p.name == PADDING)
    attacked = tuple(p for p in probes if p.name != PADDING)
    result = judged.result.model_copy(update={"padded": padded_ones, "attacked": attacked})
    return Judged(judged.exam, judged.verdict, result)
