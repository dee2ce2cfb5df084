"""The worlds that the corruption engine knows, with their edits.

In: a world's name. Out: its Stage.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Protocol, cast

from telejudge_envs.errors import UsageError
from telejudge_envs.inspection import Inspection
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_judges.corruption.play import Player
from telejudge_judges.corruption.script import Case, Edit

_MODULES = {
    "base-station": "telejudge_judges.corruption.base_station_edits",
    "tau2-telecom": "telejudge_judges.corruption.tau2",
}


class Stage(Player, Protocol):
    """A world as the engine uses it."""

    @property
    def edits(self) -> Mapping[str, tuple[Edit, ...]]:
        """By kind of corruption."""
        ...

    @property
    def alternatives(self) -> tuple[Edit, ...]: ...

    @property
    def detected_as(self) -> Mapping[str, str]:
        """The kind of defect in which each kind of corruption must show."""
        ...

    @property
    def dual_kinds(self) -> frozenset[str]:
        """Kinds that need somebody to be told what to do."""
        ...

    def task(self, task_id: str, mode: Mode) -> Task: ...

    def gold(self, task: Task, number: int) -> Trajectory:
        """A correct trajectory of the world's own. Raises UsageError when it has none."""
        ...

    def inspect(self, task: Task, trajectory: Trajectory) -> Inspection: ...

    def case(self, task: Task, inspection: Inspection) -> Case: ...


def stage_of(world: str) -> Stage:
    """Raises UsageError for a world without edits."""
    if world not in _MODULES:
        known = ", ".join(sorted(_MODULES))
        raise UsageError(f"no corruptions are known for world '{world}'; choose {known}")
    return cast("Stage", importlib.import_module(_MODULES[world]).STAGE())
