"""tau2-Telecom for the corruption engine: the kinds of section 6 that apply to it, solo mode.

In: correct trajectories of the caller (scripted engineer, recorded ones). Out: as for any world.

tau2 has no report, no alarms and no oracle, so that `alarm_cheat`, `false_claim` and
`bad_instruction` have no counterpart; where its detectors know a kind under another name,
`detected_as` says so (a repair without its look is an `unchecked_fix`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_envs.inspection import Inspection, inspect
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.protocol import Episode
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_judges.corruption.records import DETECTED_AS
from telejudge_judges.corruption.script import Case, Edit, Slot
from telejudge_judges.corruption.tau2_edits import EDITS, two_looks


class Tau2Stage:
    """Implements stages.Stage."""

    detected_as: Mapping[str, str] = {
        **DETECTED_AS,
        "premature_write": "unchecked_fix",
        "skipped_diagnosis": "unchecked_fix",
        "wrong_argument": "needless_change",
        "wrong_tool": "needless_change",
        "unsafe": "side_effect",
        "wrong_escalation": "needless_transfer",
    }
    dual_kinds: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._world = Tau2Telecom()

    @property
    def world(self) -> str:
        return self._world.name

    @property
    def edits(self) -> Mapping[str, tuple[Edit, ...]]:
        return EDITS

    @property
    def alternatives(self) -> tuple[Edit, ...]:
        return (two_looks,)

    def task(self, task_id: str, mode: Mode) -> Task:
        return self._world.task(task_id, mode)

    def open(self, task: Task, seed: int) -> Episode:
        if task.view.mode == "dual":
            raise UsageError("corruptions of tau2-telecom are made in solo mode only")
        return self._world.open(task, seed)

    def gold(self, task: Task, number: int) -> Trajectory:
        raise UsageError(
            "tau2-telecom's gold is no careful work; give the engine correct rollouts, such as "
            "those of `telejudge rollout --agent engineer`"
        )

    def inspect(self, task: Task, trajectory: Trajectory) -> Inspection:
        return inspect(self._world, task, trajectory)

    def case(self, task: Task, inspection: Inspection) -> Case:
        return Case.of(inspection)

    def words_for(self, task: Task, slot: Slot) -> str | None:
        return None

    def told_true(
        self, episode: Episode, arguments: Mapping[str, Any], heard: Sequence[Message]
    ) -> dict[str, Any]:
        return dict(arguments)


STAGE = Tau2Stage
