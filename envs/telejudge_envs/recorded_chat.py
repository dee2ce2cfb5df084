"""Conversations that somebody else's agent had, in OpenAI's chat format, as our Rollouts.

    import_chat(Path("chats.jsonl"), world)       # -> [Rollout, …]

A line is `{"task_id": …, "messages": [...]}`, with `mode` (solo), `agent` and `id` if known. The
agent's messages are played again on a fresh episode, so that results, ledger and outcome are the
world's own; recorded tool results are not believed. In dual mode the recorded user speaks (and
calls his tools) in the order in which he did.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from telejudge_envs.chat_format import from_openai
from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Message, ToolSpec
from telejudge_envs.nouns.trajectory import Failure, Rollout, Trajectory, Usage
from telejudge_envs.protocol import Episode, World

CUT_OFF = Failure(owner="agent", cause="cut off", detail="The conversation ends before the case.")


def import_chat(
    path: Path, world: World, on_rollout: Callable[[int, int], None] | None = None
) -> list[Rollout]:
    """Every conversation of a file; `on_rollout` hears how many are played, of how many.

    Raises DataError naming the line that cannot be read.
    """
    told = list(_records(path))
    rollouts = []
    for place, record in told:
        if on_rollout is not None:
            on_rollout(len(rollouts), len(told))
        rollouts.append(_rollout(record, place, world))
    if on_rollout is not None:
        on_rollout(len(rollouts), len(told))
    return rollouts


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        place = f"{path}, line {number}"
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise DataError(f"{place} is no JSON: {error}") from error
        if not isinstance(record, dict) or not isinstance(record.get("messages"), list):
            raise DataError(f"{place} lacks `task_id` or a list `messages`")
        yield place, record


def _rollout(record: Mapping[str, Any], place: str, world: World) -> Rollout:
    mode = record.get("mode", "solo")
    if mode not in ("solo", "dual"):
        raise DataError(f"{place}: mode is {mode!r}; it must be solo or dual")
    try:
        task = world.task(str(record.get("task_id")), cast("Mode", mode))
    except UsageError as error:
        raise DataError(f"{place}: {error}") from error
    said = [_message(raw, place) for raw in record["messages"]]
    user = _Recorded([m for m in said if m.role == "user"][1:]) if mode == "dual" else None
    episode = world.open(task, seed=0, user=user)
    for message in said:
        if message.role == "assistant" and episode.stop is None:
            episode.step(message)
    if episode.stop is None:
        episode.finish("agent_error", CUT_OFF)
    return Rollout(
        task=task.view,
        trajectory=_trajectory(record, place, world, episode),
        outcome=episode.outcome(),
    )


def _trajectory(
    record: Mapping[str, Any], place: str, world: World, episode: Episode
) -> Trajectory:
    view = episode.task.view
    return Trajectory(
        id=str(record.get("id") or f"{view.id}#{place.rpartition(' ')[2]}"),
        task_id=view.id,
        world=world.name,
        agent=str(record.get("agent") or "recorded"),
        mode=view.mode,
        messages=episode.observation,
        changes=episode.ledger,
        stop=episode.stop or "failed",
        failure=episode.failure,
        usage=Usage(calls=sum(len(m.tool_calls) for m in episode.observation)),
        versions={"recorded_in": place, **getattr(world, "versions", {})},
    )


def _message(raw: Any, place: str) -> Message:
    if not isinstance(raw, dict) or raw.get("role") not in ("system", "user", "assistant", "tool"):
        raise DataError(f"{place}: a message lacks a role that OpenAI's chat format knows")
    message = from_openai(raw)
    return message.model_copy(update={"role": raw["role"]})


class _Recorded:
    """Says again what the recorded user said."""

    def __init__(self, said: Sequence[Message]) -> None:
        self._said = iter(said)

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        message = next(self._said, None)
        if message is None:
            raise DataError("the recorded user said nothing more")
        return message
