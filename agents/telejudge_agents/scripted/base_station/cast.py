"""The scripted agents of the base-station world: `CAST` by name."""

from __future__ import annotations

from collections.abc import Callable

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_agents.scripted.base_station.engineer import engineer
from telejudge_agents.scripted.base_station.expert import Flaws, expert
from telejudge_agents.scripted.base_station.exploits import EXPLOITS
from telejudge_agents.scripted.base_station.gold import gold
from telejudge_agents.scripted.cast import Cast
from telejudge_envs.protocol import World


def _whatever_the_world(factory: ScriptedFactory) -> Callable[[World], ScriptedFactory]:
    return lambda world: factory


CAST = Cast(
    makers={
        "gold": gold,
        "engineer": _whatever_the_world(engineer()),
        **{name: _whatever_the_world(factory) for name, factory in EXPLOITS.items()},
    },
    flaws=Flaws,
    expert=expert,
)
