"""A replay examined step by step, by the conventions of its world.

In: the Conventions of one task, and the steps of a replay with what the world watched. Out: an
Inspection, without what only the world's own rules and oracle can add.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from telejudge_envs.conventions import FAULTY, SYMPTOM, Conventions, State
from telejudge_envs.inspection import InspectedStep, Inspection, Move
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Change, Outcome, Step, Trajectory


def examine(
    conventions: Conventions,
    task: TaskView,
    trajectory: Trajectory,
    steps: Sequence[Step],
    turns: Sequence[int],
    outcome: Outcome,
    satisfied_before: Sequence[bool],
    start: State,
) -> Inspection:
    """Put the conventions to every step of a replay.

    `turns` are the messages that the steps were part of; `start` is the watched state before all.
    """
    state = dict(start)
    known: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()
    examined: list[InspectedStep] = []
    for step, turn in zip(steps, turns, strict=True):
        if examined and examined[-1].turn != turn:
            known, fresh = known | fresh, frozenset()
        before = dict(state) if step.changes else state
        state.update((c.path, c.after) for c in step.changes if c.path in start)
        seen = _examine_step(conventions, step, turn, known, before, state, start)
        examined.append(seen)
        known = _age(known, step.changes)
        fresh = _age(fresh, step.changes) | seen.shows
    faults = tuple(p for p, v in start.items() if _is_fault(conventions, p, v))
    return Inspection(
        task=task,
        trajectory=trajectory,
        steps=tuple(examined),
        outcome=outcome,
        satisfied_before=tuple(satisfied_before),
        symptom=conventions.symptom,
        blockers=conventions.blockers,
        id_arguments=conventions.id_arguments,
        faults=faults,
        left=tuple(p for p in faults if conventions.rank(p, state[p]) == FAULTY),
        worse=frozenset(p for p in start if _is_worse(conventions, p, start[p], state[p])),
        texts=_texts(trajectory),
    )


def _examine_step(
    conventions: Conventions,
    step: Step,
    turn: int,
    known: frozenset[str],
    before: State,
    after: State,
    start: State,
) -> InspectedStep:
    call, ok = step.call, not step.result.error
    malformed = conventions.complaint(call)
    effect = conventions.effect(call.name)
    write = effect == "write" and malformed is None
    return InspectedStep(
        step=step,
        turn=turn,
        effect=effect,
        malformed=malformed,
        shows=frozenset(conventions.shows(step, after)) if ok else frozenset(),
        known=known,
        moves=tuple(_move(conventions, c) for c in step.changes if c.path in after),
        needed=write and ok and conventions.needed(call, before, start),
        unchecked=_unchecked(conventions.checks(call, before), known) if write else (),
        confirms=conventions.confirms(call, before) if write and ok else frozenset(),
        violation=conventions.violation(call, before, after, start) if write and ok else None,
        foreign=tuple(c.path for c in step.changes if conventions.foreign(c.path)),
        charged=any(conventions.charge(c) for c in step.changes),
    )


def _unchecked(alternatives: tuple[frozenset[str], ...], known: frozenset[str]) -> tuple[str, ...]:
    if not alternatives or any(paths <= known for paths in alternatives):
        return ()
    return tuple(sorted(alternatives[0] - known))


def _age(known: frozenset[str], changes: Sequence[Change]) -> frozenset[str]:
    if not changes:
        return known
    changed = {change.path for change in changes}
    return frozenset(p for p in known if p not in changed and not p.startswith(SYMPTOM))


def _move(conventions: Conventions, change: Change) -> Move:
    old = conventions.rank(change.path, change.before)
    new = conventions.rank(change.path, change.after)
    kind: Literal["repair", "harm", "change"] = "change"
    if old is not None and new is not None and old != new:
        kind = "repair" if new > old else "harm"
    derived = conventions.derived(change.path)
    return Move(change.path, change.before, change.after, kind, derived)


def _is_fault(conventions: Conventions, path: str, value: Any) -> bool:
    if path in conventions.blockers or conventions.derived(path):
        return False
    return conventions.rank(path, value) == FAULTY


def _is_worse(conventions: Conventions, path: str, start: Any, end: Any) -> bool:
    if start == end or conventions.derived(path):
        return False
    old, new = conventions.rank(path, start), conventions.rank(path, end)
    return old is not None and new is not None and new < old


def _texts(trajectory: Trajectory) -> tuple[tuple[int, str], ...]:
    """What was said to the agent. Tool results are taken from the replay, not from the record."""
    heard, calls = [], 0
    for message in trajectory.messages:
        if message.role in ("system", "user") and message.text:
            heard.append((calls, message.text))
        calls += len(message.tool_calls)
    return tuple(heard)
