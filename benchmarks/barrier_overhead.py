"""What the group barrier adds to a judge's own time: 8 groups of 8, as verl's agent loop uses it.

    python benchmarks/barrier_overhead.py [--groups 8] [--size 8] [--latency 2.0] [--server]

Scripted engineers play base-station tasks beforehand, so that nothing but arriving, waiting and
judging is timed. All members of all groups are handed in at once; a judge of fixed latency scores
them. The time from the first arrival to the last member's share is compared with that latency: a
barrier that judged groups one after another would take `groups` times as long.

`--server` takes our listwise judge in the stub's place, at an HTTP server that answers after the
latency (`orders=1`): the same with prompts, HTTP and parsing. What those cost is the judge's, not
the barrier's, so they are shown and not held to the bound.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs import fake_endpoint as fake
from telejudge_envs.groups import groups_of
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_envs.registry import open_world
from telejudge_judges import practice
from telejudge_judges.protocol import Judge
from telejudge_judges.registry import open_judge
from telejudge_judges.settings import JudgeSettings
from telejudge_training.verl_backend.barrier import GroupBarrier
from telejudge_training.verl_backend.shares import Place, Share

BOUND = 1.1
"""Times the judge's own latency that a step's judging may take."""


@dataclass
class Stub:
    """Takes `seconds` for a group, however many it is asked for at once."""

    seconds: float
    name: str = "stub"
    version: str = "1"

    async def judge(self, group: Group) -> GroupVerdict:
        await asyncio.sleep(self.seconds)
        return GroupVerdict(
            group_id=group.id,
            task_id=group.task.id,
            judge=self.name,
            judge_version=self.version,
            verdicts=tuple(
                Verdict(trajectory_id=t.id, answer=1, tools=1.0, reward=k / 10)
                for k, t in enumerate(group.trajectories)
            ),
        )


def main() -> None:
    given = _arguments()
    rollouts = played(given.groups, given.size, given.seed)
    with judge_of(given) as judge:
        times = [asyncio.run(step(judge, rollouts)) for _ in range(given.repeats)]
    show(given, times)
    worst = max(times) / given.latency
    if not given.server and worst > BOUND:
        sys.exit(f"{worst:.3f} times the judge's latency; at most {BOUND} was promised")


def played(groups: int, size: int, seed: int) -> list[list[Rollout]]:
    """As many tasks as groups, each played `size` times."""
    world = open_world("base-station")
    rollouts = run(
        world, world.tasks("train")[:groups], scripted("expert", world), rollouts=size, seed=seed
    )
    by_id = {rollout.trajectory.id: rollout for rollout in rollouts}
    return [[by_id[t.id] for t in group.trajectories] for group in groups_of(rollouts)]


@contextmanager
def judge_of(given: argparse.Namespace) -> Iterator[Judge]:
    """The stub, or our listwise judge at a server of that latency."""
    if not given.server:
        yield Stub(given.latency)
        return

    def slowly(request: dict[str, Any], n: int) -> fake.Reply:
        time.sleep(given.latency)
        return fake.say(json.dumps({"verdicts": practice.opinions(request)}))

    with fake.FakeEndpoint(slowly) as server:
        settings = JudgeSettings(
            judge="listwise",
            base_url=server.base_url,
            model="slow",
            orders=1,
            concurrency=given.groups,
        )
        yield open_judge(settings=settings)


async def step(judge: Judge, groups: Sequence[Sequence[Rollout]]) -> float:
    """Seconds from the first arrival until everybody has a share."""
    barrier = GroupBarrier(judge)
    started = time.perf_counter()
    shares = await asyncio.gather(
        *(
            member(barrier, Place(f"g{g}", session, len(rollouts)), rollout)
            for g, rollouts in enumerate(groups)
            for session, rollout in enumerate(rollouts)
        )
    )
    seconds = time.perf_counter() - started
    lost = [share.judged.trouble for share in shares if share.judged and share.judged.trouble]
    if lost or len(barrier):
        sys.exit(f"groups were lost: {lost[:1]}; entries left: {len(barrier)}")
    return seconds


async def member(barrier: GroupBarrier, place: Place, rollout: Rollout) -> Share:
    async with barrier.seat(place, rollout.task) as seat:
        return await seat.deliver(rollout)


def show(given: argparse.Namespace, times: Sequence[float]) -> None:
    table = Table(title=f"{given.groups} groups of {given.size}, judge's latency {given.latency} s")
    for column in ("step", "seconds", "times the latency", "added, ms"):
        table.add_column(column, justify="right")
    for n, seconds in enumerate(times):
        added = (seconds - given.latency) * 1000
        table.add_row(str(n), f"{seconds:.3f}", f"{seconds / given.latency:.3f}", f"{added:.0f}")
    Console(width=80).print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=8)
    parser.add_argument("--size", type=int, default=8)
    parser.add_argument("--latency", type=float, default=2.0, help="seconds")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--server", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
