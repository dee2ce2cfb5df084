"""Gold replay as an agent: the calls of the world's own gold plan, made again.

    gold(world).start(task.view, seed=0)

It knows the answer key. Where other calls come between (the technician of dual mode looks around
unasked), reading and action ids that the plan cites are moved along.
"""

from __future__ import annotations

import json
import re
from typing import Any

from telejudge_agents.scripted.base import Call, Plan, Planner, ScriptedFactory
from telejudge_agents.scripted.base_station.dialect import BASE_STATION
from telejudge_envs.base_station.gold import Gold
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.protocol import World

_CITATION = re.compile(r"[rw](\d+)")


def gold_calls(view: TaskView) -> list[Call]:
    """The calls of the gold plan, refused ones among them."""
    world = BaseStation()
    played = Gold(world.open(world.task(view.id), view.seed)).play()
    made = [call for message in played.observation for call in message.tool_calls]
    return [Call(call.name, call.arguments) for call in made]


def recital(calls: list[Call]) -> Planner:
    """A plan that makes these calls whatever comes back, but cites what was really answered."""

    def plan(ticket: str) -> Plan:
        ids: dict[str, str] = {}
        for number, call in enumerate(calls, start=1):
            heard = yield Call(call.tool, _moved(dict(call.arguments), ids))
            for letter in "rw":
                ids[f"{letter}{number}"] = _id_in(heard.text) or f"{letter}{number}"

    return plan


def _moved(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        return ids.get(value, value) if _CITATION.fullmatch(value) else value
    if isinstance(value, list):
        return [_moved(item, ids) for item in value]
    if isinstance(value, dict):
        return {name: _moved(item, ids) for name, item in value.items()}
    return value


def _id_in(text: str) -> str | None:
    """The reading's or action's id in a result."""
    start = text.find("{")
    try:
        found = json.loads(text[start:]) if start >= 0 else {}
    except ValueError:
        return None
    return found.get("reading_id") or found.get("action_id")


def gold(world: World) -> ScriptedFactory:
    """Gold replay as an AgentFactory; the world has no options, so any of its objects will do."""
    return ScriptedFactory(
        "gold", lambda view, seed: recital(gold_calls(view)), dialect=BASE_STATION
    )
