"""A world's tasks as verl's parquet files: train.parquet and val.parquet.

    write_data(recipe, Path("data"))         # {"train": 480, "val": 60}

A row names its task; the prompt that it carries (the ticket) is for people who look at the file,
since the agent loop writes the real one from the world's policy, tools and messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_envs.nouns.task import Task
from telejudge_envs.registry import open_world
from telejudge_training.curriculum import select, training_tasks
from telejudge_training.verl_backend.settings import LOOP_NAME

if TYPE_CHECKING:
    from telejudge_training.verl_backend.recipe import VerlRecipe

FILES = {"train": "train.parquet", "val": "val.parquet"}


def write_data(recipe: VerlRecipe, folder: Path) -> dict[str, int]:
    """Write both files; returns how many tasks each has.

    Raises UsageError when the recipe's levels leave none.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error
    counts = {}
    folder.mkdir(parents=True, exist_ok=True)
    for split, tasks in tasks_of(recipe).items():
        if not tasks:
            raise UsageError(f"recipe {recipe.name} leaves no tasks for {split}; check its levels")
        rows = [row_of(task, split, index) for index, task in enumerate(tasks)]
        pq.write_table(pa.Table.from_pylist(rows), folder / FILES[split])
        counts[split] = len(rows)
    return counts


def tasks_of(recipe: VerlRecipe) -> dict[str, Sequence[Task]]:
    """The tasks to train on and to validate with.

    Raises UsageError when the split to train on holds a test task.
    """
    loop, data = recipe.loop, recipe.data
    world = open_world(loop.world, **loop.world_options)
    train = select(
        training_tasks(world, data.train_split, data.train_levels), limit=data.train_tasks
    )
    return {
        "train": [world.task(task.id, loop.mode) for task in train],
        "val": select(world.tasks(data.val_split, loop.mode), data.val_levels, data.val_tasks),
    }


def row_of(task: Task, split: str, index: int) -> dict[str, Any]:
    """What verl reads, and what it hands to the agent loop."""
    view = task.view
    return {
        "data_source": f"{view.world}/{view.split}",
        "agent_name": LOOP_NAME,
        "prompt": [{"role": "user", "content": view.ticket}],
        "reward_model": {"style": "rule", "ground_truth": ""},
        "extra_info": {
            "index": index,
            "split": split,
            "world": view.world,
            "mode": view.mode,
            "task_id": view.id,
            "level": view.level,
        },
    }
