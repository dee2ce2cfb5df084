"""Batches of the corruption engine, kept as they come: an interrupted command goes on.

    with batches_kept(out, asked, jobs, processes=2) as batches:
        for batch in batches: ...

They are in `<out>.work.jsonl` until the block is left without an error.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from telejudge_envs import store
from telejudge_envs.nouns.base import Noun
from telejudge_judges.corruption.engine import Batch, Job, corrupt_all
from telejudge_judges.corruption.records import Labelled


class Kept(Noun):
    """What came of one job of the engine, when `asked` for this."""

    asked: tuple[str, ...]
    kept: tuple[Labelled, ...]
    attempted: dict[str, int]


@contextmanager
def batches_kept(
    out: Path, asked: tuple[str, ...], jobs: Iterable[Job], processes: int
) -> Iterator[Iterator[Batch]]:
    """Yields those kept by an earlier run that asked for the same, then new ones."""
    path = out.with_name(f"{out.name}.work.jsonl")
    first = next(iter(store.read(path, Kept)), None) if path.exists() else None
    if first is not None and first.asked != asked:
        path.unlink()
    with store.Store(path, Kept) as kept, closing(_batches(kept, asked, jobs, processes)) as made:
        yield made
    path.unlink()


def _batches(
    work: store.Store[Kept], asked: tuple[str, ...], jobs: Iterable[Job], processes: int
) -> Generator[Batch, None, None]:
    done = 0
    for one in work.read():
        done += 1
        yield Batch(list(one.kept), Counter(one.attempted))
    with closing(corrupt_all(itertools.islice(jobs, done, None), processes)) as made:
        for batch in made:
            work.append(Kept(asked=asked, kept=tuple(batch.kept), attempted=dict(batch.attempted)))
            yield batch
