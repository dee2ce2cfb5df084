"""The embedded judge's training loop: an objective in, a network out, the same after a kill.

    Learner(parts, pools, recipe.learning, seed=0, folder=run / "train", key=key, checked=…).learn()

Each update's dice are seeded by the seed and the update's number, so the step number is all the
state there is besides weights and optimizer (checkpoint.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import nn

from telejudge_judges.embedded.folder import Parts
from telejudge_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from telejudge_training.embedded_judge.listwise import listwise
from telejudge_training.embedded_judge.objective import Loss, Work
from telejudge_training.embedded_judge.pools import LabelledPool
from telejudge_training.embedded_judge.settings import LearningSettings
from telejudge_training.journal import Journal

OnLine = Callable[[int, int, Mapping[str, Any]], None]
"""Called with the update, the number of updates, and the line that went to metrics.jsonl."""

LINE = 20
"""Updates that a line of metrics.jsonl averages."""


class Learner:
    """`checked` is called with the network at every checkpoint; what it returns is a line too.
    `loss` is an objective's (objectives.py), that of `listwise` unless given."""

    def __init__(
        self,
        parts: Parts,
        pools: Sequence[LabelledPool],
        settings: LearningSettings,
        *,
        seed: int,
        folder: Path,
        key: str,
        checked: Callable[[Parts], Mapping[str, Any]],
        on_line: OnLine = lambda step, steps, line: None,
        loss: Loss | None = None,
    ) -> None:
        self.parts, self.settings = parts, settings
        self.folder, self.key = folder, key
        self._checked, self._on_line = checked, on_line
        self._loss = loss or listwise(Work(parts, pools, settings, seed)).loss
        self._figures: dict[str, list[float]] = defaultdict(list)
        self.journal = Journal(folder / "metrics.jsonl")
        self._optimizer = torch.optim.AdamW(
            parts.network.parameters(),
            lr=settings.learning_rate,
            betas=(0.9, 0.95),
            weight_decay=settings.weight_decay,
        )

    def learn(self) -> None:
        network, steps = self.parts.network, self.settings.steps
        start = self._resume()
        self._figures.clear()
        network.train()
        for step in range(start, steps):
            self._update(step)
            if (step + 1) % LINE == 0 or step + 1 == steps:
                means = {name: round(fmean(seen), 5) for name, seen in self._figures.items()}
                self._write(step + 1, {"phase": "train", **means})
                self._figures.clear()
            if (step + 1) % self.settings.check == 0 or step + 1 == steps:
                self._check(step + 1)
        network.eval()

    def _update(self, step: int) -> float:
        settings, network = self.settings, self.parts.network
        for group in self._optimizer.param_groups:
            group["lr"] = settings.learning_rate * rate(step, settings)
        loss, figures = self._loss(step)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), settings.max_norm)
        self._optimizer.step()
        for name, value in {"loss": float(loss.detach()), **figures}.items():
            self._figures[name].append(value)
        return float(loss.detach())

    def _check(self, step: int) -> None:
        network = self.parts.network
        network.eval()
        self._write(step, {"phase": "dev", **self._checked(self.parts)})
        network.train()
        checkpoint = Checkpoint(
            key=self.key,
            step=step,
            model=network.state_dict(),
            optimizer=self._optimizer.state_dict(),
            journals={"metrics": self.journal.offset},
        )
        save_checkpoint(self.folder / "checkpoint.pt", checkpoint)

    def _resume(self) -> int:
        found = load_checkpoint(self.folder / "checkpoint.pt", self.key)
        if found is None:
            self.journal.rewind(0)
            return 0
        self.parts.network.load_state_dict(found.model)
        self._optimizer.load_state_dict(found.optimizer)
        self.journal.rewind(found.journals["metrics"])
        return found.step

    def _write(self, step: int, line: dict[str, Any]) -> None:
        record = {"step": step, **line}
        self.journal.append(record)
        self._on_line(step, self.settings.steps, record)


def rate(step: int, settings: LearningSettings) -> float:
    """The share of the learning rate at update `step`: up linearly, then down linearly."""
    if step < settings.warmup:
        return (step + 1) / settings.warmup
    rest = max(1, settings.steps - settings.warmup)
    return max(settings.floor, 1 - (step - settings.warmup) / rest)
