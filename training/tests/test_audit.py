"""Who pays and who only measures: the auditor's verdicts are told beside the rewards, and change
nothing of what is learned."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from telejudge_envs.nouns.trajectory import Group  # noqa: E402
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict  # noqa: E402
from telejudge_judges.verifier import Verifier  # noqa: E402
from telejudge_training.crew import Crew  # noqa: E402
from telejudge_training.evaluate import evaluate  # noqa: E402
from telejudge_training.grouping import Round, audit_metrics, play_and_judge, step_metrics  # noqa: E402
from telejudge_training.settings import EvaluationSettings  # noqa: E402


class Contrary:
    """Says the opposite of the verifier, and of the first of each group nothing."""

    name, version = "contrary", "1"

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    async def judge(self, group: Group) -> GroupVerdict:
        true = self._verifier.judge_now(group)
        first, *others = true.verdicts
        turned = [
            Verdict(
                trajectory_id=one.trajectory_id,
                answer=1 - (one.answer or 0),
                tools=one.tools,
                reward=1 - (one.reward or 0.0),
            )
            for one in others
        ]
        silent = Verdict(trajectory_id=first.trajectory_id, abstained="silent")
        return true.model_copy(update={"judge": self.name, "verdicts": (silent, *turned)})


@pytest.fixture
def crew(bench):
    with Crew(bench.world, Contrary(bench.judge), bench.judge) as crew:
        crew.equip(bench.model, bench.tokenizer)
        yield crew


def test_rewards_and_the_auditors_are_told_side_by_side(bench, crew):
    tasks = bench.world.tasks("test")[:6]
    scored = play_and_judge(crew, tasks, Round(size=4, temperature=1.0, seed=1, label="x/"))
    told = step_metrics(scored)
    assert told["agreement"] == 0.0
    assert told["concordance"] == 0.0
    assert told["abstained"] == len(tasks)
    true = [r for one in scored if one.audit for r in one.audit.rewards.values() if r is not None]
    assert told["true_reward"] == pytest.approx(sum(true) / len(true), abs=1e-4)
    for one in scored:  # what is learned from is the judge's alone
        assert one.reward.verdict.judge == "contrary"
        assert all(one.reward.advantages[name] is None for name in list(one.reward.rewards)[:1])


def test_without_an_auditor_nothing_is_told(bench):
    with Crew(bench.world, bench.judge) as crew:
        crew.equip(bench.model, bench.tokenizer)
        tasks = bench.world.tasks("test")[:1]
        scored = play_and_judge(crew, tasks, Round(size=2, temperature=1.0, seed=1, label="x/"))
    assert audit_metrics(scored) == {}
    assert "agreement" not in step_metrics(scored)


def test_evaluations_are_the_auditors(bench, crew):
    settings = EvaluationSettings(rollouts=2)
    judged = evaluate(crew, bench.world.tasks("test")[:2], settings, seed=0, phase="after")
    assert {one.verdict.judge for one in judged} == {"verifier"}
    assert all(v.abstained is None for one in judged for v in one.verdict.verdicts)
