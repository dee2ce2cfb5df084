"""What a judge should know about a world besides the trajectories: its tools and its policy.

    brief = WorldBriefings(open_world)     # open_world: the world by its name
    brief(group.task).tools

Only public things: what an agent at work in the world is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.protocol import World


@dataclass(frozen=True)
class Briefing:
    """`policy` is used when the trajectories have no system message of their own."""

    tools: tuple[ToolSpec, ...] = ()
    policy: str = ""


Briefings = Callable[[TaskView], Briefing]


class WorldBriefings:
    """Briefings from the worlds themselves, one for each world and mode."""

    def __init__(self, open_world: Callable[[str], World]) -> None:
        self._open_world = open_world
        self._known: dict[tuple[str, str], Briefing] = {}

    def __call__(self, task: TaskView) -> Briefing:
        key = (task.world, task.mode)
        if key not in self._known:
            self._known[key] = self._ask(task)
        return self._known[key]

    def _ask(self, task: TaskView) -> Briefing:
        world = self._open_world(task.world)
        user = _Listener() if task.mode == "dual" else None
        episode = world.open(world.task(task.id, task.mode), user=user)
        users: tuple[ToolSpec, ...] = getattr(episode, "user_tools", ())
        system = next((m.text for m in episode.observation if m.role == "system"), "")
        return Briefing(tools=(*episode.tools, *users), policy=system)


class _Listener:
    """A user who only lets an episode begin."""

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        return Message(role="user", text="…")
