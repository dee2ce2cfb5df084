"""What all episodes of a process share: the world, the judge, the barrier, the record.

office = office_of(settings)             # the same one for the same settings
rollout, agent = await office.play(ticket, agents, Planned(…))
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from telejudge_agents.play import Planned, play
from telejudge_agents.runner import episode_seed
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.offers import scripted_user
from telejudge_envs.protocol import World
from telejudge_envs.registry import open_world
from telejudge_judges.registry import open_judge
from telejudge_judges.settings import make_settings
from telejudge_training.speech import TokenAgent, TokenAgents
from telejudge_training.verl_backend.barrier import GroupBarrier
from telejudge_training.verl_backend.record import Recorder
from telejudge_training.verl_backend.settings import LoopSettings
from telejudge_training.verl_backend.shares import Place


@dataclass(frozen=True)
class Ticket:
    """What a row of the data asks for."""

    place: Place
    task: Task
    split: str
    step: int

    @property
    def training(self) -> bool:
        return self.split == "train"

    @property
    def rollout_id(self) -> str:
        return f"{self.place.label}/{self.place.uid}#{self.place.session}"


@dataclass
class Office:
    """One for each process of verl's that plays episodes."""

    settings: LoopSettings
    world: World
    barrier: GroupBarrier
    _tasks: dict[str, Task] = field(default_factory=dict)

    def ticket(self, row: dict[str, Any], sizes: dict[bool, int]) -> Ticket:
        """Read what verl hands over; `sizes` is the group's size when training, and when not."""
        info = dict(row.get("extra_info") or {})
        split = str(info.get("split", "train"))
        step = int(row.get("global_steps", -1))
        place = Place(
            uid=str(row["uid"]),
            session=int(row["session_id"]),
            size=sizes[split == "train"],
            label=f"{split}-{step}",
        )
        return Ticket(place, self.task(str(info["task_id"])), split, step)

    def task(self, task_id: str) -> Task:
        if task_id not in self._tasks:
            self._tasks[task_id] = self.world.task(task_id, self.settings.mode)
        return self._tasks[task_id]

    async def play(self, ticket: Ticket, agents: TokenAgents) -> tuple[Rollout, TokenAgent | None]:
        """Play the ticket's episode, with the world's own user where the mode has one."""
        task, mode = ticket.task, self.settings.mode
        number = ticket.place.session + max(0, ticket.step) * ticket.place.size
        seed = episode_seed(self.settings.seed, task.id, mode, number)
        user = scripted_user(self.world, task, seed) if mode == "dual" else None
        planned = Planned(ticket.rollout_id, task, ticket.place.session, seed)
        rollout = await play(
            self.world, planned, agents, user=user, deadline_s=self.settings.episode_s
        )
        return rollout, agents.last


def office_of(settings: LoopSettings) -> Office:
    """The office for these settings, opened once a process."""
    return _office(settings.model_dump_json())


@functools.lru_cache(maxsize=8)
def _office(text: str) -> Office:
    settings = LoopSettings.model_validate_json(text)
    world = open_world(settings.world, **settings.world_options)
    judge = open_judge(
        settings=make_settings(settings.judge),
        open_world=lambda name: world if name == world.name else open_world(name),
    )
    recorder = Recorder(settings.record, settings.record_groups_every)
    barrier = GroupBarrier(
        judge,
        scaling=settings.scaling,
        patience_s=settings.patience_s,
        judge_s=settings.judge_s,
        on_judged=recorder,
    )
    return Office(settings, world, barrier)
