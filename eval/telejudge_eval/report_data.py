"""What a report is made of, read from a run directory or from plain files.

In: a run directory (`run.json`, `before.jsonl`, `train/…`, `after.jsonl`, `summary.json`; any of
them may still be missing while the run goes on), or files of judged groups, of rollouts and of
verdicts (plain or gzipped, one JSON object a line, told apart by their fields). Out: `RunData`.

    data = read_source([Path("rollouts.jsonl"), Path("verdicts.jsonl")])
    data.groups[0].verdict.verdicts

Raises `DataError` for what is missing or broken, naming file and line.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from telejudge_envs.errors import DataError
from telejudge_envs.nouns.base import SCHEMA_VERSION
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict

Record = TypeVar("Record", bound=BaseModel)

NOT_JUDGED = "not judged"
GROUP_FILES = {"before": "before.jsonl", "train": "train/groups.jsonl", "after": "after.jsonl"}
METRICS_FILE = "train/metrics.jsonl"
RUN_FILES = ("run.json", "before.jsonl", METRICS_FILE, "after.jsonl", "summary.json")
"""In the order in which a run writes them."""


@dataclass(frozen=True)
class RunData:
    """Everything a report shows; `missing` names the files that a run has not written (yet)."""

    name: str
    groups: tuple[JudgedGroup, ...]
    metrics: tuple[dict[str, Any], ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_source(source: Path | Sequence[Path]) -> RunData:
    """Read a run directory, or one file or several."""
    paths = [source] if isinstance(source, Path) else list(source)
    for path in paths:
        if not path.exists():
            raise DataError(f"{path} does not exist; give a run directory or JSONL files")
    if len(paths) == 1 and paths[0].is_dir():
        return read_run(paths[0])
    for path in paths:
        if path.is_dir():
            raise DataError(f"{path} is a directory; give one run directory alone, or only files")
    return read_files(paths)


def read_run(folder: Path) -> RunData:
    """Read a run directory, finished or not."""
    missing = tuple(name for name in RUN_FILES if not (folder / name).exists())
    if len(missing) == len(RUN_FILES):
        raise DataError(
            f"{folder} is not a run directory: it has none of {', '.join(RUN_FILES)}; "
            "give the folder that `telejudge run` wrote"
        )
    notes: list[str] = []
    groups: dict[tuple[str, int | None, str], JudgedGroup] = {}
    for name in GROUP_FILES.values():
        for where, line in _lines(folder / name, notes):
            judged = _record(JudgedGroup, where, line)
            groups[judged.phase, judged.step, judged.group.id] = judged
    metrics = tuple(_metric(where, line) for where, line in _lines(folder / METRICS_FILE, notes))
    return RunData(
        name=folder.resolve().name,
        groups=tuple(groups.values()),
        metrics=tuple({(m.get("phase"), m["step"]): m for m in metrics}.values()),
        config=_object(folder / "run.json"),
        summary=_object(folder / "summary.json"),
        missing=missing,
        notes=tuple(notes),
    )


def read_files(paths: Sequence[Path]) -> RunData:
    """Read judged, rollout and verdict files; verdicts find their rollouts by trajectory id."""
    judged: list[JudgedGroup] = []
    rollouts: list[Rollout] = []
    verdicts: list[GroupVerdict] = []
    notes: list[str] = []
    for path in paths:
        for where, line in _lines(path, notes):
            fields = _json_object(where, line)
            if "verdict" in fields and "group" in fields:
                judged.append(_record(JudgedGroup, where, line))
            elif "trajectory" in fields:
                rollouts.append(_record(Rollout, where, line))
            elif "verdicts" in fields:
                verdicts.append(_record(GroupVerdict, where, line))
            else:
                raise DataError(
                    f"{where}: neither a judged group (group, verdict) nor a rollout (trajectory) "
                    f"nor a group verdict (verdicts); its fields: {', '.join(fields) or 'none'}"
                )
    judged += _join(rollouts, verdicts, notes)
    if not judged:
        raise DataError("; ".join([f"no groups in {', '.join(map(str, paths))}", *notes]))
    return RunData(
        name=", ".join(path.name for path in paths), groups=tuple(judged), notes=tuple(notes)
    )


def _join(
    rollouts: list[Rollout], verdicts: list[GroupVerdict], notes: list[str]
) -> Iterator[JudgedGroup]:
    """Rollouts with the verdicts on them; those without any become groups that are not judged."""
    if verdicts and not rollouts:
        raise DataError(
            "verdicts alone show no rollouts; give the rollout file that was judged as well"
        )
    by_id = {rollout.trajectory.id: rollout for rollout in rollouts}
    seen: set[str] = set()
    for verdict in verdicts:
        ids = [v.trajectory_id for v in verdict.verdicts]
        known = [by_id[i] for i in ids if i in by_id]
        seen.update(ids)
        if len(known) < len(ids):
            notes.append(
                f"group {verdict.group_id}: {len(ids) - len(known)} of {len(ids)} judged "
                "rollouts are not in the rollout files"
            )
        if known:
            yield _judged(verdict.group_id, known, verdict)
    rest: dict[tuple[str, ...], list[Rollout]] = {}
    for rollout in rollouts:
        if rollout.trajectory.id not in seen:
            t = rollout.trajectory
            rest.setdefault((t.world, t.task_id, t.mode, t.agent), []).append(rollout)
    if rest:
        notes.append(f"{sum(map(len, rest.values()))} rollouts have no verdict")
    for members in rest.values():
        group_id = members[0].trajectory.id
        blank = tuple(Verdict(trajectory_id=m.trajectory.id, abstained=NOT_JUDGED) for m in members)
        verdict = GroupVerdict(
            group_id=group_id,
            task_id=members[0].task.id,
            judge="none",
            judge_version="–",
            verdicts=blank,
        )
        yield _judged(group_id, members, verdict)


def _judged(group_id: str, members: list[Rollout], verdict: GroupVerdict) -> JudgedGroup:
    return JudgedGroup(
        phase="judged",
        group=Group(
            id=group_id,
            task=members[0].task,
            trajectories=tuple(m.trajectory for m in members),
        ),
        verdict=verdict,
        outcomes={m.trajectory.id: m.outcome for m in members if m.outcome is not None},
    )


def _lines(path: Path, notes: list[str]) -> Iterator[tuple[str, str]]:
    """Non-empty lines with their place; a last line still being written is noted and left out."""
    if not path.exists():
        return
    opener = gzip.open if path.suffix == ".gz" else open
    held: tuple[str, str] | None = None
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for count, line in enumerate(file, 1):
                if held:
                    yield held
                held = (f"{path}, line {count}", line) if line.strip() else None
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read as JSON lines in UTF-8: {error}") from error
    if held is None:
        return
    if held[1].endswith("\n") or _is_json(held[1]):
        yield held
    else:
        notes.append(f"{held[0]} is still being written or was cut off; it is left out")


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _json_object(where: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({error})") from error
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected a JSON object, found {type(value).__name__}")
    return value


def _record(kind: type[Record], where: str, line: str) -> Record:
    try:
        record = kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the line"
        raise DataError(
            f"{where}: not a {kind.__name__}: {place}: {first['msg']} "
            f"({error.error_count()} problems in this line)"
        ) from error
    version = _version(record)
    if version > SCHEMA_VERSION:
        raise DataError(
            f"{where}: written by a newer telejudge (schema {version}, this one reads up to "
            f"{SCHEMA_VERSION}); upgrade telejudge"
        )
    return record


def _version(record: BaseModel) -> int:
    holders = (record, getattr(record, "group", None), getattr(record, "trajectory", None))
    return max((getattr(holder, "schema_version", 0) for holder in holders), default=0)


def _metric(where: str, line: str) -> dict[str, Any]:
    metric = _json_object(where, line)
    if not isinstance(metric.get("step"), int):
        raise DataError(f"{where}: a line of metrics needs an integer `step`")
    return metric


def _object(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error}") from error
    return _json_object(str(path), text)
