"""Files of rows: JSON lines (plain or gzipped) or parquet, each with its card beside it.

    write_rows(Path("rows.parquet"), rows, JudgeRow)
    for row in read_rows(Path("rows.parquet"), JudgeRow): ...

The ending decides: `.parquet`, else JSON lines. Both are written at once and replace an old file
only when all is written; the same rows give the same bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import types
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from telejudge_envs import store
from telejudge_envs.errors import DataError, MissingExtraError, UsageError

R = TypeVar("R", bound=BaseModel)

PARQUET = ".parquet"


def read_rows(path: Path, noun: type[R]) -> Iterator[R]:
    """Every row in file order. Raises DataError naming file and row for one of another kind."""
    if path.suffix != PARQUET:
        yield from store.read(path, noun)
        return
    number = 0
    for batch in _open_parquet(path).iter_batches(batch_size=256):
        for row in batch.to_pylist():
            number += 1
            try:
                yield noun.model_validate(row)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                place = ".".join(map(str, first["loc"]))
                raise DataError(
                    f"{path}, row {number}: no {noun.__name__}: {place}: {first['msg']}"
                ) from error


def count_rows(paths: Iterable[Path]) -> int:
    """How many rows files hold, without a look at them: for those who want to know how long it
    takes. Raises DataError for a file that cannot be read."""
    return sum(
        _open_parquet(path).metadata.num_rows
        if path.suffix == PARQUET
        else sum(1 for _ in store.lines(path))
        for path in paths
    )


def write_rows(path: Path, rows: Iterable[R], noun: type[R]) -> int:
    """Write all rows; returns how many. Raises UsageError for records that parquet cannot hold."""
    if path.suffix == PARQUET:
        return _write_parquet(path, list(rows), noun)
    if path.suffix == ".gz":
        return _write_gzip(path, rows)
    return store.write(path, rows)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def draft_of(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{os.getpid()}.draft")


def _write_gzip(path: Path, rows: Iterable[BaseModel]) -> int:
    draft, count = draft_of(path), 0
    # Neither time nor name go into the header: the same rows give the same bytes.
    with draft.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
        for row in rows:
            file.write(row.model_dump_json().encode() + b"\n")
            count += 1
    draft.replace(path)
    return count


def _write_parquet(path: Path, rows: Sequence[BaseModel], noun: type[BaseModel]) -> int:
    parquet = _parquet()
    import pyarrow

    schema = arrow_schema(noun)
    table = pyarrow.Table.from_pylist([row.model_dump(mode="json") for row in rows], schema=schema)
    draft = draft_of(path)
    parquet.write_table(table, draft, compression="zstd")
    draft.replace(path)
    return len(rows)


def arrow_schema(noun: type[BaseModel]) -> Any:
    """The record as Arrow types. Raises UsageError for a field that has no such type."""
    import pyarrow

    return pyarrow.schema(_fields(noun))


def _fields(noun: type[BaseModel]) -> list[Any]:
    import pyarrow

    fields = []
    for name, field in noun.model_fields.items():
        try:
            fields.append(pyarrow.field(name, _type(field.annotation)))
        except TypeError as error:
            raise UsageError(
                f"{noun.__name__}.{name} ({error}) does not fit parquet; write .jsonl instead"
            ) from error
    return fields


def _type(annotation: Any) -> Any:
    import pyarrow

    simple = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    if annotation in simple:
        return simple[annotation]
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        (kind,) = {type(value) for value in inside}
        return simple[kind]
    if origin in (Union, types.UnionType):
        (one,) = [kind for kind in inside if kind is not type(None)]
        return _type(one)
    if origin is tuple and len(inside) == 2 and inside[1] is ...:
        return pyarrow.list_(_type(inside[0]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return pyarrow.struct(_fields(annotation))
    raise TypeError(str(annotation))


def _open_parquet(path: Path) -> Any:
    try:
        return _parquet().ParquetFile(path)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}") from error


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error
    return pyarrow.parquet
