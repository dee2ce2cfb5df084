"""A task, and the view of it that may be shown to agents and generative judges."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from telejudge_envs.nouns.base import SCHEMA_VERSION, Mode, Noun


class TaskView(Noun):
    """The public part of a task. It is no base class of `Task`, so a `Task` cannot pass for one."""

    schema_version: int = SCHEMA_VERSION
    id: str
    world: str
    split: str
    level: int
    """Difficulty: for tau2-telecom the number of gold actions."""
    ticket: str
    seed: int = 0
    mode: Mode = "solo"
    max_steps: int = 50
    """Agent messages after which the episode is stopped."""
    marks: tuple[str, ...] = ()
    """Known defects of the task itself, such as `ticket_lacks_refuel_amount`."""


class Task(Noun):
    """A task with its hidden part (initial state, gold, checks, answer key).

    The hidden part is opaque outside its world and never reaches an agent or a generative judge.
    """

    view: TaskView
    hidden: dict[str, Any] = Field(default_factory=dict, repr=False)

    @property
    def id(self) -> str:
        return self.view.id
