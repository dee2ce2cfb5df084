"""Which rows are replied to when, for trainers that learn from replies of their own.

    Blocks([[0, 1], [2, 3]], size=4, per_batch=1, repeats=2, seed=0)
    # an epoch: 2 2 3 3  2 2 3 3  0 0 1 1  0 0 1 1   (groups in random order, each batch repeated)

Takes the place of TRL's RepeatSampler, which draws a resumed epoch in another order than an
unbroken run does: here the order follows from the seed and the epoch's number alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from torch.utils.data import Sampler


class Blocks(Sampler[int]):
    """`groups` are the rows that are replied to together. A block has `size` entries, each row of a
    group equally often as near as can be; `per_batch` blocks come together, `repeats` times over.
    What does not fill a batch at the end of an epoch is left to the next."""

    def __init__(
        self, groups: Sequence[Sequence[int]], *, size: int, per_batch: int, repeats: int, seed: int
    ) -> None:
        self.groups, self.size, self.per_batch = groups, size, per_batch
        self.repeats, self.seed, self.epoch = repeats, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by accelerate before each epoch, after a resumption too."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        drawn = list(range(len(self.groups)))
        random.Random(f"blocks|{self.seed}|{self.epoch}").shuffle(drawn)
        for start in range(0, self._batches * self.per_batch, self.per_batch):
            batch = [self._block(g) for g in drawn[start : start + self.per_batch]]
            for _ in range(self.repeats):
                for block in batch:
                    yield from block

    def __len__(self) -> int:
        return self._batches * self.per_batch * self.size * self.repeats

    @property
    def _batches(self) -> int:
        return len(self.groups) // self.per_batch

    def _block(self, group: int) -> list[int]:
        rows = self.groups[group]
        return [rows[i * len(rows) // self.size] for i in range(self.size)]


def in_blocks(trainer: type) -> Any:
    """A subclass of one of TRL's sampling trainers that draws its rows by `trainer.blocks`."""

    class InBlocks(trainer):
        blocks: Blocks

        def _get_train_sampler(self, dataset: Any = None) -> Blocks:
            return self.blocks

    return InBlocks
