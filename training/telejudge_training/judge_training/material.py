"""Files of rows in, the rows that a kind of training can use out, counted.

    material = gather(recipe, rows=Path("rows.jsonl"), dev=None, seed=0)
    material.train, material.dev, material.left_out      # {"split test": 40}

Rows of splits that are reserved (`test`) or not a judge's (`rl`) are never trained on. Without dev
rows, in a file of their own or marked so, some groups are kept for validation: whole groups, since
two orders of one group share their answer.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from telejudge_envs.errors import UsageError
from telejudge_training.judge_data.files import read_rows
from telejudge_training.judge_data.rows import JudgeRow, PairRow, RankedRow
from telejudge_training.judge_training.settings import JudgeRecipe, Kind

Row = JudgeRow | PairRow | RankedRow

RECORDS: dict[Kind, type[JudgeRow] | type[PairRow] | type[RankedRow]] = {
    "bt": PairRow,
    "rrhf": RankedRow,
}
"""What a kind reads; all others read JudgeRow."""

TAUGHT = ("sft", "pointwise", "pairs")
"""Kinds that learn the reply of a row."""


@dataclass(frozen=True)
class Material:
    """Rows to train on and to validate with; `left_out` counts the others by cause."""

    train: list[Row]
    dev: list[Row]
    left_out: Counter[str] = field(default_factory=Counter)


def gather(recipe: JudgeRecipe, *, rows: Path, dev: Path | None, seed: int) -> Material:
    """Read and sort rows. Raises DataError naming file and line of a broken row, UsageError when
    nothing is left to train on or to validate with."""
    left_out: Counter[str] = Counter()
    train, kept = _usable(recipe.kind, read(recipe.kind, rows), left_out)
    if dev is not None:
        own, marked = _usable(recipe.kind, read(recipe.kind, dev), left_out)
        kept = [*own, *marked]
    elif not kept:
        train, kept = _hold_out(train, recipe.loop.dev_share, seed)
    if not train or not kept:
        which = "train on" if not train else "validate with"
        told = ", ".join(f"{count} {cause}" for cause, count in left_out.items()) or "none left out"
        raise UsageError(f"{rows} has no rows to {which} for kind {recipe.kind} ({told})")
    return Material(train, kept, left_out)


def read(kind: Kind, path: Path) -> list[Row]:
    """All rows of a file, JSONL or parquet, as the record that `kind` reads."""
    if not path.is_file():
        raise UsageError(f"there is no file {path}; `telejudge data rows` writes rows")
    return list(read_rows(path, RECORDS.get(kind, JudgeRow)))


def _usable(kind: Kind, rows: Sequence[Row], left_out: Counter[str]) -> tuple[list[Row], list[Row]]:
    """Rows of the splits train and dev that `kind` can use."""
    parts: dict[str, list[Row]] = {"train": [], "dev": []}
    for row in rows:
        cause = _unfit(kind, row)
        if cause is None:
            parts[row.split].append(row)
        else:
            left_out[cause] += 1
    return parts["train"], parts["dev"]


def _unfit(kind: Kind, row: Row) -> str | None:
    if row.split not in ("train", "dev"):
        return f"split {row.split}"
    if isinstance(row, PairRow | RankedRow):
        tied = isinstance(row, RankedRow) and len(set(row.rewards)) < 2
        return "tied in all" if tied else None
    if kind in TAUGHT and not row.completion:
        return "without a reply"
    if kind == "pointwise" and len(row.shown) != 1:
        return "showing several candidates"
    if kind == "pairs" and sorted(c.answer for c in row.shown) != [0, 1]:
        return "not one right and one wrong"
    return None


def _hold_out(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """The rows of about `share` of the groups, at least one and never all, to validate with."""
    groups = sorted({row.group_id for row in rows}, key=lambda group: _lot(group, seed))
    count = min(max(1, round(share * len(groups))), len(groups) - 1)
    held = set(groups[: max(count, 0)])
    train = [row for row in rows if row.group_id not in held]
    return train, [row for row in rows if row.group_id in held]


def _lot(group: str, seed: int) -> str:
    return hashlib.sha256(f"dev|{seed}|{group}".encode()).hexdigest()
