"""The embedded judge's training loop: lessons in, a network out, the same after a kill.

    network = learn(parts, pools, recipe.learning, seed=0, folder=run / "train", key=key)

Each update's dice are seeded by the seed and the update's number, so the step number is all the
state there is besides weights and optimizer (checkpoint.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from telejudge_judges.embedded.folder import Parts, encoder
from telejudge_judges.embedded.network import Network
from telejudge_judges.embedded.sheet import Encode
from telejudge_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from telejudge_training.embedded_judge.lessons import Lesson, lesson_of, strew
from telejudge_training.embedded_judge.pools import Labelled, LabelledPool
from telejudge_training.embedded_judge.settings import LearningSettings
from telejudge_training.journal import Journal

OnLine = Callable[[int, int, Mapping[str, Any]], None]
"""Called with the update, the number of updates, and the line that went to metrics.jsonl."""

Deal = tuple[LabelledPool, list[Labelled]]

LINE = 20
"""Updates that a line of metrics.jsonl averages."""


class Learner:
    """`checked` is called with the network at every checkpoint; what it returns is a line too."""

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
    ) -> None:
        self.parts, self.pools, self.settings = parts, list(pools), settings
        self.seed, self.folder, self.key = seed, folder, key
        self._checked, self._on_line = checked, on_line
        self._encode: Encode = encoder(parts.tokenizer)
        self._vocabulary = parts.tokenizer.get_vocab_size()
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
        losses: list[float] = []
        network.train()
        for step in range(start, steps):
            losses.append(self._update(step))
            if (step + 1) % LINE == 0 or step + 1 == steps:
                self._write(step + 1, {"phase": "train", "loss": round(fmean(losses), 5)})
                losses = []
            if (step + 1) % self.settings.check == 0 or step + 1 == steps:
                self._check(step + 1)
        network.eval()

    def _update(self, step: int) -> float:
        settings, network = self.settings, self.parts.network
        for group in self._optimizer.param_groups:
            group["lr"] = settings.learning_rate * rate(step, settings)
        loss = loss_of(network, self.lessons(step))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), settings.max_norm)
        self._optimizer.step()
        return float(loss.detach())

    def lessons(self, step: int) -> list[Lesson]:
        """What update `step` (from 0) learns from."""
        settings, spec = self.settings, self.parts.spec
        dice = random.Random(f"{self.seed}|lessons|{step}")
        small = step < settings.alone * settings.steps
        size = dice.choice((1, 2)) if small else dice.randint(2, spec.shape.candidates)
        lessons = []
        for pool, dealt in self._deals(size, dice):
            lesson = lesson_of(pool.view, dealt, spec, self._encode, settings)
            strew(lesson.cells, settings.noise, self._vocabulary, dice, spec.shape.piece)
            lessons.append(lesson)
        return lessons

    def _deals(self, size: int, dice: random.Random) -> list[Deal]:
        """Of three times as many deals those that are neighbours in length, so that little of the
        batch is padding; every length is as likely to be drawn as it is frequent."""
        wanted = max(1, self.settings.candidates // size)
        pools = dice.choices(self.pools, k=3 * wanted)
        deals = [(pool, pool.deal(size, dice)) for pool in pools]
        deals.sort(key=lambda deal: sum(one.calls for one in deal[1]))
        start = dice.randrange(len(deals))
        return [deals[(start + n) % len(deals)] for n in range(wanted)]

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


def loss_of(network: Network, lessons: Sequence[Lesson]) -> torch.Tensor:
    """Weighted mean cross-entropy of all labels of all lessons."""
    hidden = network.hidden([lesson.cells for lesson in lessons])
    labels = [(row, *label) for row, lesson in enumerate(lessons) for label in lesson.labels]
    rows, places, values, weights = zip(*labels, strict=True)
    logits = network.head(hidden[torch.tensor(rows), torch.tensor(places)])
    each = functional.cross_entropy(logits, torch.tensor(values), reduction="none")
    weighed = torch.tensor(weights)
    return (each * weighed).sum() / weighed.sum()
