"""A trajectory as a script: calls that can be edited and played again.

In: an inspected trajectory. Out: slots, one for each of the agent's successful calls.

    case = Case.of(inspection)
    case.insert(4, Slot("get_clock", {"site_id": "K042"}))      -> a new script
    case.without({3, 5})                                        -> a new script

`origin` is the step that a slot stands for; ids that name a call (`r5`) are renumbered by it when
the script is played (play.py), and calls that failed are left out: the player tries again himself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from telejudge_envs.inspection import InspectedStep, Inspection
from telejudge_envs.nouns.message import ToolCall

Dice = Any
"""A random.Random; the type is Any so that edits may be given a recorded one in tests."""


@dataclass(frozen=True)
class Slot:
    """One call of a script. `words` are said beside it; `stubborn`: not tried again when busy."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    origin: int | None = None
    words: str = ""
    stubborn: bool = False

    def with_(self, **arguments: Any) -> Slot:
        """The same call with other arguments; None takes one away."""
        merged = {k: v for k, v in {**self.arguments, **arguments}.items() if v is not None}
        return replace(self, arguments=merged)


Script = tuple[Slot, ...]


@dataclass(frozen=True)
class Edited:
    """A script and where its defect must show: positions in the script, None for anywhere.

    `claim`: the report is left as the script has it; else what it says of the state is made true.
    `cite`: position whose reading stands in for readings that are gone.
    """

    script: Script
    at: Collection[int] | None
    name: str
    claim: bool = False
    cite: int | None = None


@dataclass(frozen=True)
class Case:
    """A base trajectory to be edited. `known` words came up before each slot was called; `extra` is
    what only the world can tell (see the stages)."""

    inspection: Inspection
    script: Script
    extra: Any = None

    @classmethod
    def of(cls, inspection: Inspection, extra: Any = None) -> Case:
        """Every call that worked, both owners', in order."""
        slots = tuple(
            Slot(s.step.call.name, s.step.call.arguments, origin=s.step.index)
            for s in inspection.steps
            if s.ok
        )
        return cls(inspection, slots, extra)

    def step(self, slot: Slot) -> InspectedStep:
        """What happened at the slot in the base trajectory."""
        assert slot.origin is not None
        return self.inspection.steps[slot.origin]

    def where(self, test: Callable[[Slot, InspectedStep], bool]) -> list[int]:
        """Positions of the slots that pass a test."""
        return [i for i, slot in enumerate(self.script) if test(slot, self.step(slot))]

    def named(self, *tools: str) -> list[int]:
        return [i for i, slot in enumerate(self.script) if slot.tool in tools]

    def reads(self) -> list[int]:
        return self.where(lambda _, step: step.effect == "read")

    def writes(self) -> list[int]:
        return self.where(lambda _, step: step.effect == "write")

    @property
    def last(self) -> int:
        """Position of the call that ends the case."""
        return len(self.script) - 1

    # -- new scripts

    def insert(self, at: int, *slots: Slot) -> Script:
        """The slots before position `at`."""
        return (*self.script[:at], *slots, *self.script[at:])

    def without(self, gone: Collection[int]) -> Script:
        return tuple(slot for i, slot in enumerate(self.script) if i not in gone)

    def swapped(self, at: int, *slots: Slot) -> Script:
        """Other slots in the place of one."""
        return (*self.script[:at], *slots, *self.script[at + 1 :])


Edit = Callable[[Case, Dice], Edited | None]
"""None: there is nothing in this trajectory that could be edited so."""


def renamed(value: Any, names: Mapping[str, str | None]) -> Any:
    """Arguments with ids of calls and tokens as they are in the new trajectory; names that map to
    None vanish from lists."""
    if isinstance(value, str):
        return names.get(value) or value
    if isinstance(value, Mapping):
        return {k: renamed(v, names) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [
            renamed(v, names)
            for v in value
            if not (isinstance(v, str) and v in names and names[v] is None)
        ]
    return value


def as_call(slot: Slot, number: int, names: Mapping[str, str | None]) -> ToolCall:
    return ToolCall(id=f"call_{number}", name=slot.tool, arguments=renamed(slot.arguments, names))
