"""The verifier's door to the truth: what really happened in a trajectory, step by step.

In: a world, one of its tasks (with the hidden part) and a trajectory. Out: an Inspection, made by
replaying the calls. Detectors read nothing else: transcript, ledger, state and policy tables are
all in it, the gold list is not.

    inspection = inspect(world, world.task(task_id), trajectory)
    inspection.steps[3].moves       -> (Move("device.data_enabled", False, True, "repair"),)
    inspection.steps[3].unchecked   -> ()     what it should have looked at before writing
    inspection.solvable             -> True   by the policy and the initial state

A world joins by an `inspect` module beside its `world` module (see tau2_telecom/inspect.py): it
replays, and hands its Conventions to `examination.examine`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Literal, cast

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Effect
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.nouns.trajectory import Outcome, Step, Trajectory
from telejudge_envs.nouns.verdict import Severity
from telejudge_envs.protocol import World


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
