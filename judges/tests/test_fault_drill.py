"""The fault drill, in small: nothing lost, nothing misaligned, nothing invented."""

from __future__ import annotations

import asyncio

import pytest

from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_judges import practice
from telejudge_judges.fault_drill import FAULTS, Tally, drill, drill_group
from telejudge_judges.fuse import fuse

QUICK = [name for name in FAULTS if name != "hang"]


@pytest.mark.parametrize("fault", QUICK)
def test_each_fault_by_itself(fault: str) -> None:
    tally = asyncio.run(drill([fault], 12))
    assert (tally.lost, tally.misaligned, tally.invented) == (0, 0, 0)
    assert tally.right + tally.abstained.total() == tally.candidates > 12
    assert tally.spoilt >= 6
    assert tally.right > 0.6 * tally.candidates
    assert tally.abstained, "what is spoilt for ever must be abstained"


def test_all_faults_mixed() -> None:
    tally = asyncio.run(drill(QUICK, 40, share=0.5, seed=1))
    assert tally.harm == 0
    assert tally.right > 0.5 * tally.candidates
    assert len(tally.abstained) > 1


@pytest.mark.slow
def test_all_faults_mixed_with_silence() -> None:
    tally = asyncio.run(drill(list(FAULTS), 60, seed=2))
    assert tally.harm == 0


def test_the_drill_is_repeatable() -> None:
    first, second = (asyncio.run(drill(["missing_id", "refusal"], 8)) for _ in range(2))
    assert (first.right, first.abstained, first.requests) == (
        second.right,
        second.abstained,
        second.requests,
    )


def test_a_drill_that_finds_harm_says_which() -> None:
    group = drill_group(3)
    first, second, *others = group.trajectories

    def verdict(name: str, truth: dict) -> Verdict:
        return Verdict(
            trajectory_id=name,
            answer=truth["answer"],
            tools=truth["tools"],
            defects=[{**d, "evidence": ""} for d in truth["defects"]],  # type: ignore[arg-type]
            reward=fuse(truth["answer"], truth["tools"]),
        )

    one, two = practice.opinion_of(first), practice.opinion_of(second)
    said = GroupVerdict(
        group_id=group.id,
        task_id=group.task.id,
        judge="j",
        judge_version="1",
        verdicts=(
            verdict(first.id, two),
            verdict(second.id, {**two, "tools": 0.123}),
            *(Verdict(trajectory_id=t.id, abstained="missing") for t in others[1:]),
        ),
    )
    assert one != two
    tally = Tally("made")
    tally.count(group, said)
    lost = min(1, len(others))
    assert (tally.misaligned, tally.invented, tally.lost) == (1, 1, lost)
    tally.count(group, None)
    assert tally.lost == lost + len(group.trajectories)
