"""What the oracle needs to know of a call.

In: a call as `retrace` made it again. Out: an OracleStep.

    labels = label_steps(db_at_start, oracle_steps(retrace(episode, messages)))

A failed call told nothing and changed nothing as far as the oracle is concerned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from telejudge_envs.nouns.message import Effect

if TYPE_CHECKING:
    from telejudge_envs.base_station.retrace import Traced


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


def oracle_steps(traced: Iterable[Traced]) -> list[OracleStep]:
    """The calls of a trajectory, both owners', in their order."""
    return [
        OracleStep(
            tool=step.call.name,
            arguments=step.call.arguments,
            ok=not step.result.error,
            effect=step.effect or "read",
            shows=step.shows,
            sets=step.sets,
            bits=step.bits,
            clocked=step.clocked,
        )
        for step in traced
    ]
