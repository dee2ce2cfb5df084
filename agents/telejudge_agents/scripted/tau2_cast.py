"""The scripted agents of tau2-telecom: `CAST` by name."""

from __future__ import annotations

from collections.abc import Callable

from telejudge_agents.scripted.base import ScriptedFactory
from telejudge_agents.scripted.cast import Cast
from telejudge_agents.scripted.cheap import CHEAP
from telejudge_agents.scripted.engineer import engineer
from telejudge_agents.scripted.expert import Flaws, expert
from telejudge_agents.scripted.exploits import EXPLOITS
from telejudge_agents.scripted.gold import gold
from telejudge_envs.protocol import World


def _whatever_the_world(factory: ScriptedFactory) -> Callable[[World], ScriptedFactory]:
    return lambda world: factory


CAST = Cast(
    makers={
        "gold": gold,
        "engineer": _whatever_the_world(engineer()),
        **EXPLOITS,
        **{name: _whatever_the_world(factory) for name, factory in CHEAP.items()},
    },
    flaws=Flaws,
    expert=expert,
)
