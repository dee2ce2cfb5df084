"""Recorded rollouts of tau2-bench in, our Rollouts with ledger and outcome out.

    rollouts = import_recorded(Path("rollouts.jsonl.gz"))
    for line in disagreements(rollouts):
        print(line)

`recorded_forms.py` says which files can be read. The calls are made again on a fresh episode,
which fills the ledger and gives the outcome; the recorded reward stays beside it in
`Trajectory.versions["recorded_reward"]`, the place it came from in `["recorded_in"]`. tau2 does
not record what the agent was told first, so the system message (policy) and, in solo mode, the
ticket are put in front as in our own episodes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import cast

from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import Task
from telejudge_envs.nouns.trajectory import Failure, Rollout, StopReason, Trajectory, Usage
from telejudge_envs.tau2_telecom.recorded_forms import Record, records
from telejudge_envs.tau2_telecom.recorded_messages import Malformed, messages_of
from telejudge_envs.tau2_telecom.world import Tau2Telecom

REWARD = "recorded_reward"
SOURCE = "recorded_in"

STOPS: dict[str, StopReason] = {
    "agent_stop": "agent_stop",
    "user_stop": "user_stop",
    "max_steps": "max_steps",
    "too_many_errors": "too_many_errors",
    "agent_error": "agent_error",
    "user_error": "user_error",
    "judge_stop": "agent_error",
}
"""tau2's TerminationReason to ours; its loop judge (`judge_stop`) stops an agent that repeats."""

_log = logging.getLogger(__name__)


def import_recorded(
    path: Path,
    world: Tau2Telecom | None = None,
    on_rollout: Callable[[int, int], None] | None = None,
) -> list[Rollout]:
    """Every rollout of a file, in file order; group them with `telejudge_envs.groups.groups_of`.
    `on_rollout` hears how many are played again, of how many.

    Raises DataError naming file and line (or simulation) for anything that cannot be read. A
    replayed reward that differs from the recorded one is logged and kept; see `disagreements`.
    """
    worlds: dict[str, Tau2Telecom] = {}
    seen: Counter[str] = Counter()
    rollouts = []
    found = list(records(path))
    for record in found:
        if on_rollout is not None:
            on_rollout(len(rollouts), len(found))
        if world is None and record.policy not in worlds:
            worlds[record.policy] = _world(record)
        rollouts.append(_import(record, world or worlds[record.policy], seen))
    if on_rollout is not None:
        on_rollout(len(rollouts), len(found))
    for line in disagreements(rollouts):
        _log.warning("%s", line)
    return rollouts


def disagreements(rollouts: Iterable[Rollout]) -> list[str]:
    """One line for each rollout whose recorded reward is not the replayed one."""
    return [
        f"{t.versions[SOURCE]}: recorded reward {t.versions[REWARD]}, replayed "
        f"{rollout.outcome.world_reward} (task {t.task_id}, stop {t.stop})"
        for rollout in rollouts
        if rollout.outcome is not None
        and REWARD in (t := rollout.trajectory).versions
        and float(t.versions[REWARD]) != rollout.outcome.world_reward
    ]


def _world(record: Record) -> Tau2Telecom:
    try:
        return Tau2Telecom(policy=record.policy)
    except UsageError as error:
        raise DataError(f"{record.where}: {error}") from error


def _import(record: Record, world: Tau2Telecom, seen: Counter[str]) -> Rollout:
    task = _task(record, world)
    try:
        messages = messages_of(record.messages)
    except Malformed as error:
        raise DataError(f"{record.where}: {error}") from error
    stop, failure = _stop(record)
    numbers = [_number(record, name) for name in ("trial", "seed", "reward")]
    trial, seed, reward = numbers
    bare = Trajectory(
        id=_own_id(record, messages, seen),
        task_id=task.id,
        world=world.name,
        agent=record.agent,
        mode=task.view.mode,
        rollout=int(trial or 0),
        seed=int(seed or 0),
        messages=messages,
        stop=stop,
        failure=failure,
        usage=_with_calls(record.usage, messages, "assistant"),
        user_usage=record.user_usage and _with_calls(record.user_usage, messages, "user"),
        versions=_versions(record, world, reward),
    )
    episode = world.replay(task, bare)
    opening = 0 if messages and messages[0].role == "system" else 2 - (task.view.mode == "dual")
    told = episode.observation[:opening]
    trajectory = bare.model_copy(update={"messages": (*told, *messages), "changes": episode.ledger})
    return Rollout(task=task.view, trajectory=trajectory, outcome=episode.outcome())


def _with_calls(usage: Usage, messages: Sequence[Message], role: str) -> Usage:
    calls = sum(len(m.tool_calls) for m in messages if m.role == role)
    return usage.model_copy(update={"calls": calls})


def _task(record: Record, world: Tau2Telecom) -> Task:
    if record.mode not in ("solo", "dual"):
        raise DataError(f"{record.where}: mode {record.mode!r} is neither solo nor dual")
    try:
        return world.task(str(record.task_id), cast(Mode, record.mode))
    except UsageError as error:
        raise DataError(f"{record.where}: {error}") from error


def _stop(record: Record) -> tuple[StopReason, Failure | None]:
    if record.skipped:
        detail = "tau2 gave the sample up after an error and recorded nothing of it"
        return "failed", Failure(owner="runner", cause="skipped", detail=detail)
    if record.termination not in STOPS:
        raise DataError(
            f"{record.where}: termination {record.termination!r} is none of {', '.join(STOPS)}"
        )
    stop = STOPS[record.termination]
    if stop == "user_error":
        return stop, Failure(owner="user", cause="recorded", detail="recorded as user_error")
    if stop == "agent_error":
        detail = f"recorded as {record.termination}"
        return stop, Failure(owner="agent", cause="recorded", detail=detail)
    return stop, None


def _number(record: Record, name: str) -> float | None:
    value = getattr(record, name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise DataError(f"{record.where}: `{name}` must be a number or absent, not {value!r}")


def _own_id(record: Record, messages: tuple[Message, ...], seen: Counter[str]) -> str:
    """Decided by what was recorded, not by where; a verbatim repetition gets an id of its own."""
    parts = [str(p) for p in (record.task_id, record.mode, record.agent, record.trial, record.seed)]
    parts += [message.model_dump_json() for message in messages]
    own = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    seen[own] += 1
    return own if seen[own] == 1 else f"{own}~{seen[own]}"


def _versions(record: Record, world: Tau2Telecom, reward: float | None) -> dict[str, str]:
    notes = {k: v if isinstance(v, str) else json.dumps(v) for k, v in record.notes.items() if v}
    if reward is not None:
        notes[REWARD] = str(float(reward))
    return {**world.versions, **notes, SOURCE: record.source}
