"""What the oracle needs to know of a call; `retrace.oracle_steps` makes them from a trajectory.

    labels = label_steps(db_at_start, oracle_steps(retrace(episode, messages)))

A failed call told nothing and changed nothing as far as the oracle is concerned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from telejudge_envs.nouns.message import Effect


@dataclass(frozen=True)
class OracleStep:
    """One call. `bits`: the real effects of the focus site that `shows` names (more do no harm),
    after the call; `clocked`: the settings that depend on the clock, after a write."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True
    effect: Effect = "read"
    shows: tuple[str, ...] = ()
    sets: Mapping[str, int] = field(default_factory=dict)
    bits: Mapping[str, int] = field(default_factory=dict)
    clocked: Mapping[str, int] = field(default_factory=dict)
