"""The verifier's door to the truth: what really happened in a trajectory, step by step.

In: a world, one of its tasks (with the hidden part) and a trajectory. Out: an Inspection, made by
replaying the calls. Detectors read nothing else: transcript, ledger, state and policy tables are
all in it, the gold list is not.

    inspection = inspect(world, world.task(task_id), trajectory)
    inspection.steps[3].moves       -> (Move("device.data_enabled", False, True, "repair"),)
    inspection.steps[3].unchecked   -> ()     what it should have looked at before writing
    inspection.solvable             -> True   by the policy and the initial state

A world joins by an `inspect` module beside its `world` module (see tau2_telecom/inspect.py): it
replays, and hands its Conventions to `examine`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Effect, ToolCall
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.nouns.trajectory import Change, Outcome, Step, Trajectory
from telejudge_envs.nouns.verdict import Severity
from telejudge_envs.protocol import World

State = Mapping[str, Any]
"""Ledger paths with their JSON values, as far as the world watches them."""

SYMPTOM = "symptom."
"""Prefix of paths for what a customer notices (can he send a picture?): any change ages them."""

FAULTY = 0
"""The rank of a value that needs repair."""


class Conventions(Protocol):
    """What a world knows about its tools and settings, for one task; tables behind functions."""

    @property
    def symptom(self) -> str:
        """The symptom path that tells whether this customer's problem is gone."""
        ...

    @property
    def blockers(self) -> tuple[str, ...]:
        """Paths whose values forbid the agent to solve the task; none when it is solvable."""
        ...

    @property
    def id_arguments(self) -> frozenset[str]:
        """Names of arguments that must have been read somewhere before they are used."""
        ...

    def effect(self, tool: str) -> Effect | None:
        """None for a tool that does not exist."""
        ...

    def complaint(self, call: ToolCall) -> str | None:
        """Why the call does not fit its tool; None when it does."""
        ...

    def rank(self, path: str, value: Any) -> int | None:
        """How healthy a setting is: 0 (FAULTY) needs repair, more is better, None: no opinion."""
        ...

    def derived(self, path: str) -> bool:
        """Whether a path follows from others and is nobody's direct doing."""
        ...

    def foreign(self, path: str) -> bool:
        """Whether a path belongs to an object that the ticket does not concern."""
        ...

    def charge(self, change: Change) -> bool:
        """Whether a change costs the customer money."""
        ...

    def shows(self, step: Step, state: State) -> Iterable[str]:
        """The paths whose current value the step's result told; `state` is after the step."""
        ...

    def needed(self, call: ToolCall, state: State, start: State) -> bool:
        """Whether policy and state before the call ask for this write."""
        ...

    def checks(self, call: ToolCall, state: State) -> tuple[frozenset[str], ...]:
        """Alternatives: to have seen all paths of one of them is to have looked before writing."""
        ...

    def confirms(self, call: ToolCall, state: State) -> frozenset[str]:
        """Paths that the policy wants read again after this write."""
        ...

    def violation(self, call: ToolCall, before: State, after: State, start: State) -> str | None:
        """The policy's rule that a successful call broke."""
        ...


@dataclass(frozen=True, slots=True)
class Move:
    """One watched path that a call changed; `repair` raised its rank, `harm` lowered it."""

    path: str
    before: Any
    after: Any
    kind: Literal["repair", "harm", "change"]
    derived: bool = False


@dataclass(frozen=True, slots=True)
class CallLabel:
    """What an oracle says of a call that knows only what the agent had seen before it.

    `gain_bits`: information the result brought (None for a call that shows nothing);
    `target_probability`: of a write, that what it would repair was broken (None: it repairs
    nothing); `possible`: whether that was possible at all; `sufficient`: no cheaper action would
    have done; `cheapest`: that action; `sentence`: the label in words; `purpose`: what the call was
    good for, `none` when for nothing; `interrupts`: it took users off the air.
    """

    gain_bits: float | None
    target_probability: float | None
    possible: bool
    sufficient: bool
    cheapest: str
    sentence: str
    approximate: bool = False
    purpose: str = ""
    interrupts: bool = False


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule of the world's policy that was broken, and the kind of defect that this is."""

    step: int | None
    rule: int
    kind: str
    severity: Severity
    reason: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class InspectedStep:
    """A call with its truth. `turn`: the message it was part of. `known`: paths whose current value
    earlier messages' results had told; calls of one message cannot build on each other."""

    step: Step
    turn: int
    effect: Effect | None
    malformed: str | None
    shows: frozenset[str]
    known: frozenset[str]
    moves: tuple[Move, ...]
    needed: bool
    unchecked: tuple[str, ...]
    confirms: frozenset[str]
    violation: str | None
    foreign: tuple[str, ...]
    charged: bool
    label: CallLabel | None = None

    @property
    def ok(self) -> bool:
        return not self.step.result.error

    @property
    def own(self) -> bool:
        """Whether the agent made the call; a user's calls are evidence, never its defects."""
        return self.step.owner == "agent"

    @property
    def wrote(self) -> bool:
        """Whether the call changed a setting, symptoms and other derived paths aside."""
        return any(not move.derived for move in self.moves)


@dataclass(frozen=True, slots=True)
class Inspection:
    """`satisfied_before[i]`: did the task's goal hold before step i (last entry: at the end).

    `faults` were there at the start and could be repaired; `left` are those still there at the
    end. `texts` is what the agent read besides tool results: (step before which it came, text).
    """

    task: TaskView
    trajectory: Trajectory
    steps: tuple[InspectedStep, ...]
    outcome: Outcome
    satisfied_before: tuple[bool, ...]
    symptom: str
    blockers: tuple[str, ...]
    id_arguments: frozenset[str]
    faults: tuple[str, ...]
    left: tuple[str, ...]
    worse: frozenset[str]
    """Paths that ended less healthy than they started."""
    texts: tuple[tuple[int, str], ...]
    breaches: tuple[Breach, ...] = ()
    """What the world's own rules found."""
    covered: frozenset[str] = frozenset()
    """Names of general detectors whose question the world's rules or oracle answer better."""

    @property
    def solvable(self) -> bool:
        return not self.blockers


def inspect(world: World, task: Task, trajectory: Trajectory) -> Inspection:
    """Replay and inspect. Raises UsageError for a world that has no inspector."""
    name = f"{type(world).__module__.rpartition('.')[0]}.inspect"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name != name:
            raise
        raise UsageError(f"world {world.name} has no inspector: write {name}.inspect()") from None
    return cast("Inspection", module.inspect(world, task, trajectory))


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
