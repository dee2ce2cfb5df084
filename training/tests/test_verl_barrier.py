"""The group barrier alone: no verl, no Ray, a judge that is told what to say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_judges.testing import SAMPLE_TASK, sample_trajectory
from telejudge_training.verl_backend.barrier import GroupBarrier
from telejudge_training.verl_backend.shares import LATE, JudgedTogether, Place, Share

SIZE = 4


@dataclass
class ScriptedJudge:
    """Rewards by the number in the trajectory's id; abstains on those in `silent`."""

    silent: tuple[str, ...] = ()
    seconds: float = 0.0
    error: Exception | None = None
    odd: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    finished: int = 0
    name: str = "scripted"
    version: str = "1"

    async def judge(self, group: Group) -> GroupVerdict:
        self.asked.append(tuple(t.id for t in group.trajectories))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        self.finished += 1
        if self.error is not None:
            raise self.error
        return GroupVerdict(
            group_id=group.id,
            task_id=group.task.id,
            judge=self.name,
            judge_version=self.version,
            verdicts=tuple(self._verdict(t.id) for t in group.trajectories),
        )

    def _verdict(self, name: str) -> Verdict:
        if name in self.silent:
            return Verdict(trajectory_id=name, abstained="unsure")
        reward = self.odd.get(name, int(name[-1]) / 10)
        return Verdict(trajectory_id=name, answer=1, tools=1.0, reward=reward)


def a_rollout(session: int, uid: str = "u") -> Rollout:
    return Rollout(task=SAMPLE_TASK, trajectory=sample_trajectory(f"{uid}{session}", "look"))


async def member(
    barrier: GroupBarrier,
    session: int,
    *,
    uid: str = "u",
    size: int = SIZE,
    after: float = 0.0,
    error: Exception | None = None,
) -> Share:
    async with barrier.seat(Place(uid, session, size), SAMPLE_TASK) as seat:
        await asyncio.sleep(after)
        if error is not None:
            raise error
        return await seat.deliver(a_rollout(session, uid))


async def group(barrier: GroupBarrier, *members: Any) -> list[Any]:
    found = await asyncio.wait_for(asyncio.gather(*members, return_exceptions=True), 5)
    await asyncio.sleep(0)
    assert len(barrier) == 0, "an entry was left behind"
    return found


def test_the_judge_sees_exactly_the_n_members_once_whatever_their_order():
    judge = ScriptedJudge()
    seen: list[JudgedTogether] = []
    barrier = GroupBarrier(judge, on_judged=seen.append)

    async def play() -> list[Any]:
        return await group(
            barrier, *(member(barrier, s, after=0.01 * (SIZE - s)) for s in range(SIZE))
        )

    shares = asyncio.run(play())
    assert judge.asked == [("u0", "u1", "u2", "u3")]
    assert [share.reward for share in shares] == [0.0, 0.1, 0.2, 0.3]
    assert [share.neutral for share in shares] == pytest.approx([0.15] * SIZE)
    assert seen[0].missing == ()
    assert sum(a for a in seen[0].reward.advantages.values() if a) == pytest.approx(0)  # type: ignore[union-attr]


def test_an_abstained_member_is_masked_and_the_others_are_compared_without_it():
    barrier = GroupBarrier(ScriptedJudge(silent=("u1",)))
    shares = asyncio.run(group(barrier, *(member(barrier, s) for s in range(SIZE))))
    assert (shares[1].reward, shares[1].masked) == (None, "unsure")
    assert shares[1].neutral == pytest.approx((0 + 0.2 + 0.3) / 3)
    reward = shares[0].judged.reward
    assert reward.advantages["u1"] is None
    assert reward.abstained == 1
    assert not reward.dropped


def test_with_fewer_than_two_scored_nothing_is_left():
    barrier = GroupBarrier(ScriptedJudge(silent=("u0", "u1", "u2")))
    shares = asyncio.run(group(barrier, *(member(barrier, s) for s in range(SIZE))))
    assert shares[3].judged.reward.dropped
    assert set(shares[3].judged.reward.advantages.values()) == {None}


def test_a_reward_that_is_no_number_is_no_score():
    barrier = GroupBarrier(ScriptedJudge(odd={"u2": float("nan")}))
    shares = asyncio.run(group(barrier, *(member(barrier, s) for s in range(SIZE))))
    assert shares[2].reward is None
    assert shares[2].masked is not None
    assert shares[0].neutral == pytest.approx((0 + 0.1 + 0.3) / 3)


@pytest.mark.parametrize(
    ("judge", "why"),
    [
        (ScriptedJudge(error=RuntimeError("no such model")), "no such model"),
        (ScriptedJudge(error=TimeoutError("its own")), "its own"),
        (ScriptedJudge(seconds=3.0), "took longer than 0.05 s"),
    ],
)
def test_a_judge_that_fails_or_takes_too_long_scores_nobody(judge: ScriptedJudge, why: str):
    barrier = GroupBarrier(judge, judge_s=0.05)
    shares = asyncio.run(group(barrier, *(member(barrier, s) for s in range(SIZE))))
    assert all(share.reward is None and share.neutral is None for share in shares)
    assert all(why in share.masked for share in shares)


def test_a_sibling_that_fails_is_missing_and_nobody_waits_for_it():
    judge = ScriptedJudge()
    barrier = GroupBarrier(judge, patience_s=60)
    shares = asyncio.run(
        group(
            barrier,
            member(barrier, 0),
            member(barrier, 1, after=0.02, error=RuntimeError("boom")),
            *(member(barrier, s) for s in (2, 3)),
        )
    )
    assert judge.asked == [("u0", "u2", "u3")]
    assert str(shares[1]) == "boom"
    assert [shares[s].reward for s in (0, 2, 3)] == [0.0, 0.2, 0.3]
    assert shares[0].judged.missing == (1,)


def test_all_siblings_fail_and_the_judge_is_not_asked():
    judge = ScriptedJudge()
    barrier = GroupBarrier(judge)
    failing = (member(barrier, s, error=RuntimeError(str(s))) for s in range(SIZE))
    assert [str(e) for e in asyncio.run(group(barrier, *failing))] == ["0", "1", "2", "3"]
    assert judge.asked == []


def test_one_that_comes_late_is_masked_and_the_others_do_not_wait_longer():
    judge = ScriptedJudge()
    barrier = GroupBarrier(judge, patience_s=0.05)
    shares = asyncio.run(
        group(barrier, *(member(barrier, s, after=0.3 * (s == 2)) for s in range(SIZE)))
    )
    assert judge.asked == [("u0", "u1", "u3")]
    assert (shares[2].reward, shares[2].masked) == (None, LATE)
    assert shares[2].neutral == pytest.approx((0 + 0.1 + 0.3) / 3)


def test_a_session_that_never_starts_is_waited_for_only_as_long():
    judge = ScriptedJudge()
    barrier = GroupBarrier(judge, patience_s=0.05)
    shares = asyncio.run(group(barrier, *(member(barrier, s) for s in (0, 1))))
    assert judge.asked == [("u0", "u1")]
    assert shares[0].judged.missing == (2, 3)


def test_a_failure_before_the_others_start_leaves_no_entry_for_ever():
    barrier = GroupBarrier(ScriptedJudge(), patience_s=0.05)

    async def play() -> None:
        with pytest.raises(RuntimeError, match="first"):
            await member(barrier, 0, error=RuntimeError("first"))
        assert len(barrier) == 1, "its siblings may still come"
        await asyncio.sleep(0.1)
        assert len(barrier) == 0

    asyncio.run(play())


def test_a_failure_first_and_slow_siblings_after_the_patience():
    judge = ScriptedJudge()
    barrier = GroupBarrier(judge, patience_s=0.05)
    shares = asyncio.run(
        group(
            barrier,
            member(barrier, 0, error=RuntimeError("first")),
            *(member(barrier, s, after=0.15) for s in (1, 2)),
        )
    )
    assert judge.asked == [("u1", "u2")]
    assert shares[1].judged.missing == (0, 3)


def test_cancelling_one_that_waits_for_siblings_takes_it_out():
    judge = ScriptedJudge()
    barrier = GroupBarrier(judge)

    async def play() -> list[Any]:
        tasks = [
            asyncio.create_task(member(barrier, s, after=0.05 * (s == 3))) for s in range(SIZE)
        ]
        await asyncio.sleep(0.02)
        tasks[1].cancel()
        return await group(barrier, *tasks)

    shares = asyncio.run(play())
    assert isinstance(shares[1], asyncio.CancelledError)
    assert judge.asked == [("u0", "u2", "u3")]


def test_cancelling_one_during_the_judging_leaves_the_others_their_verdict():
    judge = ScriptedJudge(seconds=0.05)
    barrier = GroupBarrier(judge)

    async def play() -> list[Any]:
        tasks = [asyncio.create_task(member(barrier, s)) for s in range(SIZE)]
        await asyncio.sleep(0.02)
        tasks[0].cancel()
        return await group(barrier, *tasks)

    shares = asyncio.run(play())
    assert isinstance(shares[0], asyncio.CancelledError)
    assert shares[1].reward == 0.1
    assert len(shares[1].judged.rollouts) == SIZE


def test_cancelling_all_during_the_judging_ends_the_judging():
    judge = ScriptedJudge(seconds=0.2)
    barrier = GroupBarrier(judge)

    async def play() -> None:
        tasks = [asyncio.create_task(member(barrier, s)) for s in range(SIZE)]
        await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await group(barrier, *tasks)
        await asyncio.sleep(0.3)

    asyncio.run(play())
    assert (judge.at_once, judge.finished) == (0, 0)


def test_groups_are_judged_side_by_side():
    judge = ScriptedJudge(seconds=0.05)
    barrier = GroupBarrier(judge)

    async def play() -> list[Any]:
        return await group(
            barrier, *(member(barrier, s, uid=f"g{g}-") for g in range(8) for s in range(SIZE))
        )

    asyncio.run(play())
    assert len(judge.asked) == 8
    assert judge.most_at_once == 8


def test_two_validations_of_another_size_run_beside_training():
    judge = ScriptedJudge()
    barrier = GroupBarrier(judge)

    async def play() -> list[Any]:
        validations = (
            member(barrier, s, uid=uid, size=2) for uid in ("v1-", "v2-") for s in range(2)
        )
        alone = member(barrier, 0, uid="w", size=1)
        return await group(barrier, *(member(barrier, s) for s in range(SIZE)), *validations, alone)

    shares = asyncio.run(play())
    assert sorted(judge.asked) == [
        ("u0", "u1", "u2", "u3"),
        ("v1-0", "v1-1"),
        ("v2-0", "v2-1"),
        ("w0",),
    ]
    assert shares[-1].reward == 0.0, "one alone has a reward, though nothing to compare it with"


def test_a_record_that_cannot_be_written_costs_nobody_its_verdict():
    def full(judged: JudgedTogether) -> None:
        raise OSError("no space left on device")

    barrier = GroupBarrier(ScriptedJudge(), on_judged=full)
    shares = asyncio.run(group(barrier, *(member(barrier, s) for s in range(SIZE))))
    assert [share.reward for share in shares] == [0.0, 0.1, 0.2, 0.3]


def test_a_wrong_group_size_is_told():
    with pytest.raises(UsageError, match="session 4 of a group of 4"):
        Place("u", 4, 4)

    async def play() -> list[Any]:
        barrier = GroupBarrier(ScriptedJudge(), patience_s=0.05)
        return await group(barrier, member(barrier, 0), member(barrier, 1, size=2))

    shares = asyncio.run(play())
    assert isinstance(shares[1], UsageError)


def test_the_same_session_twice_is_told():
    async def play() -> list[Any]:
        barrier = GroupBarrier(ScriptedJudge(), patience_s=0.05)
        return await group(barrier, member(barrier, 0), member(barrier, 0))

    assert isinstance(asyncio.run(play())[1], UsageError)


def test_the_record_has_a_line_for_every_rollout_and_some_groups_whole(tmp_path: Path):
    from telejudge_envs import store
    from telejudge_envs.nouns.judged import JudgedGroup
    from telejudge_training.verl_backend.record import Recorder, read_rollouts, steps_of

    barrier = GroupBarrier(
        ScriptedJudge(silent=("b1",)), on_judged=Recorder(tmp_path, groups_every=2)
    )

    async def one(uid: str, label: str, session: int) -> Share:
        async with barrier.seat(Place(uid, session, 2, label), SAMPLE_TASK) as seat:
            return await seat.deliver(a_rollout(session, uid))

    async def play() -> None:
        labels = {"a": "train-1", "b": "train-2", "c": "val-2"}
        await group(barrier, *(one(u, label, s) for u, label in labels.items() for s in range(2)))

    asyncio.run(play())
    lines = read_rollouts(tmp_path)
    assert [(line["split"], line["step"], line["session"]) for line in lines] == [
        *(("train", 1, 0), ("train", 1, 1)),
        *(("train", 2, 0), ("train", 2, 1)),
        *(("val", 2, 0), ("val", 2, 1)),
    ]
    assert [line["reward"] for line in lines] == [0.0, 0.1, 0.0, None, 0.0, 0.1]
    (file,) = tmp_path.glob("groups-*.jsonl")
    assert {(g.phase, g.step) for g in store.read(file, JudgedGroup)} == {("train", 2), ("val", 2)}
    told = [(line["phase"], line["reward"], line["masked"]) for line in steps_of(tmp_path)]
    assert told == [("grpo", 0.05, 0), ("grpo", 0.0, 1), ("val", 0.05, 0)]
