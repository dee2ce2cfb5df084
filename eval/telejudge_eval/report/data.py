"""What a report is made of, read from a run directory or from plain files.

In: a run directory (`run.json`, `before.jsonl`, `train/…`, `after.jsonl`, `summary.json`; any of
them may still be missing while the run goes on), or files of judged groups, of rollouts and of
verdicts (plain or gzipped, one JSON object a line, told apart by their fields). Out: `RunData`.

    data = read_source([Path("rollouts.jsonl"), Path("verdicts.jsonl")])
    data.groups[0].verdict.verdicts

Raises `DataError` for what is missing or broken, naming file and line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from telejudge_envs.errors import DataError
from telejudge_envs.groups import groups_of, latest, outcomes_of
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_envs.store import lines, read

Record = TypeVar("Record", bound=BaseModel)

NOT_JUDGED = "not judged"
GROUP_FILES = ("before.jsonl", "train/groups.jsonl", "after.jsonl")
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
    for name in GROUP_FILES:
        if (folder / name).exists():
            for judged in _records(folder / name, JudgedGroup, notes):
                groups[judged.phase, judged.step, judged.group.id] = judged
    metrics = _metrics(folder / METRICS_FILE, notes)
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
        kind = _kind(path)
        if kind is JudgedGroup:
            judged += _records(path, JudgedGroup, notes)
        elif kind is Rollout:
            rollouts += _records(path, Rollout, notes)
        else:
            verdicts += _records(path, GroupVerdict, notes)
    judged += _join(rollouts, verdicts, notes)
    if not judged:
        raise DataError("; ".join([f"no groups in {', '.join(map(str, paths))}", *notes]))
    return RunData(
        name=", ".join(path.name for path in paths), groups=tuple(judged), notes=tuple(notes)
    )


def _kind(path: Path) -> type[JudgedGroup] | type[Rollout] | type[GroupVerdict]:
    """What a file holds, by the fields of its first line."""
    first = next(lines(path), None)
    if first is None:
        raise DataError(f"{path} is empty: no groups to report")
    fields = _json_object(f"{path}, line {first.number}", first.text)
    if "verdict" in fields and "group" in fields:
        return JudgedGroup
    if "trajectory" in fields:
        return Rollout
    if "verdicts" in fields:
        return GroupVerdict
    raise DataError(
        f"{path}, line {first.number}: neither a judged group (group, verdict) nor a rollout "
        f"(trajectory) nor a group verdict (verdicts); its fields: {', '.join(fields) or 'none'}"
    )


def _records(path: Path, kind: type[Record], notes: list[str]) -> list[Record]:
    records = list(read(path, kind))
    if len(records) < sum(1 for _ in lines(path)):
        notes.append(f"the last line of {path} is unfinished and was left out")
    return records


def _join(
    rollouts: list[Rollout], verdicts: list[GroupVerdict], notes: list[str]
) -> Iterator[JudgedGroup]:
    """Rollouts with the verdicts on them; those without any become groups that are not judged."""
    if verdicts and not rollouts:
        raise DataError(
            "verdicts alone show no rollouts; give the rollout file that was judged as well"
        )
    by_id = latest(rollouts)
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
            trajectories = tuple(member.trajectory for member in known)
            group = Group(id=verdict.group_id, task=known[0].task, trajectories=trajectories)
            yield _judged(group, verdict, known)
    rest = [rollout for i, rollout in by_id.items() if i not in seen]
    if rest:
        notes.append(f"{len(rest)} rollouts have no verdict")
    for group in groups_of(rest):
        yield _judged(group, _no_verdict(group), [by_id[t.id] for t in group.trajectories])


def _no_verdict(group: Group) -> GroupVerdict:
    return GroupVerdict(
        group_id=group.id,
        task_id=group.task.id,
        judge="none",
        judge_version="–",
        verdicts=tuple(
            Verdict(trajectory_id=t.id, abstained=NOT_JUDGED) for t in group.trajectories
        ),
    )


def _judged(group: Group, verdict: GroupVerdict, members: list[Rollout]) -> JudgedGroup:
    return JudgedGroup(
        phase="judged" if verdict.judge != "none" else NOT_JUDGED,
        group=group,
        verdict=verdict,
        outcomes=outcomes_of(members),
    )


def _metrics(path: Path, notes: list[str]) -> Iterator[dict[str, Any]]:
    """The lines of a metrics file; one still being written is noted and left out."""
    if not path.exists():
        return
    for line in lines(path):
        where = f"{path}, line {line.number}"
        if not line.whole:
            notes.append(f"{where} is unfinished and was left out")
            return
        metric = _json_object(where, line.text)
        if not isinstance(metric.get("step"), int):
            raise DataError(f"{where}: a line of metrics needs an integer `step`")
        yield metric


def _json_object(where: str, text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({error})") from error
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected a JSON object, found {type(value).__name__}")
    return value


def _object(path: Path) -> dict[str, Any]:
    return _json_object(str(path), path.read_bytes()) if path.exists() else {}
