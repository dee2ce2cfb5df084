"""From a trajectory's messages and ledger to its steps."""

from __future__ import annotations

from collections import defaultdict

from telejudge_envs.nouns.message import ToolResult
from telejudge_envs.nouns.trajectory import Change, Step, Trajectory


def steps_of(trajectory: Trajectory) -> tuple[Step, ...]:
    """Every call with its result and changes, in the order in which the calls were made.

    A call that was never answered (the episode stopped first) gets an empty error result.
    """
    changes: dict[str, list[Change]] = defaultdict(list)
    for change in trajectory.changes:
        changes[change.call_id].append(change)
    results = {
        m.tool_call_id: ToolResult(call_id=m.tool_call_id, content=m.text, error=m.error)
        for m in trajectory.messages
        if m.role == "tool" and m.tool_call_id is not None
    }
    calls = [call for m in trajectory.messages for call in m.tool_calls]
    return tuple(
        Step(
            index=i,
            owner=call.owner,
            call=call,
            result=results.get(call.id, ToolResult(call_id=call.id, content="", error=True)),
            changes=tuple(changes[call.id]),
        )
        for i, call in enumerate(calls)
    )
