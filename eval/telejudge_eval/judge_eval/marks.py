"""Verdicts laid beside truths, by id.

result = marked(exam, verdict)
result.marks[0].truth, result.marks[0].answer
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from telejudge_envs.nouns.verdict import Defect, GroupVerdict, Verdict
from telejudge_eval.judge_eval.records import Exam, GroupResult, Mark, Probe, Spot, Truth

NO_VERDICT = "no verdict"


def marked(exam: Exam, verdict: GroupVerdict) -> GroupResult:
    """A mark for each candidate whose truth is known; one without a verdict counts as abstained."""
    said = {v.trajectory_id: v for v in verdict.verdicts}
    return GroupResult(
        group_id=exam.group.id,
        source=exam.source,
        form=exam.form,
        marks=tuple(
            _mark(t.id, exam.truths[t.id], said.get(t.id))
            for t in exam.group.trajectories
            if t.id in exam.truths
        ),
        order_flip_rate=verdict.order_flip_rate,
        calls=verdict.calls,
        cached_calls=verdict.cached_calls,
        prompt_tokens=verdict.prompt_tokens,
        completion_tokens=verdict.completion_tokens,
        seconds=verdict.seconds,
    )


def probed(
    name: str,
    family: str,
    result: GroupResult,
    again: GroupVerdict,
    touched: Mapping[str, str],
) -> tuple[Probe, ...]:
    """What a change did. `touched`: ids of changed candidates by their ids in the changed group;
    candidates that were not changed kept theirs."""
    before = {mark.trajectory_id: mark for mark in result.marks}
    probes = []
    for verdict in again.verdicts:
        own = touched.get(verdict.trajectory_id, verdict.trajectory_id)
        if own not in before:
            continue
        mark = before[own]
        probes.append(
            Probe(
                name=name,
                family=family,
                trajectory_id=own,
                truth=mark.truth,
                touched=verdict.trajectory_id in touched,
                answer_before=mark.answer,
                answer_after=verdict.answer,
                reward_before=mark.reward,
                reward_after=verdict.reward,
            )
        )
    return tuple(probes)


def spots(defects: Iterable[Defect]) -> tuple[Spot, ...]:
    """Each step and kind once."""
    return tuple(dict.fromkeys(Spot(d.step, d.kind) for d in defects))


def _mark(trajectory_id: str, truth: Truth, verdict: Verdict | None) -> Mark:
    known = {
        "trajectory_id": trajectory_id,
        "truth": truth.answer,
        "true_reward": truth.reward,
        "true_spots": None if truth.defects is None else spots(truth.defects),
        "kinds": truth.kinds,
    }
    if verdict is None or verdict.abstained is not None:
        return Mark(**known, abstained=verdict.abstained if verdict else NO_VERDICT)
    return Mark(
        **known,
        answer=verdict.answer,
        tools=verdict.tools,
        reward=verdict.reward,
        confidence=verdict.confidence,
        spots=spots(verdict.defects),
    )
