"""Judges that judge together: votes, quorum, bounds by an anchor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds_harness import Fixed, answers, judged_at, run, run_at

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import Defect, GroupVerdict, Verdict
from telejudge_envs.registry import open_world
from telejudge_judges import practice
from telejudge_judges.ensemble import EnsembleJudge, bounded
from telejudge_judges.fuse import fuse
from telejudge_judges.listwise import ListwiseJudge
from telejudge_judges.pairwise import PairwiseJudge
from telejudge_judges.pointwise import PointwiseJudge
from telejudge_judges.registry import open_judge
from telejudge_judges.settings import load_settings, make_settings
from telejudge_judges.testing import SAMPLES, sample_group
from telejudge_judges.verifier import Verifier

SOFT = Defect(step=0, kind="redundant_read", severity="soft", reason="Again.")
HARD = Defect(step=1, kind="gave_up", severity="hard", reason="Left.")
UNEARNED = Defect(step=0, kind="early_transfer", severity="soft", reason="Too soon.")
ONE = sample_group(SAMPLES[0])
NAME = SAMPLES[0].id

Said = tuple[Literal[0, 1], float, tuple[Defect, ...]] | str


def together(*said: Said, **options: Any) -> Verdict:
    """What an ensemble of these opinions says of one trajectory."""
    members = [Fixed({NAME: one}) for one in said]
    return run(EnsembleJudge(members, **options), ONE).verdicts[0]


# -- votes


def test_the_majority_decides_and_soft_defects_add_up() -> None:
    found = together((1, 1.0, (SOFT,)), (1, 0.6, ()), (0, 0.8, (HARD,)))
    assert (found.answer, found.tools) == (1, pytest.approx(0.8))
    assert found.defects == (SOFT,), "one of three does not make a hard defect"
    assert found.confidence == pytest.approx(2 / 3)
    graver = together((1, 1.0, (HARD,)), (1, 0.6, (HARD,)), (1, 0.8, ()))
    assert graver.defects == (HARD,)


def test_ties_and_too_few_members_are_nobodys_verdict() -> None:
    assert together((1, 1.0, ()), (0, 1.0, ())).abstained == "members_disagree"
    few = together((1, 1.0, ()), "timeout", "timeout")
    assert few.abstained == "too_few_members: timeout"
    assert together((1, 1.0, ()), "timeout", "timeout", quorum=1).answer == 1


def test_unanimous_believes_the_strictest() -> None:
    found = together((1, 1.0, (SOFT,)), (1, 0.6, ()), (0, 0.8, (HARD,)), rule="unanimous")
    assert (found.answer, found.tools, found.defects) == (0, 0.6, (SOFT, HARD))
    agreed = together((1, 0.9, ()), (1, 0.6, ()), rule="unanimous")
    assert (agreed.answer, agreed.tools, agreed.confidence) == (1, 0.6, 1.0)


class Broken(Fixed):
    def __init__(self, error: BaseException) -> None:
        super().__init__({}, name="broken")
        self.error = error

    async def judge(self, group: Group) -> GroupVerdict:
        raise self.error


class Mute(Fixed):
    """Breaks the protocol."""

    async def judge(self, group: Group) -> GroupVerdict:
        return None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("member", "cause"),
    [
        (Broken(DataError("the rubrics are gone")), "broke (DataError: the rubrics are gone)"),
        (Broken(UsageError("no prompt")), "broke (UsageError: no prompt)"),
        (Broken(KeyError("k7qm")), "broke (KeyError: 'k7qm')"),
        (Broken(RecursionError("too deep")), "broke (RecursionError: too deep)"),
        (Mute({}, name="mute"), "broke (AttributeError: "),
    ],
    ids=lambda value: str(getattr(value, "name", value)),
)
def test_a_member_that_breaks_abstains_with_its_cause_and_hinders_nobody(
    member: Fixed, cause: str
) -> None:
    members = [Fixed({NAME: (1, 1.0, ())}) for _ in range(2)]
    verdict = run(EnsembleJudge([*members, member]), ONE)
    assert verdict.verdicts[0].answer == 1
    assert verdict.verdicts[0].confidence == pytest.approx(2 / 3)
    assert any(note.startswith(f"{member.name} {cause}") for note in verdict.notes)
    (failed,) = (b.failed for b in verdict.ballots if b.order == 2)
    assert (failed or "").startswith(cause)
    alone = answers(run(EnsembleJudge([member]), ONE))[NAME]
    assert alone.startswith(f"too_few_members: {cause}")
    anchored = answers(run(EnsembleJudge(members, anchor=member), ONE))[NAME]
    assert anchored.startswith(f"anchor: {cause}")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()], ids=repr)
def test_who_stops_the_run_is_obeyed(error: BaseException) -> None:
    ensemble = EnsembleJudge([Fixed({NAME: (1, 1.0, ())}), Broken(error)])
    with pytest.raises(type(error)):
        asyncio.run(ensemble.judge(ONE))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"members": []}, "needs members"),
        ({"quorum": 3}, "quorum is 3"),
        ({"rule": "mean"}, "vote"),
    ],
)
def test_wrong_setups_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        EnsembleJudge(**{"members": [Fixed({}), Fixed({})], **options})


# -- bounds


@pytest.mark.parametrize(
    ("member", "anchor", "answer", "tools", "defects"),
    [
        ((1, 1.0, ()), (0, 0.5, ()), 0, 0.7, ()),
        ((0, 0.0, ()), (1, 0.5, ()), 1, 0.3, ()),
        ((1, 0.55, (SOFT,)), (1, 0.5, ()), 1, 0.55, (SOFT,)),
        ((1, 0.9, (HARD, UNEARNED)), (1, 0.9, (SOFT,)), 1, 0.9, (SOFT,)),
        ((1, 1.0, ()), (1, 0.9, (HARD,)), 1, 1.0, (HARD,)),
    ],
)
def test_an_anchor_bounds_what_members_say(
    member: Said, anchor: Said, answer: int, tools: float, defects: tuple[Defect, ...]
) -> None:
    found = together(member, anchor=Fixed({NAME: anchor}))
    assert (found.answer, found.tools, found.defects) == (answer, pytest.approx(tools), defects)


def test_without_its_anchor_nobody_is_scored() -> None:
    found = together((1, 1.0, ()), anchor=Fixed({NAME: "cannot be replayed"}))
    assert found.abstained == "anchor: cannot be replayed"


OPINIONS = st.tuples(
    st.sampled_from([0, 1]),
    st.floats(0, 1),
    st.lists(st.sampled_from([SOFT, HARD, UNEARNED]), unique=True).map(tuple),
)


def spoken(said: Any) -> Verdict:
    answer, tools, defects = said
    reward = fuse(answer, tools, defects)
    return Verdict(
        trajectory_id="t", answer=answer, tools=tools, defects=defects, reward=reward, confidence=1
    )


@given(member=OPINIONS, anchor=OPINIONS, slack=st.floats(0, 1))
def test_no_member_moves_a_reward_further_than_the_slack_buys(
    member: Any, anchor: Any, slack: float
) -> None:
    truth = spoken(anchor)
    found = bounded(spoken(member), truth, slack)
    assert found.reward is not None
    assert truth.reward is not None
    assert abs(found.reward - truth.reward) <= 0.5 * slack + 1e-9
    assert found.answer == truth.answer


# -- real judges together


def test_kinds_vote_and_their_costs_add_up() -> None:
    with fake.FakeEndpoint(practice.answer) as server:
        verdict = run_at(
            server,
            lambda c: EnsembleJudge([PointwiseJudge(c), ListwiseJudge(c), PairwiseJudge(c)]),
        )
    assert [v.answer for v in verdict.verdicts] == [1, 0, 1, 0, 0]
    assert verdict.calls == len(server.requests) == 5 + 2 + 20
    assert {b.order for b in verdict.ballots} == {0, 1, 2}
    assert verdict.order_flip_rate == 0.0


def test_samples_have_seeds_of_their_own(tmp_path: Path) -> None:
    config = tmp_path / "judge.yaml"
    config.write_text("judge: ensemble\nsamples: 3\nseed: 5\nmembers:\n- judge: pointwise\n")
    with fake.FakeEndpoint(practice.answer) as server:
        given = {"base_url": server.base_url, "model": "m"}
        verdict = run(open_judge(None, load_settings(config, given)))
    assert {request["seed"] for request in server.requests} == {5, 6, 7}
    assert verdict.calls == 15
    assert all(v.confidence == 1.0 for v in verdict.verdicts)


def test_a_noisy_sample_is_outvoted() -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        if request["seed"] == 1:
            opinions = {name: {"answer": 1, "tools": 1.0} for name in practice.opinions(request)}
            return fake.say(str({"verdicts": opinions}).replace("'", '"'))
        return practice.answer(request)

    def three(client: Any) -> EnsembleJudge:
        return EnsembleJudge([PointwiseJudge(client, seed=seed) for seed in range(3)])

    verdict = judged_at(script, three)
    assert [v.answer for v in verdict.verdicts] == [1, 0, 1, 0, 0]
    assert [v.confidence for v in verdict.verdicts] == pytest.approx([1, 2 / 3, 1, 2 / 3, 2 / 3])


def test_the_verifier_bounds_a_judge_that_was_talked_round(
    record_of: Callable[..., Trajectory],
) -> None:
    task_id = "[service_issue]airplane_mode_on[PERSONA:None]"
    ways = {"mended": [["check_status_bar"], ["toggle_airplane_mode"], ["check_status_bar"]],
            "left": [["check_status_bar"]]}  # fmt: skip
    rollouts = [record_of(task_id, w).model_copy(update={"id": n}) for n, w in ways.items()]
    view = open_world("tau2-telecom").task(task_id).view
    group = Group(id="g", task=view, trajectories=tuple(rollouts))

    def praise(request: dict[str, Any], _n: int) -> fake.Reply:
        best = {name: {"answer": 1, "tools": 1.0} for name in practice.opinions(request)}
        return fake.say(str({"verdicts": best}).replace("'", '"'))

    talked = judged_at(praise, PointwiseJudge, group)
    assert answers(talked) == {"mended": 1, "left": 1}
    truth = run(Verifier(open_world), group)
    held = judged_at(
        praise,
        lambda c: EnsembleJudge([PointwiseJudge(c)], anchor=Verifier(open_world)),
        group,
    )
    assert answers(held) == answers(truth) == {"mended": 1, "left": 0}
    for one, real in zip(held.verdicts, truth.verdicts, strict=True):
        assert abs((one.reward or 0) - (real.reward or 0)) <= 0.1 + 1e-9


def test_an_ensemble_may_hold_an_ensemble() -> None:
    inner = {"judge": "ensemble", "members": [{"judge": "consistency"}]}
    settings = make_settings({"judge": "ensemble", "members": [inner, {"judge": "consistency"}]})
    plain = run(open_judge("consistency"))
    assert answers(run(open_judge(None, settings))) == answers(plain)
