"""Trajectories as blocks of evidence, and what they have in common.

In: a Group. Out: a `Case`: its distinct candidates without ids of any kind, their common beginning
and the results that occur more than once.

    case = prepare(group, include_reasoning=False, merge_identical=True)
    case.candidates[0].members     # the trajectories that did exactly this

Task ids, levels, agent names and trajectory ids never get in: tau2's task ids name the faults.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Group, Step, Trajectory
from telejudge_envs.steps import steps_of
from telejudge_judges.opaque import digest

REPEATED_FROM = 60
"""Characters from which a result that occurs twice is shown once and referred to."""

AS_GIVEN = "(as in the arguments)"
"""Stands for a changed value that repeats the call's own arguments, such as a filed report."""

_NAME = re.compile(r"[A-Za-z_][\w.-]{0,79}", re.ASCII)
_THINKING = re.compile(r"\s*<think>.*?(</think>\s*|$)", re.DOTALL)


class Block(NamedTuple):
    """A call with its result and changes, or something said. Equal blocks are the same event."""

    head: str
    """`name {arguments}` of a call; who speaks otherwise."""
    text: str
    """The result, or what was said."""
    is_call: bool = False
    failed: bool = False
    changes: tuple[tuple[str, str, str], ...] = ()
    """Path, before and after (JSON) of each ledger entry."""
    reasoning: str = ""


@dataclass(frozen=True)
class Candidate:
    """One way that the case was handled, and the ids of the trajectories that handled it so."""

    blocks: tuple[Block, ...]
    stop: str
    members: tuple[str, ...]
    hash: str

    @property
    def calls(self) -> int:
        return sum(block.is_call for block in self.blocks)


@dataclass(frozen=True)
class Case:
    """A prepared group; candidates stand in the order of their hashes, whatever the group's was."""

    ticket: str
    mode: str
    max_steps: int
    policy: str
    candidates: tuple[Candidate, ...]
    common: int
    """How many blocks all candidates begin with."""
    repeated: tuple[str, ...]
    """Results that occur more than once, in order of appearance."""
    hash: str
    siblings: tuple[Candidate, ...] = ()
    """Candidates of the whole group that this part of it does not show."""


def part_of(case: Case, members: Sequence[int]) -> Case:
    """The case with these candidates only; the others stay known as its siblings."""
    shown = tuple(case.candidates[i] for i in sorted(members))
    hidden = tuple(c for i, c in enumerate(case.candidates) if i not in set(members))
    return replace(
        case,
        candidates=shown,
        common=_common(shown),
        repeated=_repeated(shown),
        hash=digest(case.hash, *(c.hash for c in shown)),
        siblings=(*case.siblings, *hidden),
    )


def alone(case: Case, number: int) -> Case:
    """The candidate as if there were no other: what is shown of it depends on nobody else."""
    one = part_of(case, (number,))
    own = digest(case.ticket, case.policy, one.candidates[0].hash)
    return replace(one, siblings=(), hash=own)


def prepare(
    group: Group,
    trajectories: Iterable[Trajectory],
    *,
    policy: str = "",
    include_reasoning: bool = False,
    merge_identical: bool = True,
) -> Case:
    """The case of those `trajectories` of the group that are to be judged.

    `policy` stands in when they have no system message. Trajectories that did exactly the same are
    one candidate unless `merge_identical` is off.
    """
    judged = tuple(trajectories)
    policies = [m.text for t in judged for m in t.messages[:1] if m.role == "system"]
    policy = policies[0] if policies else policy
    known = {policy, group.task.ticket}
    candidates = _candidates(judged, known, include_reasoning, merge_identical)
    return Case(
        ticket=group.task.ticket,
        mode=group.task.mode,
        max_steps=group.task.max_steps,
        policy=policy,
        candidates=candidates,
        common=_common(candidates),
        repeated=_repeated(candidates),
        hash=digest(group.task.ticket, policy, *(c.hash for c in candidates)),
    )


def _candidates(
    judged: Sequence[Trajectory], known: set[str], reasoning: bool, merge: bool
) -> tuple[Candidate, ...]:
    found: dict[str, Candidate] = {}
    for nth, trajectory in enumerate(sorted(judged, key=lambda t: t.id)):
        blocks = tuple(_blocks(trajectory, known, reasoning))
        own = digest(repr(blocks), trajectory.stop)
        key = own if merge else f"{own}|{nth}"
        twin = found.get(key)
        members = (*twin.members, trajectory.id) if twin else (trajectory.id,)
        found[key] = Candidate(blocks, trajectory.stop, members, own)
    return tuple(found[key] for key in sorted(found))


def _blocks(trajectory: Trajectory, known: set[str], reasoning: bool) -> Iterable[Block]:
    """Events in order. What the case shows anyway (policy, ticket) is left out."""
    steps = iter(steps_of(trajectory))
    opening = True
    for message in trajectory.messages:
        opening = opening and message.role in ("system", "user")
        if message.role == "tool" or (opening and message.text in known):
            continue
        thought = (message.reasoning or "") if reasoning else ""
        said = _THINKING.sub("", message.text, count=1) if not reasoning else message.text
        if said.strip() or (thought and not message.tool_calls):
            yield Block(head=_speaker(message), text=said, reasoning=thought)
            thought = ""
        for _ in message.tool_calls:
            yield _call_block(next(steps), thought)
            thought = ""


def _call_block(step: Step, thought: str) -> Block:
    call = step.call
    arguments = one_line(call.raw) if call.raw is not None else compact(call.arguments)
    raw = " (arguments are no JSON object)" if call.raw is not None else ""
    who = " (by the user)" if call.owner == "user" else ""
    name = call.name if _NAME.fullmatch(call.name) else one_line(call.name)
    return Block(
        head=f"{name} {arguments}{raw}{who}",
        text=step.result.content,
        is_call=True,
        failed=step.result.error,
        changes=tuple(
            (c.path, compact(c.before), _after(c.after, call.arguments)) for c in step.changes
        ),
        reasoning=thought,
    )


def _after(value: Any, arguments: dict[str, Any]) -> str:
    """The value as JSON; what only repeats a call's arguments is not told twice."""
    if isinstance(value, dict) and len(value) > 1 and value == arguments:
        return AS_GIVEN
    return compact(value)


def _speaker(message: Message) -> str:
    return {"assistant": "agent says", "user": "user says"}.get(message.role, message.role)


def _common(candidates: Sequence[Candidate]) -> int:
    """Blocks that all share; without a second candidate there is nothing to share."""
    if len(candidates) < 2:
        return 0
    count = 0
    for row in zip(*(c.blocks for c in candidates), strict=False):
        if any(block != row[0] for block in row):
            break
        count += 1
    return count


def _repeated(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    common = _common(candidates)
    shown = list(candidates[0].blocks[:common]) if candidates else []
    shown += [b for c in candidates for b in c.blocks[common:]]
    counts = Counter(b.text for b in shown if b.is_call and len(b.text) >= REPEATED_FROM)
    return tuple(text for text, count in counts.items() if count > 1)


def compact(value: Any) -> str:
    """JSON on one line, keys in their order."""
    return printable(json.dumps(value, ensure_ascii=False, separators=(", ", ": "), default=str))


def one_line(text: str) -> str:
    """The text as a JSON string: quoted, on one line."""
    return printable(json.dumps(text, ensure_ascii=False))


def printable(line: str) -> str:
    """The line with what breaks lines or turns their direction spelt as \\uXXXX."""
    return line.translate(_SPELT)


_SPELT = {
    code: f"\\u{code:04x}"
    for code in (
        *range(0x09),
        *range(0x0A, 0x20),
        *range(0x7F, 0xA0),
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x206A),
        0xFEFF,
    )
}
