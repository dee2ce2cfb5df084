"""One group under judgement: who is to be scored, what it costs, and the group verdict at the end.

    sitting = Sitting(judge, group)
    sitting.judged                        # trajectories whose stop was nobody else's fault
    sitting.account.note("…")
    return sitting.close({"t1": verdict})  # the others are abstained with their causes

What all kinds of judges do in the same way, so that each kind's file holds only its idea.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from telejudge_envs.errors import TelejudgeError, UsageError
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import Ballot, GroupVerdict, Verdict
from telejudge_judges.account import Account
from telejudge_judges.briefing import Briefing, Briefings
from telejudge_judges.excuse import excuse
from telejudge_judges.protocol import Judge
from telejudge_judges.ranking import tiers


class Sitting:
    """Raises UsageError when two trajectories share an id: verdicts could not be told apart."""

    def __init__(self, judge: Judge, group: Group) -> None:
        if len({t.id for t in group.trajectories}) < len(group.trajectories):
            raise UsageError(f"group {group.id} holds two trajectories of the same id")
        self.judge, self.group = judge, group
        self.account = Account()
        self._started = time.monotonic()
        self._excused = {t.id: excuse(t) for t in group.trajectories}

    @property
    def judged(self) -> list[Trajectory]:
        """The trajectories that are to be scored, in the group's order."""
        return [t for t in self.group.trajectories if self._excused[t.id] is None]

    def brief(self, briefings: Briefings | None) -> Briefing:
        """The world's briefing; a group whose world does not know it is judged without one."""
        brief, problem = briefing_of(briefings, self.group.task)
        if problem:
            self.account.note(f"no tool schemas shown: {problem}")
        return brief

    def close(
        self,
        verdicts: Mapping[str, Verdict],
        *,
        ballots: Sequence[Ballot] = (),
        order_flip_rate: float | None = None,
    ) -> GroupVerdict:
        """The group's verdict from verdicts by trajectory id; a judged one without is "missing"."""
        said = tuple(
            verdicts.get(t.id)
            or Verdict(trajectory_id=t.id, abstained=self._excused[t.id] or "missing")
            for t in self.group.trajectories
        )
        spent = self.account.meter.usage
        return GroupVerdict(
            group_id=self.group.id,
            task_id=self.group.task.id,
            judge=self.judge.name,
            judge_version=self.judge.version,
            verdicts=said,
            ranking=tiers(said),
            order_flip_rate=order_flip_rate,
            calls=spent.requests,
            cached_calls=self.account.cached,
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            seconds=time.monotonic() - self._started,
            notes=tuple(self.account.notes),
            ballots=tuple(ballots),
        )


def briefing_of(briefings: Briefings | None, task: TaskView) -> tuple[Briefing, str]:
    """The world's briefing on a task, or an empty one and why it is empty."""
    if briefings is None:
        return Briefing(), ""
    try:
        return briefings(task), ""
    except TelejudgeError as error:
        return Briefing(), str(error)


def abstain(trajectory_id: str, cause: str) -> Verdict:
    """A verdict that says nothing but why."""
    return Verdict(trajectory_id=trajectory_id, abstained=cause[:300])
