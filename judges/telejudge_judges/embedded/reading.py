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
from functools import lru_cache
from typing import NamedTuple

from telejudge_envs.nouns.message import ToolCall
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.slots import Kinds, Parts, Slots, object_in
from telejudge_envs.steps import steps_of


class CandidateText(NamedTuple):
    """Calls with their results, in order, and the reason why the episode ended."""

    steps: tuple[tuple[str, str], ...]
    stop: str


class CaseText(NamedTuple):
    ticket: str
    candidates: tuple[CandidateText, ...]


class ToldStep(NamedTuple):
    """A call and its result before their names become slots. `arguments` are JSON, or, when `raw`,
    what the agent wrote in its place, in which no name is looked for."""

    owner: str
    name: str
    arguments: Parts
    raw: bool
    result: Parts


class Told(NamedTuple):
    """What is read of a candidate, whoever it is compared with."""

    steps: tuple[ToldStep, ...]
    stop: str


def read_case(view: TaskView, trajectories: Sequence[Trajectory], kinds: Kinds) -> CaseText:
    """Names become slots that all candidates share, so that the same site has the same name in all
    of them; which slot a name gets follows from the ticket and the candidates in their order."""
    return case_of(view.ticket, [told(one, kinds) for one in trajectories], kinds)


def told(trajectory: Trajectory, kinds: Kinds) -> Told:
    slots = Slots(kinds)
    steps = []
    for step in steps_of(trajectory):
        call = step.call
        arguments = (call.raw,) if call.raw is not None else slots.parts(_json(call.arguments))
        result = slots.parts(step.result.content)
        steps.append(ToldStep(call.owner, call.name, arguments, call.raw is not None, result))
    return Told(tuple(steps), trajectory.stop)


def case_of(ticket: str, candidates: Sequence[Told], kinds: Kinds) -> CaseText:
    """As `read_case`, of candidates that were told before."""
    slots = Slots(kinds)
    hidden = slots.hide(ticket)
    return CaseText(hidden, tuple(_candidate(one, slots) for one in candidates))


def _candidate(one: Told, slots: Slots) -> CandidateText:
    steps = []
    for step in one.steps:
        arguments = slots.fill(step.arguments)
        if not step.raw:
            plain = "".join([x if isinstance(x, str) else x[1] for x in step.arguments])
            arguments = _written(arguments, plain)
        steps.append((_call(step.owner, step.name, arguments), slots.fill(step.result)))
    return CandidateText(tuple(steps), one.stop)


@lru_cache(maxsize=65536)
def _written(hidden: str, plain: str) -> str:
    """Arguments with slots, as JSON is written; `plain` when the slots left no JSON of them."""
    found = object_in(hidden)
    return plain if found is None else _json(found)


def call_text(call: ToolCall) -> str:
    """As tiny agents write it, so that both learn the same phrases; a user's call says so."""
    return _call(call.owner, call.name, _json(call.arguments) if call.raw is None else call.raw)


def _call(owner: str, name: str, arguments: str) -> str:
    by = "" if owner == "agent" else f"{owner} "
    return f'{by}<tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'


def _json(arguments: object) -> str:
    return json.dumps(arguments, ensure_ascii=False)
