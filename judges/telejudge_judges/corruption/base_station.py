"""The base-station world for the corruption engine: base trajectories, players, and its edits.

In: a task id and a number that shuffles what has no order. Out: an inspected base case.

    stage = BaseStationStage()
    case = stage.base("bs-train-00017", 3)        # gold's way; None when gold breaks a rule there
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telejudge_envs.base_station.alarms import active
from telejudge_envs.base_station.episode import BaseStationEpisode
from telejudge_envs.base_station.field import FieldKit
from telejudge_envs.base_station.gold import Gold
from telejudge_envs.base_station.score import restored
from telejudge_envs.base_station.spec import Spec, build
from telejudge_envs.base_station.state import RanDB
from telejudge_envs.base_station.tasks import spec_of
from telejudge_envs.base_station.toolkit import tools_of
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.inspection import Inspection, inspect
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_judges.corruption.script import Case, Slot

PLEASE = "Please run this and tell me what it says: {call}"
FIELD = frozenset(tools_of(FieldKit))


@dataclass(frozen=True)
class Ground:
    """What edits may know of a task: its spec and the state at the start. `site` is the focus."""

    spec: Spec
    db: RanDB
    site: str
    dual: bool


class BaseStationStage:
    """Implements engine.Stage and play.Player."""

    def __init__(self) -> None:
        self._world = BaseStation()

    @property
    def world(self) -> str:
        return self._world.name

    def task(self, task_id: str, mode: Mode) -> Task:
        return self._world.task(task_id, mode)

    def open(self, task: Task, seed: int) -> BaseStationEpisode:
        dual = task.view.mode == "dual"
        user = self._world.scripted_user(task, seed) if dual else None
        return self._world.open(task, seed, user)

    def inspect(self, task: Task, trajectory: Trajectory) -> Inspection:
        return inspect(self._world, task, trajectory)

    def gold(self, task: Task, number: int) -> Trajectory:
        """Gold's way through a solo task; from number 1 on with the order shuffled."""
        dice = random.Random(f"{task.id}|{number}") if number else None
        episode = Gold(self._world.open(task, 0), dice=dice).play()
        return Trajectory(
            id=f"{task.id}|{number}",
            task_id=task.id,
            world=self.world,
            agent="gold",
            mode="solo",
            messages=episode.observation,
            changes=episode.ledger,
            stop=episode.stop or "max_steps",
            failure=episode.failure,
        )

    def case(self, task: Task, inspection: Inspection) -> Case:
        spec = spec_of(task)
        db = build(spec)
        return Case.of(inspection, Ground(spec, db, db.focus, task.view.mode == "dual"))

    def words_for(self, task: Task, slot: Slot) -> str | None:
        return PLEASE if task.view.mode == "dual" and slot.tool in FIELD else None

    def told_true(
        self, episode: Any, arguments: Mapping[str, Any], heard: Sequence[Message]
    ) -> dict[str, Any]:
        """`restored` as it is; what is left, as far as its alarms were listed."""
        db: RanDB = episode.db
        told = dict(arguments) | {"restored": restored(db, episode.spec)}
        if not told["restored"]:
            read = "".join(m.text for m in heard if m.role == "tool")
            told["residual_alarms"] = [
                alarm.alarmId
                for alarm in active(db)
                if alarm.siteId == db.focus and alarm.alarmId in read
            ]
        return told
