"""Records in, an append-only file of JSON lines that can be rewound to a checkpoint.

journal = Journal(run / "train" / "metrics.jsonl")
journal.append({"step": 1, "loss": 0.5})
offset = journal.offset          # goes into the checkpoint
journal.rewind(offset)           # after a kill: forget what came after that checkpoint
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Journal:
    """One writer's file. Every line is flushed, so a killed process loses at most the last one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    @property
    def offset(self) -> int:
        """Bytes written so far."""
        return self.path.stat().st_size

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one JSON object as a line."""
        self.append_line(json.dumps(dict(record)))

    def append_line(self, line: str) -> None:
        """Write a line that is JSON already."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def rewind(self, offset: int) -> None:
        """Cut everything behind `offset`; a file that is shorter stays as it is."""
        if self.offset > offset:
            os.truncate(self.path, offset)


def read_metrics(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a metrics file; an unfinished last line is left out."""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n") and line.strip():
            yield json.loads(line)
