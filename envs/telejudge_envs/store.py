"""Append-only files of nouns: one JSON object a line; many readers, one writer.

In: pydantic nouns. Out: a file in which every finished line survives whatever happens to the
process that wrote it. A last line without its newline was being written when the process died:
it is kept if it is a whole record, otherwise ignored by readers and cut by the next writer.

    with Store(Path("rollouts.jsonl"), Rollout) as store:
        store.append(rollout)
    for rollout in read(Path("rollouts.jsonl"), Rollout):
        ...

Files are plain or gzipped when read, plain when written. The lock is POSIX's (`fcntl`).
"""

from __future__ import annotations

import fcntl
import gzip
import logging
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from telejudge_envs.errors import DataError, TelejudgeError, UsageError
from telejudge_envs.nouns.base import SCHEMA_VERSION

N = TypeVar("N", bound=BaseModel)

_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK = 1 << 16
_log = logging.getLogger(__name__)


class StorageError(TelejudgeError):
    """A record could not be written; every record before it is safe in the file."""


class Line(NamedTuple):
    """A line of a file; `number` counts from 1, `whole` is false when its newline is missing."""

    number: int
    text: bytes
    whole: bool


class Store(Generic[N]):
    """The one writer of a file. Opening it takes the lock and cuts a torn last line.

    Raises UsageError when another process writes the file, StorageError when the disk refuses.
    With `fsync`, a record survives a power failure too (some milliseconds a record).
    """

    def __init__(self, path: Path, noun: type[N], *, fsync: bool = False) -> None:
        self.path = Path(path)
        self._noun, self._fsync = noun, fsync
        self._file = self._open()
        try:
            self._lock()
            self._end = self._mend()
        except BaseException:
            self._file.close()
            raise

    def append(self, record: N) -> None:
        """Write one record as one line. When the disk is full nothing of it stays in the file."""
        line = record.model_dump_json().encode() + b"\n"
        if self._file.closed:
            raise UsageError(f"the store {self.path} is closed")
        try:
            self._write(line)
        except OSError as error:
            os.ftruncate(self._file.fileno(), self._end)
            raise StorageError(
                f"cannot write to {self.path} ({error.strerror}); its first {self._end:,} bytes, "
                "all finished records, are safe. Make room and start again to go on from there."
            ) from error
        self._end += len(line)

    def read(self) -> Iterator[N]:
        """The records that are in the file."""
        return read(self.path, self._noun)

    def close(self) -> None:
        """Give up the lock; a closed store stays closed."""
        self._file.close()

    def __enter__(self) -> Store[N]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> IO[bytes]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return self.path.open("a+b", buffering=0)
        except OSError as error:
            raise StorageError(f"cannot open {self.path} for writing: {error.strerror}") from error

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"{self.path} is being written by another process; wait for it, stop it, or "
                "choose another file"
            ) from error

    def _mend(self) -> int:
        """The end of the last finished line, after a torn one was completed or cut."""
        self._file.seek(0)
        if self._file.read(2) == _GZIP_MAGIC:
            raise UsageError(f"{self.path} is gzipped; only plain files can be appended to")
        size = self._file.seek(0, os.SEEK_END)
        start = _start_of_last_line(self._file, size)
        if start == size:
            return size
        self._file.seek(start)
        tail = self._file.read(size - start)
        if _is_record(tail, self._noun):
            self._write(b"\n")
            return size + 1
        _log.warning("%s: cut an unfinished last line of %d bytes", self.path, len(tail))
        os.ftruncate(self._file.fileno(), start)
        return start

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file.fileno(), rest) :]
        if self._fsync:
            os.fsync(self._file.fileno())


def read(path: Path, noun: type[N]) -> Iterator[N]:
    """Every record of a file, plain or gzipped, in file order.

    Raises DataError naming file and line for a broken line, a record of another kind, or one that
    a newer telejudge wrote. An unfinished last line is skipped with a warning.
    """
    for line in lines(path):
        if not line.whole and not _is_record(line.text, noun):
            _log.warning("%s: ignored an unfinished last line (%d)", path, line.number)
            return
        yield _record(line, path, noun)


def write(path: Path, records: Iterable[BaseModel]) -> int:
    """Write a new file of records at once, replacing an old one only when all are written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    count = 0
    try:
        with draft.open("wb") as file:
            for record in records:
                file.write(record.model_dump_json().encode() + b"\n")
                count += 1
        draft.replace(path)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return count


def lines(path: Path) -> Iterator[Line]:
    """The non-blank lines of a plain or gzipped file; raises DataError when it is unreadable."""
    number = 0
    try:
        with _open_any(path) as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    yield Line(number, text, text.endswith(b"\n"))
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a broken gzip file (after line {number}): {error}") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _open_any(path: Path) -> BinaryIO | gzip.GzipFile:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if packed else path.open("rb")


def _record(line: Line, path: Path, noun: type[N]) -> N:
    where = f"{path}, line {line.number}"
    try:
        data = from_json(line.text)
    except ValueError as error:
        raise DataError(f"{where}: not JSON: {error}") from error
    version = _newest_version(data)
    if version > SCHEMA_VERSION:
        raise DataError(
            f"{where}: written by a newer telejudge (schema version {version}; this one reads up "
            f"to {SCHEMA_VERSION}); update telejudge"
        )
    try:
        return noun.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the record"
        raise DataError(
            f"{where}: no {noun.__name__}: {place}: {first['msg']} "
            f"({error.error_count()} problems in all)"
        ) from error


def _is_record(text: bytes, noun: type[BaseModel]) -> bool:
    try:
        noun.model_validate_json(text)
    except ValidationError:
        return False
    return True


def _newest_version(data: Any, depth: int = 2) -> int:
    """The highest `schema_version` of a record and of the records it directly holds."""
    if not isinstance(data, dict):
        return 0
    own = data.get("schema_version")
    found = own if isinstance(own, int) else 0
    if depth:
        found = max([found, *(_newest_version(value, depth - 1) for value in data.values())])
    return found


def _start_of_last_line(file: IO[bytes], size: int) -> int:
    """Offset after the last newline: `size` when the file ends with one."""
    end = size
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
