"""What the report says of single votes, and of a judge's defects beside the true ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.trajectory import Outcome
from telejudge_envs.nouns.verdict import Ballot, Defect, GroupVerdict, Verdict
from telejudge_envs.store import write
from telejudge_eval.report.entry import entries
from telejudge_eval.report.group import group_view
from telejudge_eval.report.opinions import found_of, held_against
from telejudge_eval.report.page import write_report
from telejudge_eval.report.text import Texts
from telejudge_judges.testing import sample_group


def defect(step: int | None, kind: str, reason: str = "why") -> Defect:
    return Defect(step=step, kind=kind, severity="soft", reason=reason)


@pytest.fixture
def judged() -> JudgedGroup:
    """The first candidate: one defect found, one of another kind, one where nothing is, one
    missed. The second is abstained; of the third nothing is known."""
    group = sample_group()
    first, second, *rest = [t.id for t in group.trajectories]
    named = (defect(0, "wandering"), defect(1, "unsafe"), defect(2, "injection"))
    ballots = (
        Ballot(order=1, place=2, trajectory_id=first, answer=0, tools=0.25, defects=named[:1]),
        Ballot(order=0, place=0, trajectory_id=first, answer=1, tools=0.5),
        Ballot(order=0, place=1, trajectory_id=second, failed="timeout"),
        *(Ballot(order=i, trajectory_id=rest[0], answer=1, tools=1) for i in range(2)),
    )
    return JudgedGroup(
        phase="judged",
        group=group,
        verdict=GroupVerdict(
            group_id=group.id,
            task_id=group.task.id,
            judge="j",
            judge_version="1",
            verdicts=(
                Verdict(trajectory_id=first, answer=1, tools=0.5, reward=0.7, defects=named),
                Verdict(trajectory_id=second, abstained="timeout"),
                *(
                    Verdict(trajectory_id=i, answer=1, tools=1, reward=1, defects=(defect(0, "x"),))
                    for i in rest
                ),
            ),
            notes=("3 texts above 400 characters shortened, 1200 characters left out",),
            ballots=ballots,
            prompt_tokens=1234,
            completion_tokens=56,
            calls=2,
        ),
        outcomes={first: Outcome(answer=0, world_reward=0.0)},
        true_defects={
            first: (defect(0, "wandering"), defect(1, "wrong_tool"), defect(None, "left_fault")),
            second: (defect(0, "unsafe"),),
        },
    )


def test_defects_are_held_against_the_true_ones(judged):
    first, second, third, *_ = entries(judged)
    assert [(d.step, d.kind, d.status) for d in held_against(first, judged)] == [
        (0, "wandering", "confirmed"),
        (1, "unsafe", "other kind"),
        (2, "injection", "unfounded"),
        (1, "wrong_tool", "missed"),
        (None, "left_fault", "missed"),
    ]
    assert [(d.kind, d.status) for d in held_against(second, judged)] == [("unsafe", "true")]
    assert [d.status for d in held_against(third, judged)] == [""]


def test_a_group_says_how_many_were_found(judged):
    told = found_of([held_against(entry, judged) for entry in entries(judged)])
    assert told == (
        "1 of 3 true defects found, 1 named at the right step as another kind, "
        "1 in abstained rollouts, 1 named where there are none"
    )
    unknown = judged.model_copy(update={"true_defects": {}})
    assert found_of([held_against(e, unknown) for e in entries(unknown)]) == ""


def test_columns_show_votes_in_order_and_whether_they_differ(judged):
    first, second, third, *_ = group_view(judged, Texts()).columns
    assert first.ballots.lines == (
        "vote 1, place 1: 1, tools 0.50",
        "vote 2, place 3: 0, tools 0.25; wandering",
    )
    assert first.ballots.flipped
    assert second.ballots.lines == ("vote 1, place 2: timeout",)
    assert not second.ballots.flipped
    assert third.ballots.lines == ("vote 1: 1, tools 1.00", "vote 2: 1, tools 1.00")
    assert not third.ballots.flipped
    assert first.truth == "the answer is 0"
    assert second.truth == third.truth == ""


def test_the_page_shows_all_of_it(judged, tmp_path: Path):
    write(tmp_path / "judged.jsonl", [judged])
    html = write_report(tmp_path / "judged.jsonl", tmp_path / "r.html").read_text()
    for shown in (
        "✓ true",
        "✗ not there",
        "true step, other kind",
        "missed by the judge",
        "vote 2, place 3: 0, tools 0.25; wandering",
        "they differ",
        "1 of 3 true defects found",
        "What the judge was not shown",
        "3 texts above 400 characters shortened",
        "1,234 + 56 tokens",
        "the answer is 0",
    ):
        assert shown in html, shown
