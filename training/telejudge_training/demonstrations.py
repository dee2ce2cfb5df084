"""An expert and tasks in, conversations out: what the warm start learns from.

demos = demonstrate(world, expert(), tasks, seed=0)             # here
demos = demonstrate_all(crew, {}, (), tasks, seed=0)     # in all processes
[demo.messages for demo in demos]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_agents.scripted.registry import cast_of
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import Task
from telejudge_envs.protocol import World
from telejudge_envs.slots import Kinds, Slots
from telejudge_training.crew import Crew
from telejudge_training.seat import Seat, rejoin, split

AT_ONCE = 400
"""Episodes between two looks at the progress."""


@dataclass(frozen=True)
class Demonstration:
    """One episode of the expert, with whether it solved the task."""

    task_id: str
    messages: tuple[Message, ...]
    solved: bool


def demonstrate(
    world: World, factory: ScriptedFactory, tasks: Sequence[Task], *, seed: int
) -> list[Demonstration]:
    """Let the scripted expert play each task once; the i-th episode is seeded by `seed` and i.

    Nothing is filtered: failed episodes stay, since the warm start shall be imperfect.
    """
    return [_play(world, factory, i, task, seed) for i, task in enumerate(tasks)]


def demonstrate_all(
    crew: Crew,
    flaws: Mapping[str, float],
    kinds: Kinds,
    tasks: Sequence[Task],
    *,
    seed: int,
    on_demos: Callable[[int, int], None] | None = None,
) -> list[Demonstration]:
    """The same by all processes, names in slots: what the world's expert shows with `flaws`."""
    demos: list[Demonstration] = []
    numbered = list(enumerate(tasks))
    for start in range(0, len(tasks), AT_ONCE):
        parts = split(numbered[start : start + AT_ONCE], crew.shares)
        demos += rejoin(crew.each(show_share, [(p, dict(flaws), kinds, seed) for p in parts]))
        if on_demos is not None:
            on_demos(len(demos), len(tasks))
    return demos


def show_share(
    seat: Seat, share: int, request: tuple[list[tuple[int, Task]], dict[str, float], Kinds, int]
) -> list[Demonstration]:
    """The job behind it."""
    numbered, flaws, kinds, seed = request
    factory = cast_of(seat.world.name).imperfect(**flaws)
    demos = [_play(seat.world, factory, i, task, seed) for i, task in numbered]
    return [replace(demo, messages=in_slots(demo.messages, kinds)) for demo in demos]


def in_slots(messages: Sequence[Message], kinds: Kinds) -> tuple[Message, ...]:
    """A conversation as the tiny model sees it; the system message, which it never sees, is out."""
    if not kinds:
        return tuple(messages)
    slots = Slots(kinds)
    return tuple(slots.hide_message(m) for m in messages if m.role != "system")


def _play(world: World, factory: ScriptedFactory, i: int, task: Task, seed: int) -> Demonstration:
    number = seed * 1_000_003 + i
    agent = factory.start(task.view, number)
    episode = world.open(task, seed=number)
    while episode.stop is None:
        episode.step(agent.decide(episode.observation, episode.tools))
    return Demonstration(task.id, episode.observation, episode.outcome().answer == 1)
