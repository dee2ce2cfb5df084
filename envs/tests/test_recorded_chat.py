"""Conversations of other agents, imported by playing them again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from telejudge_envs.base_station.gold import Gold
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.chat_format import to_openai
from telejudge_envs.errors import DataError
from telejudge_envs.nouns.message import Message
from telejudge_envs.recorded_chat import import_chat

WORLD = BaseStation()
TASK = WORLD.tasks("dev")[0]


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(f"{json.dumps(r)}\n" for r in records), encoding="utf-8")
    return path


def test_a_conversation_is_played_again_and_recorded_results_are_not_believed(tmp_path):
    episode = Gold(WORLD.open(TASK)).play()
    chat = to_openai(episode.observation)
    forged = [{**m, "content": "all fine"} if m["role"] == "tool" else m for m in chat]
    file = lines(tmp_path / "c.jsonl", {"task_id": TASK.id, "messages": forged, "agent": "them"})
    (rollout,) = import_chat(file, WORLD)
    assert rollout.outcome is not None
    assert rollout.outcome.answer == 1
    assert rollout.trajectory.messages == episode.observation
    assert (rollout.trajectory.agent, rollout.trajectory.stop) == ("them", "agent_stop")


def test_a_conversation_that_breaks_off_is_the_agents_failure(tmp_path):
    chat = to_openai(Gold(WORLD.open(TASK)).play().observation)[:4]
    file = lines(tmp_path / "c.jsonl", {"task_id": TASK.id, "messages": chat})
    (rollout,) = import_chat(file, WORLD)
    assert rollout.trajectory.stop == "agent_error"
    assert rollout.outcome is not None
    assert rollout.outcome.answer == 0


def test_the_recorded_technician_says_again_what_he_said(tmp_path):
    said = [
        {"role": "user", "content": TASK.view.ticket},
        {"role": "assistant", "content": "What do you see?"},
        {"role": "user", "content": "Nothing yet, nobody sent me."},
    ]
    file = lines(tmp_path / "c.jsonl", {"task_id": TASK.id, "messages": said, "mode": "dual"})
    (rollout,) = import_chat(file, WORLD)
    assert rollout.trajectory.messages[-1] == Message(
        role="user", text="Nothing yet, nobody sent me."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{not json", "line 1 is no JSON"),
        ('{"task_id": "x"}', "lacks"),
        ('{"task_id": "bs-dev-9999", "messages": []}', "no task"),
        ('{"task_id": "bs-dev-0000", "messages": [{"role": "robot"}]}', "role"),
        ('{"task_id": "bs-dev-0000", "messages": [], "mode": "trio"}', "mode"),
    ],
)
def test_a_broken_line_is_named(tmp_path, text: str, told: str):
    (tmp_path / "c.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=told):
        import_chat(tmp_path / "c.jsonl", WORLD)
