"""Base stations with alarms, writes, safety limits and an on-site partner, as a World.

    world = BaseStation()
    episode = world.open(world.tasks("test")[0])
    episode.step(Message(role="assistant", tool_calls=(ToolCall(id="1", name="get_clock", …),)))
    episode.outcome()

Splits: train, dev, test, and ood (faults, pairs and a topology that train never shows).
"""

from __future__ import annotations

from collections.abc import Sequence

from telejudge_envs.base_station.episode import BaseStationEpisode
from telejudge_envs.base_station.names import SPLITS
from telejudge_envs.base_station.policy import policy_text
from telejudge_envs.base_station.spec import build
from telejudge_envs.base_station.tasks import WORLD, one_task, spec_of, split_tasks
from telejudge_envs.base_station.technician import ScriptedTechnician
from telejudge_envs.client import ChatClient
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.protocol import User
from telejudge_envs.turn_world import TurnWorld

VERSION = "1"
"""Raised when the same task and calls would give other results."""


class BaseStation(TurnWorld[BaseStationEpisode]):
    """The world; it has no options."""

    name = WORLD
    partner = "technician"

    @property
    def versions(self) -> dict[str, str]:
        return {"base-station": VERSION}

    @property
    def splits(self) -> tuple[str, ...]:
        return SPLITS

    def tasks(self, split: str, mode: Mode = "solo") -> Sequence[Task]:
        """Raises UsageError naming the splits when there is no such split."""
        return split_tasks(split, mode)

    def task(self, task_id: str, mode: Mode = "solo") -> Task:
        """Raises UsageError with close ids when there is no such task."""
        return one_task(task_id, mode)

    def policy(self, mode: Mode) -> str:
        return policy_text(mode)

    def kind(self, view: TaskView) -> str:
        """What the ticket is sorted under in tables and curricula: its difficulty level."""
        return f"L{view.level}"

    def model_user(self, task: Task, seed: int, client: ChatClient) -> User:
        """Played by the model that `client` asks."""
        from telejudge_envs.base_station.technician_model import ModelTechnician

        return ModelTechnician(client, task, seed)

    def scripted_user(self, task: Task, seed: int) -> User:
        """The technician who needs no model, with the persona of the task."""
        return ScriptedTechnician(task, seed)

    def _episode(self, task: Task, seed: int, user: User | None) -> BaseStationEpisode:
        spec = spec_of(task)
        return BaseStationEpisode(task, spec, build(spec), seed, user)
