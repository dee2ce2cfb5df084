"""What the embedded judge reads of a group: the ticket, and of each candidate its calls, their
results and how it ended.

    case = read_case(view, trajectories, kinds)
    case.candidates[0].steps[2]        # ('<tool_call>{"name": …', '{"status": "on"}')

Not a word that an agent says is read: neither its messages nor its thoughts, only what it called
and with which arguments. What cannot be read cannot talk a judge round.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.slots import Kinds, Slots
from telejudge_envs.steps import steps_of


class CandidateText(NamedTuple):
    """Calls with their results, in order, and the reason why the episode ended."""

    steps: tuple[tuple[str, str], ...]
    stop: str


class CaseText(NamedTuple):
    ticket: str
    candidates: tuple[CandidateText, ...]


def read_case(view: TaskView, trajectories: Sequence[Trajectory], kinds: Kinds) -> CaseText:
    """Names become slots that all candidates share, so that the same site has the same name in all
    of them; which slot a name gets follows from the ticket and the candidates in their order."""
    slots = Slots(kinds)
    ticket = slots.hide(view.ticket)
    return CaseText(ticket, tuple(_candidate(one, slots) for one in trajectories))


def _candidate(trajectory: Trajectory, slots: Slots) -> CandidateText:
    steps = []
    for step in steps_of(trajectory):
        call = call_text(_hidden(step.call, slots))
        steps.append((call, slots.hide(step.result.content)))
    return CandidateText(tuple(steps), trajectory.stop)


def _hidden(call: ToolCall, slots: Slots) -> ToolCall:
    return slots.hide_message(Message(role="assistant", tool_calls=(call,))).tool_calls[0]


def call_text(call: ToolCall) -> str:
    """As tiny agents write it, so that both learn the same phrases; a user's call says so."""
    arguments = json.dumps(call.arguments, ensure_ascii=False) if call.raw is None else call.raw
    owner = "" if call.owner == "agent" else f"{call.owner} "
    return f'{owner}<tool_call>{{"name": "{call.name}", "arguments": {arguments}}}</tool_call>'
