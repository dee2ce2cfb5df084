"""The scripted agents of tau2-telecom: `CAST` by name."""

from __future__ import annotations

from telejudge_agents.scripted.cast import Cast, in_any_world
from telejudge_agents.scripted.cheap import CHEAP
from telejudge_agents.scripted.engineer import engineer
from telejudge_agents.scripted.expert import Flaws, expert
from telejudge_agents.scripted.exploits import EXPLOITS
from telejudge_agents.scripted.gold import gold

CAST = Cast(
    makers={
        "gold": gold,
        "engineer": in_any_world(engineer()),
        **EXPLOITS,
        **{name: in_any_world(factory) for name, factory in CHEAP.items()},
    },
    flaws=Flaws,
    expert=expert,
)
