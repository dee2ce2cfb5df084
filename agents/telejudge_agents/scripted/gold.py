"""Bare gold replay: makes the task's own gold actions and closes the case.

In: the world, of which it reads the hidden part of the task. It looks at nothing and verifies
nothing, so it shows what a right answer alone is worth.

    agent = gold(world).start(task.view, seed=0)
"""

from __future__ import annotations

from telejudge_agents.scripted.base import DONE, Call, Plan, Planner, ScriptedFactory
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.protocol import World


def gold_calls(world: World, view: TaskView) -> list[Call]:
    """The task's gold actions in order, tau2's own list."""
    task = world.task(view.id, view.mode)
    actions = task.hidden["tau2"]["evaluation_criteria"]["actions"] or []
    return [Call(action["name"], action["arguments"]) for action in actions]


def recital(calls: list[Call]) -> Planner:
    """A plan that makes these calls whatever comes back, then closes the case."""

    def plan(ticket: str) -> Plan:
        for call in calls:  # noqa: UP028 (yield from would send to a list)
            yield call
        yield Call(DONE)

    return plan


def gold(world: World) -> ScriptedFactory:
    """Gold replay as an AgentFactory."""
    return ScriptedFactory("gold", lambda view, seed: recital(gold_calls(world, view)))
