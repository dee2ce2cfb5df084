"""A gold episode as text: every call, what came back, and what the oracle says of it.

    print(explained(world, world.task("bs-test-0003")))       # Markdown

In: the base-station world and a task. Out: Markdown, the same in every run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from telejudge_envs.base_station.gold import Gold
from telejudge_envs.base_station.spec import team_for
from telejudge_envs.base_station.tasks import spec_of
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.inspection import Inspection, inspect
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_judges.verifier import score

SHOWN = 260


def explained(world: BaseStation, task: Task) -> str:
    """Play the gold plan and tell it."""
    episode = Gold(world.open(task)).play()
    trajectory = Trajectory(
        id=f"{task.id}#gold",
        task_id=task.id,
        world=world.name,
        agent="gold",
        mode=task.view.mode,
        messages=episode.observation,
        changes=episode.ledger,
        stop=episode.stop or "failed",
    )
    return "\n".join(_lines(task, inspect(world, task, trajectory)))


def _lines(task: Task, inspection: Inspection) -> Iterator[str]:
    spec = spec_of(task)
    yield f"### {task.id}: level {task.view.level}"
    yield ""
    yield "```text"
    yield task.view.ticket
    yield "```"
    yield ""
    hidden = [f"{a} (for {team})" if (team := team_for(spec, a)) else a for a in spec.atoms]
    yield f"Hidden: {', '.join(hidden)}; topology {spec.topology}."
    yield ""
    yield "| step | call | result | what the oracle says |"
    yield "|-:|-|-|-|"
    for seen in inspection.steps:
        call = seen.step.call
        arguments = ", ".join(f"{k}={json.dumps(v)}" for k, v in call.arguments.items())
        label = "" if seen.label is None else seen.label.sentence
        yield _row(
            str(seen.step.index + 1), f"`{call.name}({arguments})`", seen.step.result.content, label
        )
    verdict = score(inspection.trajectory.id, inspection)
    yield ""
    checks = ", ".join(
        f"{check.name} {'yes' if check.passed else 'no'}" for check in inspection.outcome.checks
    )
    yield f"Checks: {checks}. Defects: {len(verdict.defects)}. Reward: {verdict.reward}."


def _row(*cells: str) -> str:
    return "| " + " | ".join(_cut(cell).replace("|", "\\|") for cell in cells) + " |"


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} …"
