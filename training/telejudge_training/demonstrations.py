"""An expert and tasks in, conversations out: what the warm start learns from.

demos = demonstrate(world, expert(), tasks, seed=0)
[demo.messages for demo in demos]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import Task
from telejudge_envs.protocol import World


@dataclass(frozen=True)
class Demonstration:
    """One episode of the expert, with whether it solved the task."""

    task_id: str
    messages: tuple[Message, ...]
    solved: bool


def demonstrate(
    world: World,
    factory: ScriptedFactory,
    tasks: Sequence[Task],
    *,
    seed: int,
    on_demo: Callable[[int, int], None] | None = None,
) -> list[Demonstration]:
    """Let the scripted expert play each task once; the i-th episode is seeded by `seed` and i.

    Nothing is filtered: failed episodes stay, since the warm start shall be imperfect.
    """
    demos: list[Demonstration] = []
    for i, task in enumerate(tasks):
        number = seed * 1_000_003 + i
        agent = factory.start(task.view, number)
        episode = world.open(task, seed=number)
        while episode.stop is None:
            episode.step(agent.decide(episode.observation, episode.tools))
        solved = episode.outcome().answer == 1
        demos.append(Demonstration(task.id, episode.observation, solved))
        if on_demo is not None:
            on_demo(i + 1, len(tasks))
    return demos
