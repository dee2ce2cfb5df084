"""n rollouts of a prompt arrive one by one, a judge sees them all, each learns what it earned.

    barrier = GroupBarrier(judge, patience_s=900, judge_s=600)
    async with barrier.seat(Place("uid", session=2, size=8), task.view) as seat:
        rollout = await play(…)
        share = await seat.deliver(rollout)      # waits for the siblings and the judge
    share.reward, share.masked

All n run in one process and event loop, which is how verl's V1 trainer starts them. What happens
to a group whose members do not all come:

| what | the group | the member |
|---|---|---|
| a member raises or is cancelled | is judged without it | gets nothing: it is gone |
| a member comes later than `patience_s` after the first | is judged without it | masked, `late` |
| the judge abstains on a member | keeps the others | masked, with the judge's cause |
| the judge raises or takes longer than `judge_s` | is lost | all masked, `judge …` |
| fewer than two are scored | is lost | all masked |

Masked is no score: `reward` is None. A judge is asked once a group, in a task of its own, so that
groups are judged side by side and no member's end ends the judging. An entry lives as long as one
of its members sits there, or may still come.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_judges.protocol import Judge
from telejudge_training.group_reward import GroupReward, reward_group
from telejudge_training.settings import Scaling
from telejudge_training.verl_backend.shares import JudgedTogether, Place, Share, share_of

_log = logging.getLogger(__name__)

OnJudged = Callable[[JudgedTogether], None]


class GroupBarrier:
    """Where the groups of this process meet."""

    def __init__(
        self,
        judge: Judge,
        *,
        scaling: Scaling = "std",
        patience_s: float = 900.0,
        judge_s: float = 600.0,
        on_judged: OnJudged | None = None,
    ) -> None:
        self.judge: Judge = judge
        self.scaling: Scaling = scaling
        self.patience_s, self.judge_s = patience_s, judge_s
        self.on_judged = on_judged or (lambda judged: None)
        self._tables: dict[str, _Table] = {}

    def __len__(self) -> int:
        """Groups under way."""
        return len(self._tables)

    def seat(self, place: Place, task: TaskView) -> Seat:
        """A context: whoever leaves it without having delivered is a sibling less."""
        table = self._tables.get(place.uid)
        if table is None:
            table = self._tables[place.uid] = _Table(self, place, task)
        if table.place.size != place.size:
            raise UsageError(
                f"group {place.uid} has {table.place.size} members and {place.size} members"
            )
        return Seat(table, place.session)

    def _forget(self, table: _Table) -> None:
        if self._tables.get(table.place.uid) is table:
            del self._tables[table.place.uid]


class Seat:
    """One member's place in its group."""

    def __init__(self, table: _Table, session: int) -> None:
        self._table, self._session = table, session

    async def __aenter__(self) -> Seat:
        self._table.enter(self._session)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._table.leave(self._session)

    async def deliver(self, rollout: Rollout) -> Share:
        """Hand the rollout in and wait for what it earned. Never raises for the judge's sake."""
        return await self._table.deliver(self._session, rollout)


@dataclass(eq=False)
class _Table:
    """One group under way."""

    barrier: GroupBarrier
    place: Place
    task: TaskView
    rollouts: dict[int, Rollout] = field(default_factory=dict)
    seated: set[int] = field(default_factory=set)
    came: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    first: float | None = None
    verdict: asyncio.Future[JudgedTogether] = field(init=False)
    _judging: asyncio.Task[None] | None = None
    _patience: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self.verdict = asyncio.get_running_loop().create_future()

    def enter(self, session: int) -> None:
        if session in self.came:
            raise UsageError(f"group {self.place.uid}: session {session} came twice")
        self.came.add(session)
        self.seated.add(session)

    def leave(self, session: int) -> None:
        self.seated.discard(session)
        self.gone.add(session)
        if self._judging is None:
            self.rollouts.pop(session, None)  # nobody is there to be scored
            self._look_around()
        if not self.seated and (self._judging is not None or len(self.gone) == self.place.size):
            self._clear_away()

    async def deliver(self, session: int, rollout: Rollout) -> Share:
        if self._judging is None:
            self.rollouts[session] = rollout
            self._look_around()
        return share_of(await asyncio.shield(self.verdict), session, rollout)

    def _look_around(self) -> None:
        """Judge once everybody is here or will not come; else wait a while for the rest."""
        if self.rollouts and self.first is None:
            self.first = time.perf_counter()
        if len(self.rollouts.keys() | self.gone) == self.place.size:
            self._close()
        elif self._patience is None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(self.barrier.patience_s, self._close)

    def _close(self) -> None:
        self._stop_waiting()
        if self._judging is None and self.rollouts:
            self._judging = asyncio.get_running_loop().create_task(self._judge())
        elif not self.seated:
            self._clear_away()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _clear_away(self) -> None:
        self._stop_waiting()
        if self._judging is not None and not self.verdict.done():
            self._judging.cancel()
        self.barrier._forget(self)

    async def _judge(self) -> None:
        sessions = sorted(self.rollouts)
        rollouts = {session: self.rollouts[session] for session in sessions}
        label = f"{self.place.label}/" if self.place.label else ""
        group = Group(
            id=f"{label}{self.place.uid}",
            task=self.task,
            trajectories=tuple(rollouts[s].trajectory for s in sessions),
        )
        started = time.perf_counter()
        reward, trouble = await self._verdict_on(group)
        judged = JudgedTogether(
            place=self.place,
            group=group,
            rollouts=rollouts,
            reward=reward,
            trouble=trouble,
            missing=tuple(s for s in range(self.place.size) if s not in rollouts),
            waited_s=started - (self.first or started),
            judged_s=time.perf_counter() - started,
        )
        try:
            self.barrier.on_judged(judged)
        except Exception:  # a record that cannot be written is no reason to lose the group
            _log.exception("group %s could not be recorded", group.id)
        if not self.verdict.done():
            self.verdict.set_result(judged)

    async def _verdict_on(self, group: Group) -> tuple[GroupReward | None, str | None]:
        barrier = self.barrier
        limit = asyncio.timeout(barrier.judge_s)
        try:
            async with limit:
                return await reward_group(barrier.judge, group, barrier.scaling), None
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                return None, f"judge took longer than {barrier.judge_s:g} s"
            _log.exception("the judge failed on group %s", group.id)
            return None, f"judge failed: {type(error).__name__}: {error}"[:300]
