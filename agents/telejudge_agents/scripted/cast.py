"""What the scripted agents of one world have in common: a Cast.

    cast.make("expert:0.5", world)           -> an AgentFactory
    cast.imperfect(level=1.0, no_handover=0.65)

A world's cast is found by `registry.cast_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_envs.errors import UsageError
from telejudge_envs.protocol import World

EXPERT = "expert"


@dataclass(frozen=True)
class Cast:
    """`makers` by name; `expert` makes the imperfect expert from `flaws`, a dataclass of the
    probabilities of his mistakes with `level`, which scales them all."""

    makers: Mapping[str, Callable[[World], ScriptedFactory]]
    flaws: type[Any]
    expert: Callable[[Any], ScriptedFactory]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.makers, EXPERT)

    def make(self, name: str, world: World) -> ScriptedFactory:
        """Raises UsageError when there is no such agent or the expert's level is no number."""
        if name in self.makers:
            return self.makers[name](world)
        if name == EXPERT:
            return self.imperfect()
        if name.startswith(f"{EXPERT}:"):
            return self.imperfect(level=_level(name))
        known = ", ".join(self.names)
        raise UsageError(
            f"no scripted agent '{name}' for world {world.name}; choose {known} or expert:LEVEL"
        )

    def imperfect(self, **flaws: float) -> ScriptedFactory:
        """The imperfect expert; raises UsageError naming a flaw that does not exist."""
        known = [field.name for field in fields(self.flaws)]
        for name in flaws:
            if name not in known:
                raise UsageError(f"the expert has no flaw '{name}'; known are {', '.join(known)}")
        return self.expert(self.flaws(**flaws))


def in_any_world(factory: ScriptedFactory) -> Callable[[World], ScriptedFactory]:
    """The maker of an agent that needs nothing of the world's."""
    return lambda world: factory


def _level(name: str) -> float:
    level = name.partition(":")[2]
    try:
        value = float(level)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(f"'{level}' is no level for the expert; give a number such as expert:0.5")
    return value
