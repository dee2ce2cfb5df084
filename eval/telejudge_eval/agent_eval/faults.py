"""What is broken in a task, in the words of its world: for tables by fault, never for agents.

faults_of(tau2_task)   -> ("airplane_mode_on", "data_mode_off")
faults_of(bs_task)     -> ("feeder_breaker_open",)
"""

from __future__ import annotations

import re

from telejudge_envs.nouns.task import Task

_TAU2_ID = re.compile(r"^\[[^\]]*\]([^\[]*)(\[PERSONA:[^\]]*\])?$")


def faults_of(task: Task) -> tuple[str, ...]:
    """Sorted, each once; empty for worlds of which nothing is known."""
    if task.view.world == "tau2-telecom":
        told = _TAU2_ID.match(task.id)  # tau2 names its tasks by their faults
        return tuple(sorted(set(told[1].split("|")))) if told else ()
    if task.view.world == "base-station":
        from telejudge_envs.base_station.atoms import split
        from telejudge_envs.base_station.tasks import spec_of

        return tuple(sorted({split(atom)[0].slug for atom in spec_of(task).atoms}))
    return ()
