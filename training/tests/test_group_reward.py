from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_training.group_reward import advantages_of, reward_group, reward_verdict

REWARDS = st.lists(st.none() | st.sampled_from([0.0, 0.1, 0.5, 0.75, 1.0]), min_size=1, max_size=9)
SCALINGS = st.sampled_from(["std", "mean", "rank"])


@given(REWARDS, SCALINGS)
def test_abstentions_are_masked_and_the_rest_is_centred(rewards, scaling):
    scored = reward_verdict(group(len(rewards)), verdict(rewards), scaling)
    known = [r for r in rewards if r is not None]
    assert scored.abstained == len(rewards) - len(known)
    assert scored.dropped == (len(known) < 2)
    advantages = list(scored.advantages.values())
    if scored.dropped:
        assert set(advantages) == {None}
        assert not scored.teaches
        return
    assert [a is None for a in advantages] == [r is None for r in rewards]
    given = [a for a in advantages if a is not None]
    assert sum(given) == pytest.approx(0, abs=1e-9)
    assert scored.tied == (len(set(known)) == 1) == all(a in (0, None) for a in advantages)
    pairs = list(zip(known, given, strict=True))
    for (reward, advantage), (lower, less) in itertools.permutations(pairs, 2):
        assert reward <= lower or advantage > less


def test_verdicts_are_matched_by_id_not_by_order():
    scored = reward_verdict(group(2), verdict([0.2, 0.9], ids=["t1", "t0"]), "mean")
    assert scored.rewards == {"t0": 0.9, "t1": 0.2}
    assert scored.advantages["t0"] == pytest.approx(0.35)


def test_a_missing_verdict_is_an_abstention_and_a_stranger_is_ignored():
    scored = reward_verdict(group(3), verdict([0.2, 0.9, 1.0], ids=["t0", "t2", "t7"]), "mean")
    assert scored.rewards == {"t0": 0.2, "t1": None, "t2": 0.9}
    assert scored.advantages["t1"] is None


def test_two_verdicts_on_one_trajectory_are_refused():
    with pytest.raises(ValueError, match="two verdicts on t0"):
        reward_verdict(group(2), verdict([0.2, 0.9], ids=["t0", "t0"]))


def test_scalings_give_the_documented_numbers():
    rewards = {"a": 1.0, "b": 0.5, "c": 0.5, "d": 0.0}
    assert advantages_of(rewards, "mean") == {"a": 0.5, "b": 0.0, "c": 0.0, "d": -0.5}
    by_std = advantages_of(rewards, "std")
    assert by_std["a"] == pytest.approx(0.5 / (0.125**0.5), rel=1e-3)
    by_rank = advantages_of({"a": 1.0, "b": 0.01, "c": 0.0}, "rank")
    assert by_rank["a"] == pytest.approx(-by_rank["c"])
    assert by_rank["b"] == pytest.approx(0)


def test_a_judge_is_asked_once_for_the_whole_group():
    judge = CountingJudge()
    scored = asyncio.run(reward_group(judge, group(4), "mean"))
    assert judge.groups == ["g"]
    assert scored.advantages == {"t0": -1.5, "t1": -0.5, "t2": 0.5, "t3": 1.5}


def test_errors_of_a_judge_are_not_turned_into_scores():
    with pytest.raises(ConnectionError):
        asyncio.run(reward_group(BrokenJudge(), group(2)))


class CountingJudge:
    name, version = "counting", "1"

    def __init__(self):
        self.groups = []

    async def judge(self, group):
        self.groups.append(group.id)
        return verdict([float(i) for i in range(len(group.trajectories))])


class BrokenJudge(CountingJudge):
    async def judge(self, group):
        raise ConnectionError


def group(size):
    task = TaskView(id="task", world="w", split="s", level=1, ticket="")
    trajectories = tuple(
        Trajectory(
            id=f"t{i}",
            task_id="task",
            world="w",
            agent="a",
            mode="solo",
            messages=(),
            stop="agent_stop",
        )
        for i in range(size)
    )
    return Group(id="g", task=task, trajectories=trajectories)


def verdict(rewards, ids=None):
    ids = ids or [f"t{i}" for i in range(len(rewards))]
    verdicts = tuple(
        Verdict(trajectory_id=key, abstained="no answer")
        if reward is None
        else Verdict(trajectory_id=key, answer=1, tools=1.0, reward=reward)
        for key, reward in zip(ids, rewards, strict=True)
    )
    return GroupVerdict(
        group_id="g", task_id="task", judge="j", judge_version="1", verdicts=verdicts
    )
