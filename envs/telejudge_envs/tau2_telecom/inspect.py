"""What really happened in a tau2-Telecom trajectory: one replay, judged by the workflow's tables.

In: the world, a task, a trajectory. Out: an Inspection (see telejudge_envs.inspection).
"""

from __future__ import annotations

from collections.abc import Iterator

from telejudge_envs.examination import examine
from telejudge_envs.inspection import Inspection
from telejudge_envs.nouns.message import ToolCall, ToolResult
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Step, Trajectory
from telejudge_envs.tau2_telecom import tools
from telejudge_envs.tau2_telecom.conventions import TelecomConventions
from telejudge_envs.tau2_telecom.episode import Tau2Episode
from telejudge_envs.tau2_telecom.world import Tau2Telecom


def inspect(world: Tau2Telecom, task: Task, trajectory: Trajectory) -> Inspection:
    """Replay the calls once and examine each of them."""
    # a dual episode opens only with somebody to play the user; a replay needs nobody
    episode = world.replay(task, trajectory.model_copy(update={"messages": ()}))
    conventions = TelecomConventions(task, episode)
    steps: list[Step] = []
    turns: list[int] = []
    satisfied, written = [episode.satisfied()], 0
    for turn, call, result in _replayed(episode, trajectory):
        changes = episode.ledger[written:]
        written += len(changes)
        steps.append(
            Step(index=len(steps), owner=call.owner, call=call, result=result, changes=changes)
        )
        turns.append(turn)
        satisfied.append(episode.satisfied() if changes else satisfied[-1])
    return examine(
        conventions,
        task.view,
        trajectory,
        steps,
        turns,
        episode.outcome(),
        satisfied,
        conventions.start,
    )


def _replayed(
    episode: Tau2Episode, trajectory: Trajectory
) -> Iterator[tuple[int, ToolCall, ToolResult]]:
    """Call by call with its message's index, so that the state can be read in between.

    Only a message with `done` goes in whole: its other calls are not made.
    """
    solo = episode.task.view.mode == "solo"
    for turn, message in enumerate(trajectory.messages):
        calls = message.tool_calls
        together = solo and any(call.name == tools.DONE for call in calls)
        for part in [calls] if together else [(call,) for call in calls]:
            for call, result in episode.call_all(part):
                yield turn, call, result
