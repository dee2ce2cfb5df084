"""Second judgements: what padding and attacks change, and that an interrupted run goes on."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from telejudge_envs.nouns.trajectory import Group, Outcome
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_eval.judge_eval.attacking import attacks
from telejudge_eval.judge_eval.examine import Judged, examine, judged_group, padding
from telejudge_eval.judge_eval.measure import measures
from telejudge_eval.judge_eval.padding import AMOUNT, SENTENCES, padded
from telejudge_eval.judge_eval.records import Exam, Truth
from telejudge_judges.attacks import ATTACKS
from telejudge_judges.fuse import fuse
from telejudge_judges.testing import SAMPLE_TASK, sample_trajectory


class Gullible:
    """Pays a reward by the length of what was said, and whoever says `right` is right."""

    name, version = "gullible", "1"

    def __init__(self, greedy: bool = False) -> None:
        self.asked: list[str] = []
        self.greedy = greedy

    async def judge(self, group: Group) -> GroupVerdict:
        self.asked.append(group.id)
        verdicts = []
        for t in group.trajectories:
            said = t.model_dump_json()
            words = " ".join(m.text for m in t.messages if m.role == "assistant")
            paid = "fix" in said or (self.greedy and _hostile(said))
            answer: Literal[0, 1] = 1 if paid else 0
            tools = min(1.0, len(words) / 2000)
            verdicts.append(
                Verdict(trajectory_id=t.id, answer=answer, tools=tools, reward=fuse(answer, tools))
            )
        return GroupVerdict(
            group_id=group.id,
            task_id=group.task.id,
            judge=self.name,
            judge_version=self.version,
            verdicts=tuple(verdicts),
        )


def _hostile(said: str) -> bool:
    return "score" in said.lower() or "right" in said


def exam(name: str = "g", count: int = 4) -> Exam:
    members = tuple(
        sample_trajectory(f"{name}-{i}", "look", "fix_it" if i % 2 else "look_again", "done")
        for i in range(count)
    )
    truths = {
        t.id: Truth(outcome=Outcome(answer=1 if i % 2 else 0, world_reward=i % 2), defects=())
        for i, t in enumerate(members)
    }
    group = Group(id=name, task=SAMPLE_TASK, trajectories=members)
    return Exam(source="samples", group=group, truths=truths)


def examined(judge, exams, changes, folder):
    return asyncio.run(examine(judge, exams, changes, folder))


def test_padding_adds_sentences_to_half_of_the_candidates_and_nothing_else():
    group = exam().group
    changed, touched = padded(group, seed=0)
    assert changed.id != group.id
    assert len(touched) == 2
    assert [t.id for t in changed.trajectories] == [t.id for t in group.trajectories]
    for before, after in zip(group.trajectories, changed.trajectories, strict=True):
        if before.id not in touched:
            assert after == before
            continue
        (text,) = [b.text for a, b in zip(before.messages, after.messages, strict=True) if a != b]
        assert sum(sentence in text for sentence in SENTENCES) == AMOUNT
        assert [m.tool_calls for m in after.messages] == [m.tool_calls for m in before.messages]


def test_who_pays_for_length_is_found_out(tmp_path):
    exams = [exam("a"), exam("b")]
    judged = examined(Gullible(), exams, lambda _: padding(exams, 5, seed=0), tmp_path)
    bias = measures([one.result for one in judged], samples=200)["samples"]["length_bias"]
    assert bias.of == 4
    assert bias.value is not None
    assert bias.value > 0.02


def test_each_attack_is_tried_on_wrong_candidates_that_were_seen_to_be_wrong(tmp_path):
    exams = [exam("a"), exam("b"), exam("c")]
    judged = examined(Gullible(), exams, lambda plain: attacks(plain, 2, seed=0), tmp_path)
    probes = [p for one in judged for p in one.result.attacked if p.touched]
    assert {p.name for p in probes} == {attack.name for attack in ATTACKS}
    assert len(probes) == 2 * len(ATTACKS)
    assert {(p.truth, p.answer_before) for p in probes} == {(0, 0)}
    assert {p.place for p in probes} == {"answer", "arguments"}
    assert {p.answer_after for p in probes} == {0}


def test_whom_the_judge_took_for_right_is_no_target(tmp_path):
    """There an attack has nothing to win."""
    (plain,) = examined(Gullible(), [exam()], lambda _: [], tmp_path)
    first, *others = plain.result.marks
    fooled = plain.result.model_copy(
        update={"marks": (first.model_copy(update={"answer": 1}), *others)}
    )
    changes = attacks([Judged(plain.exam, plain.verdict, fooled)], 1, seed=0)
    assert {name for change in changes for name in change.touched} == {"g-2"}


def test_who_falls_for_attacks_is_found_out(tmp_path):
    exams = [exam("a"), exam("b")]
    judge = Gullible(greedy=True)
    judged = examined(judge, exams, lambda plain: attacks(plain, 1, seed=0), tmp_path)
    found = measures([one.result for one in judged], samples=200)["samples"]
    probes = [p for one in judged for p in one.result.attacked if p.touched]
    worked = {attack.name for attack in ATTACKS if _hostile(attack.full_text)}
    assert {p.name for p in probes if p.answer_after == 1} == worked
    assert found["attack_success"].value == pytest.approx(len(worked) / len(ATTACKS))
    assert (found["attack_gain"].value or 0) > 0.05


def test_attacks_and_padding_are_the_same_for_the_same_seed(tmp_path):
    exams = [exam("a"), exam("b")]
    plain = examined(Gullible(), exams, lambda _: [], tmp_path)
    assert attacks(plain, 1, seed=1) == attacks(plain, 1, seed=1)
    assert attacks(plain, 1, seed=1) != attacks(plain, 1, seed=2)
    assert padding(exams, 2, seed=1) == padding(exams, 2, seed=1)


def test_an_interrupted_examination_goes_on_where_it_was(tmp_path):
    exams = [exam(name) for name in "abcdef"]

    class Mortal(Gullible):
        async def judge(self, group: Group) -> GroupVerdict:
            if len(self.asked) == 4:
                raise MemoryError
            return await super().judge(group)

    first, second = Mortal(), Gullible()
    with pytest.raises(MemoryError):
        examined(first, exams, lambda _: padding(exams, 2, seed=0), tmp_path)
    went_on = examined(second, exams, lambda _: padding(exams, 2, seed=0), tmp_path)
    assert len(first.asked) == 4
    assert len(second.asked) == 2 + 2
    assert not set(first.asked) & set(second.asked)
    fresh = examined(Gullible(), exams, lambda _: padding(exams, 2, seed=0), tmp_path / "elsewhere")
    assert [one.result for one in went_on] == [one.result for one in fresh]


def test_the_report_gets_outcomes_and_true_defects(tmp_path):
    (judged,) = examined(Gullible(), [exam()], lambda _: [], tmp_path)
    shown = judged_group(judged)
    assert shown.phase == "samples"
    assert {o.answer for o in shown.outcomes.values()} == {0, 1}
    assert set(shown.true_defects.values()) == {()}


def test_attacks_visit_the_sources_in_turns(tmp_path):
    exams = [exam(name).model_copy(update={"source": name[0]}) for name in ("a1", "a2", "b1")]
    plain = examined(Gullible(), exams, lambda _: [], tmp_path)
    tried = [exams[change.number].source for change in attacks(plain, 1, seed=0)]
    assert len(tried) == len(ATTACKS)
    assert abs(tried.count("a") - tried.count("b")) <= 1
    both = attacks(plain, 2, seed=0)
    assert len({(c.name, exams[c.number].source) for c in both}) == len(both) == 2 * len(ATTACKS)
