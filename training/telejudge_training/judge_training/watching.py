"""What happens beside the updates: lines for the curves, marks on checkpoints, an early stop.

Imports transformers; run.py imports it late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from telejudge_training.journal import Journal
from telejudge_training.judge_training import checkpoints

OnLine = Callable[[int, int, Mapping[str, Any]], None]
"""Called with the step, the number of steps, and the line that went to metrics.jsonl."""

UNSTEADY = ("runtime", "per_second", "total_flos", "step_time", "num_tokens")
"""Parts of the names of figures that are left out of the curves: clocks, and a count of tokens
that begins anew with every resumption."""


class Curves(TrainerCallback):
    """metrics.jsonl: a line for each record that the trainer logs. At the start the file is made
    anew from the checkpoint's own history, so a killed run leaves the same lines."""

    def __init__(self, path: Path, on_line: OnLine | None = None) -> None:
        self.journal, self._on_line = Journal(path), on_line

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.journal.rewind(0)
        for record in state.log_history:
            self._write(record)

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        line = self._write(state.log_history[-1])
        if line is not None and self._on_line is not None:
            self._on_line(state.global_step, state.max_steps, line)

    def _write(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        line = line_of(record)
        if line is not None:
            self.journal.append(line)
        return line


def line_of(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """A logged record without its unsteady parts, its phase named; None for the one of the end."""
    if "train_runtime" in record:
        return None
    dev = any(name.startswith("eval_") for name in record)
    figures = {
        name.removeprefix("eval_"): value
        for name, value in sorted(record.items())  # checkpoints sort their history, too
        if name != "step" and not any(part in name for part in UNSTEADY)
    }
    return {"step": record["step"], "phase": "dev" if dev else "train", **figures}


class Marker(TrainerCallback):
    """Marks each checkpoint as whole once everything of it is written."""

    def __init__(self, work: Path) -> None:
        self.work = work

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        checkpoints.mark(self.work / f"checkpoint-{state.global_step}")


class EarlyStop(TrainerCallback):
    """Stops after `patience` checks without a new lowest `metric`. Has no memory of its own: it
    reads the trainer's, so that a resumed run stops where an unbroken one does."""

    def __init__(self, patience: int, metric: str = "eval_loss") -> None:
        self.patience, self.metric = patience, metric

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if stale(state.log_history, self.patience, self.metric):
            control.should_training_stop = True


def stale(history: Sequence[Mapping[str, Any]], patience: int, metric: str = "eval_loss") -> bool:
    """Whether the last `patience` values of `metric` are all no lower than one before them."""
    values = [record[metric] for record in history if metric in record]
    if len(values) <= patience:
        return False
    return min(values[-patience:]) >= min(values[:-patience])
