"""Fixtures for the verifier's tests: an episode written down as calls, run in the real world."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from telejudge_envs.inspection import Inspection, inspect
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.trajectory import Trajectory
from telejudge_envs.nouns.verdict import Verdict
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_judges.verifier import score

Scripted = str | tuple[str, dict[str, Any]]
"""A call: the tool's name, with arguments where it takes some."""


@pytest.fixture(scope="session")
def telecom() -> Tau2Telecom:
    return Tau2Telecom()


@pytest.fixture(scope="session")
def record_of(telecom: Tau2Telecom) -> Callable[..., Trajectory]:
    """(task id, messages of calls) -> the trajectory; `done` is added at the end."""

    def record(task_id: str, messages: Iterable[Iterable[Scripted]]) -> Trajectory:
        episode = telecom.open(telecom.task(task_id))
        number = 0
        for calls in [*messages, ["done"]]:
            made = []
            for call in calls:
                name, arguments = (call, {}) if isinstance(call, str) else call
                made.append(ToolCall(id=f"c{number}", name=name, arguments=arguments))
                number += 1
            if episode.stop is None:
                episode.step(Message(role="assistant", tool_calls=tuple(made)))
        assert episode.stop is not None
        return Trajectory(
            id="t",
            task_id=task_id,
            world=telecom.name,
            agent="script",
            mode="solo",
            messages=episode.observation,
            changes=episode.ledger,
            stop=episode.stop,
        )

    return record


@pytest.fixture(scope="session")
def inspected(
    telecom: Tau2Telecom, record_of: Callable[..., Trajectory]
) -> Callable[..., Inspection]:
    """(task id, messages of calls) -> what really happened."""

    def look(task_id: str, messages: Iterable[Iterable[Scripted]]) -> Inspection:
        return inspect(telecom, telecom.task(task_id), record_of(task_id, messages))

    return look


@pytest.fixture(scope="session")
def verdict_on(inspected: Callable[..., Inspection]) -> Callable[..., Verdict]:
    """(task id, call, call, …), one call a message -> the verifier's verdict."""

    def judge(task_id: str, *calls: Scripted) -> Verdict:
        return score("t", inspected(task_id, ([call] for call in calls)))

    return judge
