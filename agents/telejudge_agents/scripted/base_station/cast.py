"""The scripted agents of the base-station world: `CAST` by name."""

from __future__ import annotations

from telejudge_agents.scripted.base_station.engineer import engineer
from telejudge_agents.scripted.base_station.expert import Flaws, expert
from telejudge_agents.scripted.base_station.exploits import EXPLOITS
from telejudge_agents.scripted.base_station.gold import gold
from telejudge_agents.scripted.cast import Cast, in_any_world

CAST = Cast(
    makers={
        "gold": gold,
        "engineer": in_any_world(engineer()),
        **{name: in_any_world(factory) for name, factory in EXPLOITS.items()},
    },
    flaws=Flaws,
    expert=expert,
)
