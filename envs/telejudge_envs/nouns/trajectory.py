"""The record of an episode: ledger, steps, trajectory, outcome, group."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from telejudge_envs.nouns.base import SCHEMA_VERSION, Mode, Noun, Owner
from telejudge_envs.nouns.message import Message, ToolCall, ToolResult
from telejudge_envs.nouns.task import TaskView

StopReason = Literal[
    "agent_stop",  # the agent closed the case
    "user_stop",  # the user was satisfied, or was transferred
    "max_steps",
    "too_many_errors",
    "agent_error",  # the agent broke the protocol (text in solo mode, empty message)
    "user_error",
    "deadline",
    "failed",  # something outside the agent failed; `failure` says what
]

FaultOwner = Literal["agent", "endpoint", "user", "world", "storage", "runner"]


class Change(Noun):
    """A ledger entry: call `call_id` changed `path` from `before` to `after` (JSON values)."""

    path: str
    before: Any = None
    after: Any = None
    call_id: str


class Step(Noun):
    """One call with its result and the changes it made; `index` counts calls from 0."""

    index: int
    owner: Owner
    call: ToolCall
    result: ToolResult
    changes: tuple[Change, ...] = ()


class Failure(Noun):
    """Something that went wrong and whose fault it was."""

    owner: FaultOwner
    cause: str
    detail: str = ""


class Usage(Noun):
    """What one side of an episode cost. Seconds are wall time: of the agent's the whole episode's,
    of a user's what his model took."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 0
    retries: int = 0
    seconds: float = 0.0
    cost_usd: float = 0.0
    dropped_results: int = 0
    """Tool results that the model saw no more at the end, for want of context."""


class TokenTrace(Noun):
    """Token ids from generation on, never re-tokenised; three tuples of equal length.

    `mask` is 1 on tokens the agent generated; `logprobs` is 0.0 elsewhere.
    """

    ids: tuple[int, ...]
    mask: tuple[int, ...]
    logprobs: tuple[float, ...]

    @model_validator(mode="after")
    def _equal_lengths(self) -> TokenTrace:
        if not len(self.ids) == len(self.mask) == len(self.logprobs):
            lengths = f"{len(self.ids)}, {len(self.mask)}, {len(self.logprobs)}"
            raise ValueError(f"ids, mask, logprobs differ in length: {lengths}")
        return self


def _is_none(value: object) -> bool:
    return value is None


class Trajectory(Noun):
    """The record of one episode, without any ground truth."""

    schema_version: int = SCHEMA_VERSION
    id: str
    task_id: str
    world: str
    agent: str
    mode: Mode
    rollout: int = 0
    seed: int = 0
    messages: tuple[Message, ...]
    changes: tuple[Change, ...] = ()
    stop: StopReason
    failure: Failure | None = None
    usage: Usage = Usage()
    """The agent's own."""
    user_usage: Usage | None = Field(default=None, exclude_if=_is_none)
    """That of the model that played the user. None, and not written, where no model did: files
    without one keep their bytes."""
    versions: dict[str, str] = Field(default_factory=dict)
    trace: TokenTrace | None = None


class Check(Noun):
    """One condition of the ground truth and whether it held at the end."""

    name: str
    passed: bool


class Outcome(Noun):
    """Ground truth of one episode: `answer` is ours (0 or 1), `world_reward` the world's own.

    `faults` are failures of others (user simulator, endpoint); with one of them the agent is not
    to be scored. `coped_with` are mistakes of a user that were part of the task (a wrong theory, an
    order misheard): his, not the agent's, and no reason not to score.
    """

    answer: Literal[0, 1]
    checks: tuple[Check, ...] = ()
    world_reward: float
    faults: tuple[Failure, ...] = ()
    coped_with: tuple[Failure, ...] = ()


class Rollout(Noun):
    """A line of a rollout file: the task's public view, the trajectory, and what the world says.

    `outcome` is None for rollouts whose truth is unknown. Judges never receive this record.
    """

    task: TaskView
    trajectory: Trajectory
    outcome: Outcome | None = None


class Group(Noun):
    """n trajectories of one task. A judge receives this: a task *view*, no outcome."""

    schema_version: int = SCHEMA_VERSION
    id: str
    task: TaskView
    trajectories: tuple[Trajectory, ...]
