"""The ground-truth judge: the world's own outcome, and detectors that need no model.

In: a group of trajectories. Out: a verdict for each, from replaying it in its world.

    judge = Verifier(open_world)                  # open_world: the world by its name
    verdict = judge.judge_now(group)              # or: await judge.judge(group)
    verdict.verdicts[0].answer, verdict.verdicts[0].tools, verdict.verdicts[0].reward

`answer` is the outcome, `tools` the product over the defects of (1 - weight of their kind),
`reward` is fuse(answer, tools, defects). A trajectory that failed through no fault of the agent,
or cannot be replayed, is abstained: never scored, never an exception.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from telejudge_envs.errors import TelejudgeError
from telejudge_envs.inspection import Inspection, inspect
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_envs.protocol import World
from telejudge_judges.detectors.catalogue import find_defects, tools_score
from telejudge_judges.excuse import excuse
from telejudge_judges.fuse import fuse
from telejudge_judges.ranking import tiers


class Verifier:
    """Implements the Judge protocol. Worlds are opened once and kept."""

    name = "verifier"
    version = "2"

    def __init__(self, open_world: Callable[[str], World]) -> None:
        self._open_world = open_world
        self._worlds: dict[str, World] = {}

    async def judge(self, group: Group) -> GroupVerdict:
        return self.judge_now(group)

    def judge_now(
        self, group: Group, inspections: Mapping[str, Inspection] | None = None
    ) -> GroupVerdict:
        """Judge a group; `inspections` (by trajectory id) spares the replay of those given."""
        started = time.perf_counter()
        given = inspections or {}
        verdicts = tuple(
            self._verdict(t, given.get(t.id))
            if t.task_id == group.task.id
            else _abstain(t, f"is of another task: {t.task_id}")
            for t in group.trajectories
        )
        return GroupVerdict(
            group_id=group.id,
            task_id=group.task.id,
            judge=self.name,
            judge_version=self.version,
            verdicts=verdicts,
            ranking=tiers(verdicts),
            seconds=time.perf_counter() - started,
        )

    def inspect(self, trajectory: Trajectory) -> Inspection:
        """Replay one trajectory. Raises whatever its world raises for a broken one."""
        world = self._worlds.get(trajectory.world)
        if world is None:
            world = self._worlds[trajectory.world] = self._open_world(trajectory.world)
        return inspect(world, world.task(trajectory.task_id, trajectory.mode), trajectory)

    def _verdict(self, trajectory: Trajectory, inspection: Inspection | None) -> Verdict:
        if cause := excuse(trajectory):
            return _abstain(trajectory, cause)
        try:
            return score(trajectory.id, inspection or self.inspect(trajectory))
        except TelejudgeError as error:
            return _abstain(trajectory, f"cannot be replayed: {error}")
        except Exception as error:  # a record may hold anything; a verdict must never be invented
            return _abstain(trajectory, f"replay broke: {type(error).__name__}: {error}")


def score(trajectory_id: str, inspection: Inspection) -> Verdict:
    """The verdict on an inspected trajectory."""
    if inspection.outcome.faults:
        fault = inspection.outcome.faults[0]
        cause = f"{fault.owner}: {fault.cause}"
        return Verdict(trajectory_id=trajectory_id, abstained=cause)
    defects = find_defects(inspection)
    answer, tools = inspection.outcome.answer, tools_score(defects)
    return Verdict(
        trajectory_id=trajectory_id,
        answer=answer,
        tools=tools,
        defects=defects,
        reward=fuse(answer, tools, defects),
        confidence=1.0,
    )


def _abstain(trajectory: Trajectory, cause: str) -> Verdict:
    return Verdict(trajectory_id=trajectory.id, abstained=cause[:300])
