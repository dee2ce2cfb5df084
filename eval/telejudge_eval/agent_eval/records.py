"""Judged groups in, one flat record an episode out: all that measures and comparisons look at.

episodes = episodes_of(judged_by_verifier(rollouts)["gpt-4.1, dual"], open_world)
episodes[0].success, episodes[0].reward, episodes[0].defects
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from telejudge_envs.nouns.base import Mode, Noun
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Outcome, Trajectory
from telejudge_envs.nouns.verdict import Severity, Verdict
from telejudge_envs.protocol import World
from telejudge_eval.agent_eval.faults import faults_of


class Found(Noun):
    """A kind of defect in an episode, under its hardest severity."""

    kind: str
    severity: Severity


class Episode(Noun):
    """One episode of one agent on one task.

    `success` is the world's own reward being 1; None when somebody else's failure (`excused`) left
    nothing to score. `answer`, `tools`, `reward` are the verifier's; None when it abstained.
    `tokens` is None where none were recorded (scripted agents, imported files).
    """

    id: str
    task_id: str
    ticket: str
    world: str
    mode: Mode
    split: str
    level: int
    faults: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    success: bool | None
    excused: str | None = None
    tools: float | None = None
    reward: float | None = None
    defects: tuple[Found, ...] = ()
    calls: int
    tokens: int | None = None
    cost_usd: float = 0.0
    user_tokens: int | None = None
    """Of the model that played the user; None where none did."""
    user_cost_usd: float = 0.0
    seconds: float = 0.0
    stop: str

    @property
    def task(self) -> tuple[str, str, str, str]:
        """Equal for episodes of one task; a corrected ticket makes another task."""
        return self.world, self.task_id, self.mode, self.ticket


def episodes_of(
    judged: Sequence[JudgedGroup], open_world: Callable[[str], World]
) -> tuple[Episode, ...]:
    """Episodes in the order of the groups."""
    worlds: dict[str, World] = {}
    found: list[Episode] = []
    for one in judged:
        view = one.group.task
        world = worlds.setdefault(view.world, open_world(view.world))
        faults = faults_of(world.task(view.id, view.mode))
        verdicts = {v.trajectory_id: v for v in one.verdict.verdicts}
        for trajectory in one.group.trajectories:
            outcome = one.outcomes.get(trajectory.id)
            found.append(_episode(view, faults, trajectory, verdicts[trajectory.id], outcome))
    return tuple(found)


def _episode(
    view: TaskView,
    faults: tuple[str, ...],
    trajectory: Trajectory,
    verdict: Verdict,
    outcome: Outcome | None,
) -> Episode:
    fault = outcome.faults[0] if outcome and outcome.faults else None
    usage, users = trajectory.usage, trajectory.user_usage
    return Episode(
        id=trajectory.id,
        task_id=view.id,
        ticket=view.ticket,
        world=view.world,
        mode=trajectory.mode,
        split=view.split,
        level=view.level,
        faults=faults,
        marks=view.marks,
        success=None if outcome is None or fault else outcome.world_reward == 1,
        excused=f"{fault.owner}: {fault.cause}" if fault else None,
        tools=verdict.tools,
        reward=verdict.reward,
        defects=_found(verdict),
        calls=usage.calls,
        tokens=usage.prompt_tokens + usage.completion_tokens if usage.requests else None,
        cost_usd=usage.cost_usd,
        user_tokens=None if users is None else users.prompt_tokens + users.completion_tokens,
        user_cost_usd=0.0 if users is None else users.cost_usd,
        seconds=usage.seconds,
        stop=trajectory.stop,
    )


def _found(verdict: Verdict) -> tuple[Found, ...]:
    order: tuple[Severity, ...] = ("soft", "hard", "safety")
    hardest: dict[str, Severity] = {}
    for defect in verdict.defects:
        both: list[Severity] = [hardest.get(defect.kind, "soft"), defect.severity]
        hardest[defect.kind] = max(both, key=order.index)
    return tuple(Found(kind=kind, severity=hardest[kind]) for kind in sorted(hardest))
