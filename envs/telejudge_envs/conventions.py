"""What a world must tell of its tools and settings, for the verifier to judge calls by.

In: tools, calls and watched paths of one task. Out: effects, ranks, checks, violations. A world
writes its Conventions in a `conventions` module and hands them to `examination.examine`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from telejudge_envs.nouns.message import Effect, ToolCall
from telejudge_envs.nouns.trajectory import Change, Step

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
