"""Scripted agents by the name that the command line takes, for each world its own.

scripted("expert:0.5", world) -> an AgentFactory
scripted("experd", world)     -> UsageError naming the choices of that world

Other packages add the cast of their world by the entry point group `telejudge.casts`, under the
world's name.
"""

from __future__ import annotations

import importlib
from importlib import metadata

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_agents.scripted.cast import Cast
from telejudge_envs.errors import UsageError
from telejudge_envs.protocol import World

ENTRY_POINTS = "telejudge.casts"

_MODULES = {
    "tau2-telecom": "telejudge_agents.scripted.tau2_cast",
    "base-station": "telejudge_agents.scripted.base_station.cast",
}
"""Where `CAST` is; imported only when that world is played."""


def scripted(name: str, world: World) -> ScriptedFactory:
    """Raises UsageError when there is no such agent or the expert's level is no number >= 0."""
    return cast_of(world.name).make(name, world)


def cast_of(world_name: str) -> Cast:
    """The scripted agents of a world; raises UsageError when it has none."""
    if world_name in _MODULES:
        return importlib.import_module(_MODULES[world_name]).CAST
    for point in metadata.entry_points(group=ENTRY_POINTS):
        if point.name == world_name:
            return point.load()
    raise UsageError(
        f"world '{world_name}' has no scripted agents; play it with --agent chat or "
        f"local:FOLDER, or register a Cast under the entry point group {ENTRY_POINTS}"
    )
