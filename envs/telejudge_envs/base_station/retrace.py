"""A trajectory's calls made again, with what rules and oracle want to know of every step.

In: a fresh episode and the messages of a trajectory. Out: the steps, each between two snapshots.

    steps = retrace(world.fresh(task, seed), trajectory.messages)
    violations(rule_steps(steps), task_info(task, trajectory))
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telejudge_envs.base_station.episode import BaseStationEpisode, tool_named
from telejudge_envs.base_station.observe import observe
from telejudge_envs.base_station.oracle.belief import clocked_of
from telejudge_envs.base_station.oracle.steps import OracleStep
from telejudge_envs.base_station.rules.record import RuleStep, Situation, TaskInfo, situation
from telejudge_envs.nouns.message import Effect, Message, ToolCall, ToolResult
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Change


@dataclass(frozen=True, slots=True)
class Traced:
    """One call. `bits`: the effects of the focus site when its result was made; `shows` names those
    that the result told; `sets`: facts it left fixed; `clocked`: settings of time after it."""

    index: int
    turn: int
    call: ToolCall
    result: ToolResult
    effect: Effect | None
    shows: tuple[str, ...]
    sets: Mapping[str, int]
    bits: Mapping[str, int]
    bits_before: Mapping[str, int]
    clocked: Mapping[str, int]
    before: Situation
    after: Situation
    changes: tuple[Change, ...]
    satisfied: bool

    @property
    def content(self) -> Any:
        """The result as parsed JSON, or its text when it is none."""
        try:
            return json.loads(self.result.content)
        except ValueError:
            return self.result.content


def retrace(episode: BaseStationEpisode, messages: Sequence[Message]) -> list[Traced]:
    """Make the calls on the episode, one after the other. `satisfied` is as of after each call."""
    steps: list[Traced] = []
    satisfied = episode.satisfied()
    for turn, message in enumerate(messages):
        for call in message.tool_calls:
            step = _made(episode, turn, len(steps), call, satisfied)
            satisfied = step.satisfied
            steps.append(step)
    return steps


def _made(
    episode: BaseStationEpisode, turn: int, index: int, call: ToolCall, satisfied: bool
) -> Traced:
    db = episode.db
    before, bits_before = situation(db), observe(db)[db.focus]
    shows, sets = _declared(episode, call)
    written = len(episode.ledger)
    ((own, result),) = episode.call_all((call,))
    changes = episode.ledger[written:]
    tool = tool_named(call.name)
    return Traced(
        index=index,
        turn=turn,
        call=own,
        result=result,
        effect=None if tool is None else tool.marked.effect,
        shows=() if result.error else shows,
        sets={} if result.error else sets,
        bits=observe(db)[db.focus],
        bits_before=bits_before,
        clocked=clocked_of(db) if changes else {},
        before=before,
        after=situation(db),
        changes=changes,
        satisfied=episode.satisfied() if changes else satisfied,
    )


def _declared(
    episode: BaseStationEpisode, call: ToolCall
) -> tuple[tuple[str, ...], dict[str, int]]:
    """What the tool says of itself for these arguments; nothing for a call that does not fit."""
    tool = tool_named(call.name)
    if tool is None or call.raw is not None or tool.complaint(call.arguments) is not None:
        return (), {}
    arguments = tool.arguments.model_validate(call.arguments).model_dump()
    try:
        return tool.marked.shows(episode.db, arguments), tool.marked.sets(episode.db, arguments)
    except (LookupError, TypeError, ValueError):  # ids that do not exist: the call fails as well
        return (), {}


def rule_steps(steps: Iterable[Traced]) -> list[RuleStep]:
    return [
        RuleStep(
            index=step.index,
            owner=step.call.owner,
            tool=step.call.name,
            arguments=step.call.arguments,
            ok=not step.result.error,
            content=step.content,
            effect=step.effect,
            before=step.before,
            after=step.after,
            shows=step.shows,
            message=step.turn,
        )
        for step in steps
    ]


def oracle_steps(steps: Iterable[Traced]) -> list[OracleStep]:
    return [
        OracleStep(
            tool=step.call.name,
            arguments=step.call.arguments,
            ok=not step.result.error,
            effect=step.effect or "read",
            shows=step.shows,
            sets=step.sets,
            bits={name: step.bits[name] for name in step.shows},
            clocked=step.clocked,
        )
        for step in steps
    ]


def task_info(task: TaskView, messages: Sequence[Message]) -> TaskInfo:
    """What was said besides calls and results."""
    said, calls = [], 0
    for message in messages:
        if message.role == "user" and message.text:
            said.append((calls, message.text))
        calls += len(message.tool_calls)
    return TaskInfo(ticket=task.ticket, mode=task.mode, said=tuple(said))
