"""The files of a rubric index: a manifest with checksums, replaced last, and what it names.

    save(folder, embedder="…", dimensions=384, content={"rubrics": …, "items": …, "cases": …})
    manifest = read_manifest(folder); read_file(folder, manifest.items)

Whatever is missing, cut or changed on the disk becomes a DataError that names the file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.base import Noun

FORMAT = 1
"""Raised when older indexes can no longer be read."""
MANIFEST = "manifest.json"
SUFFIXES = {"rubrics": "json", "items": "faiss", "cases": "faiss"}

Part = Literal["rubrics", "items", "cases"]


class File(Noun):
    """A file of the index; its name carries the beginning of its checksum."""

    name: str
    sha256: str


class Manifest(Noun):
    """What makes an index whole."""

    format: int
    embedder: str
    dimensions: int
    rubrics: File
    items: File
    cases: File


def save(folder: Path, embedder: str, dimensions: int, content: Mapping[Part, bytes]) -> None:
    """Write all parts, then the manifest. Raises UsageError when the disk refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        named: dict[str, File] = {}
        for part, data in content.items():
            checksum = hashlib.sha256(data).hexdigest()
            named[part] = File(name=f"{part}-{checksum[:12]}.{SUFFIXES[part]}", sha256=checksum)
            _replace(folder / named[part].name, data)
        manifest = Manifest(format=FORMAT, embedder=embedder, dimensions=dimensions, **named)
        before = _names(folder)
        _replace(folder / MANIFEST, manifest.model_dump_json(indent=1).encode())
        _sweep(folder, keep=before | {file.name for file in named.values()})
    except OSError as error:
        raise UsageError(f"the rubric index cannot be written to {folder}: {error}") from error


def read_manifest(folder: Path) -> Manifest:
    """Raises UsageError when there is no index or one of another format, DataError if damaged."""
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no rubric index in {folder}; make one: telejudge rubric index --out {folder}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(folder, MANIFEST, f"cannot be read: {error}") from error
    try:
        given = json.loads(text)
        if isinstance(given, dict) and given.get("format", FORMAT) != FORMAT:
            raise UsageError(
                f"the rubric index {folder} has format {given.get('format')}, this telejudge reads "
                f"{FORMAT}; make it anew: telejudge rubric index --out {folder}"
            )
        return Manifest.model_validate(given)
    except ValueError as error:
        raise damaged(folder, MANIFEST, f"is no manifest: {error}") from error


def _names(folder: Path) -> set[str]:
    """Files of the index that is being replaced, which somebody may be reading."""
    try:
        old = read_manifest(folder)
    except (UsageError, DataError):
        return set()
    return {old.rubrics.name, old.items.name, old.cases.name}


def read_file(folder: Path, file: File) -> bytes:
    """What the manifest names, unchanged. Raises DataError."""
    try:
        data = (folder / file.name).read_bytes()
    except OSError as error:
        raise damaged(folder, file.name, f"cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise damaged(folder, file.name, f"has changed ({len(data):,} bytes, wrong checksum)")
    return data


def damaged(folder: Path, name: str, what: str) -> DataError:
    """The error for a file that is not what it should be."""
    return DataError(
        f"the rubric index {folder} is damaged: {name} {what}; make it anew: "
        f"telejudge rubric index --out {folder}"
    )


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(path)


def _sweep(folder: Path, keep: set[str]) -> None:
    """Remove what neither the new nor the last manifest names."""
    for pattern in (f"{part}-*.{suffix}" for part, suffix in SUFFIXES.items()):
        for path in folder.glob(pattern):
            if path.name not in keep:
                path.unlink(missing_ok=True)
