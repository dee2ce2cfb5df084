"""The stored tasks, by split: one spec a line in `tasks/<split>.jsonl`.

split_tasks("test", "solo")[0].view.ticket
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any

from telejudge_envs.base_station.names import SPLITS
from telejudge_envs.base_station.spec import Spec
from telejudge_envs.base_station.tickets import ticket_of
from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.task import Task, TaskView

WORLD = "base-station"
MAX_STEPS = 80
SPEC = "spec"
"""Key of the spec in a task's hidden part."""


def as_task(spec: Spec, mode: Mode) -> Task:
    view = TaskView(
        id=spec.id,
        world=WORLD,
        split=spec.split,
        level=spec.level,
        ticket=ticket_of(spec),
        seed=spec.seed,
        mode=mode,
        max_steps=MAX_STEPS,
    )
    return Task(view=view, hidden={SPEC: spec.model_dump(mode="json", exclude_defaults=True)})


def spec_of(task: Task) -> Spec:
    """The hidden part, read. Raises DataError for a task of another world or a broken one."""
    try:
        return Spec.model_validate(task.hidden[SPEC])
    except (KeyError, ValueError) as error:
        raise DataError(f"task {task.id} is no base-station task: {error}") from error


@functools.cache
def specs(split: str) -> Mapping[str, Spec]:
    """The specs of a split by task id. Raises UsageError naming the splits."""
    if split not in SPLITS:
        raise UsageError(f"no split '{split}'; choose {', '.join(SPLITS)}")
    folder = resources.files("telejudge_envs.base_station") / "tasks"
    text = (folder / f"{split}.jsonl").read_text(encoding="utf-8")
    found = (Spec.model_validate_json(line) for line in text.splitlines())
    return {spec.id: spec for spec in found}


@functools.cache
def split_tasks(split: str, mode: Mode) -> tuple[Task, ...]:
    return tuple(as_task(spec, mode) for spec in specs(split).values())


def one_task(task_id: str, mode: Mode) -> Task:
    """Raises UsageError with close ids when there is no such task."""
    for split in SPLITS:
        if f"-{split}-" in task_id and task_id in specs(split):
            return as_task(specs(split)[task_id], mode)
    everything: list[Any] = [i for split in SPLITS for i in specs(split)]
    close = difflib.get_close_matches(task_id, everything, n=3)
    hint = f"; did you mean {', '.join(close)}?" if close else "; `telejudge tasks` lists them"
    raise UsageError(f"no task '{task_id}' in {WORLD}{hint}")
