"""What a slow step has done so far, beside its output: an interrupted run goes on where it was.

    with Work(out, Annotation, lambda one: one.id) as work:
        for key in wanted:
            if key not in work.known:
                work.add(make(key))
    ...                     # write the output from work.known, then
    work.clear()

The file is `<out>.work.jsonl`: one finished record a line, in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from pydantic import BaseModel

from telejudge_envs.store import Store

W = TypeVar("W", bound=BaseModel)


class Work(Generic[W]):
    """`known` holds what is done, by key; of several records of one key the last counts.

    Raises UsageError when another process does this work.
    """

    def __init__(self, out: Path, noun: type[W], key: Callable[[W], str]) -> None:
        self.path = out.with_name(f"{out.name}.work.jsonl")
        self._noun, self._key = noun, key
        self._store: Store[W] | None = None
        self.known: dict[str, W] = {}

    def add(self, record: W) -> None:
        assert self._store is not None, "work is added inside the with block"
        self._store.append(record)
        self.known[self._key(record)] = record

    def clear(self) -> None:
        """The output is written: the work file has served."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self._store = Store(self.path, self._noun)
        self.known = {self._key(record): record for record in self._store.read()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._store is not None:
            self._store.close()
