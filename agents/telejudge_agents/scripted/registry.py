"""Scripted agents by the name that the command line takes.

scripted("expert:0.5", world) -> an AgentFactory
scripted("experd", world)     -> UsageError naming the choices
"""

from __future__ import annotations

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_agents.scripted.cheap import CHEAP
from telejudge_agents.scripted.engineer import engineer
from telejudge_agents.scripted.expert import Flaws, expert
from telejudge_agents.scripted.exploits import EXPLOITS
from telejudge_agents.scripted.gold import gold
from telejudge_envs.errors import UsageError
from telejudge_envs.protocol import World

NAMES: tuple[str, ...] = ("gold", "engineer", "expert", *EXPLOITS, *CHEAP)
"""`expert` also takes a level of carelessness: `expert:0.5`."""


def scripted(name: str, world: World) -> ScriptedFactory:
    """Raises UsageError when there is no such agent or the expert's level is no number >= 0."""
    if name == "gold":
        return gold(world)
    if name == "engineer":
        return engineer()
    if name == "expert" or name.startswith("expert:"):
        return expert(_flaws(name))
    if name in EXPLOITS:
        return EXPLOITS[name](world)
    if name in CHEAP:
        return CHEAP[name]
    raise UsageError(f"no scripted agent '{name}'; choose {', '.join(NAMES)} or expert:LEVEL")


def _flaws(name: str) -> Flaws:
    _, colon, level = name.partition(":")
    if not colon:
        return Flaws()
    try:
        value = float(level)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(f"'{level}' is no level for the expert; give a number such as expert:0.5")
    return Flaws(level=value)
