"""Which of TRL's checkpoints a killed run can go on from.

    clean(work)              # forget what a kill left half written
    last(work)               # runs/judge/work/checkpoint-40, or None

TRL writes a checkpoint file by file; the mark that `Marker` sets behind it tells a whole one from
half of one.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

MARK = "complete"
STATE = "trainer_state.json"


def clean(work: Path) -> None:
    """Delete checkpoints that were not finished."""
    for folder in _folders(work):
        if not (folder / MARK).exists():
            shutil.rmtree(folder)


def last(work: Path) -> Path | None:
    """The whole checkpoint of the highest step."""
    whole = [folder for folder in _folders(work) if (folder / MARK).exists()]
    usable = [folder for folder in whole if _best_is_there(folder, work)]
    return max(usable, key=_step, default=None)


def state(checkpoint: Path) -> dict[str, Any]:
    """What TRL knew at that moment: global_step, log_history, best_metric, …"""
    return json.loads((checkpoint / STATE).read_text(encoding="utf-8"))


def mark(checkpoint: Path) -> None:
    """Say that `checkpoint` is whole."""
    (checkpoint / MARK).touch()


def _best_is_there(folder: Path, work: Path) -> bool:
    """TRL names the best checkpoint by path; a run folder may have been moved since."""
    best = state(folder).get("best_model_checkpoint")
    return best is None or (work / Path(best).name / MARK).exists()


def _folders(work: Path) -> list[Path]:
    return [
        path for path in work.glob("checkpoint-*") if path.is_dir() and path.name[11:].isdigit()
    ]


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix("checkpoint-"))
