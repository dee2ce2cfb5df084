"""What the oracle needs to know of a call, and how a replay records it.

In: the state before and after a call. Out: OracleStep.

    before = Before.of(db, tool, arguments)        # then the call is made
    step = before.done(db, ok=not result.error)

A failed call told nothing and changed nothing as far as the oracle is concerned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from telejudge_envs.base_station.observe import observe
from telejudge_envs.base_station.oracle.belief import clocked_of
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.toolkit import Tool
from telejudge_envs.nouns.message import Effect


@dataclass(frozen=True)
class OracleStep:
    """One call. `bits`: the real effects of the focus site that `shows` names, after the call (for
    a read: at the call). `clocked`: settings that depend on the clock, after a write."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True
    effect: Effect = "read"
    shows: tuple[str, ...] = ()
    sets: Mapping[str, int] = field(default_factory=dict)
    bits: Mapping[str, int] = field(default_factory=dict)
    clocked: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Before:
    """A call that is about to be made: what it declares depends on the state before it."""

    tool: Tool
    arguments: Mapping[str, Any]
    shows: tuple[str, ...]
    sets: Mapping[str, int]

    @classmethod
    def of(cls, db: RanDB, tool: Tool, arguments: Mapping[str, Any]) -> Before:
        """Arguments that the tool would refuse declare nothing."""
        if tool.complaint(arguments) is not None:
            return cls(tool, arguments, (), {})
        marked = tool.marked
        return cls(tool, arguments, tuple(marked.shows(db, arguments)), marked.sets(db, arguments))

    def done(self, db: RanDB, *, ok: bool) -> OracleStep:
        """After the call, when time has passed."""
        name, effect = self.tool.name, self.tool.marked.effect
        if not ok:
            return OracleStep(name, self.arguments, False, effect)
        bits = observe(db)[db.focus] if self.shows else {}
        return OracleStep(
            name,
            self.arguments,
            True,
            effect,
            self.shows,
            self.sets,
            {shown: bits[shown] for shown in self.shows},
            {} if effect == "read" else clocked_of(db),
        )
