"""Everything that GRPO needs to go on as if it had never stopped, in one file.

    save_checkpoint(path, Checkpoint(step=20, model=…, optimizer=…, journals={"metrics": 5120}))
    load_checkpoint(path)      # None when there is none

The dice of a step are seeded by the run's seed and the step's number, so no generator's state
has to be kept: the step number is the state. The file replaces its forerunner in one move: a kill
leaves either the old or the new one, never half of one.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from telejudge_envs.errors import DataError


@dataclass(frozen=True)
class Checkpoint:
    """`step` updates are done; `journals` are the sizes of the log files at that moment.

    `key` names the run (recipe and seed): another run's checkpoint is not taken up.
    """

    key: str
    step: int
    model: dict[str, Any]
    optimizer: dict[str, Any]
    journals: dict[str, int]
    solved: dict[str, float] = field(default_factory=dict)
    """The curriculum's state (TaskMix.solved)."""


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write atomically: to a draft beside `path`, flushed to the disk, then moved over it."""
    # In memory first: torch's writer ends its archive when it is destroyed, and when an interrupt
    # has closed its file by then, the process is aborted.
    archive = io.BytesIO()
    fields = {name: getattr(checkpoint, name) for name in Checkpoint.__dataclass_fields__}
    torch.save(fields, archive)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(archive.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load_checkpoint(path: Path, key: str) -> Checkpoint | None:
    """The checkpoint at `path`, or None. Raises DataError when it is broken or another run's."""
    if not path.exists():
        return None
    try:
        found = Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        raise DataError(
            f"checkpoint {path} cannot be read ({error}); delete it to start again"
        ) from error
    if found.key != key:
        raise DataError(
            f"checkpoint {path} belongs to another recipe or seed; choose another run directory"
        )
    return found
