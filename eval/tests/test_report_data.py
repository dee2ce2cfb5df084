"""What a report is read from: run directories, finished or not, plain files, and broken ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from telejudge_envs.errors import DataError
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Group, Outcome, Rollout, Trajectory
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_eval.report.data import NOT_JUDGED, read_source

TASK = TaskView(id="t", world="toy", split="test", level=1, ticket="No service.")


def rollout(name: str) -> Rollout:
    call = ToolCall(id="1", name="look")
    trajectory = Trajectory(
        id=name,
        task_id="t",
        world="toy",
        agent="somebody",
        mode="solo",
        messages=(
            Message(role="user", text=TASK.ticket),
            Message(role="assistant", tool_calls=(call,)),
            Message(role="tool", text="dark", tool_call_id="1"),
        ),
        stop="agent_stop",
    )
    return Rollout(task=TASK, trajectory=trajectory, outcome=Outcome(answer=1, world_reward=1.0))


def verdict(*names: str) -> GroupVerdict:
    return GroupVerdict(
        group_id="g",
        task_id="t",
        judge="listwise",
        judge_version="1",
        verdicts=tuple(Verdict(trajectory_id=n, answer=1, tools=1.0, reward=1.0) for n in names),
    )


def judged(phase: str) -> JudgedGroup:
    group = Group(id="g", task=TASK, trajectories=(rollout("a").trajectory,))
    return JudgedGroup(phase=phase, group=group, verdict=verdict("a"))


def write(path: Path, *lines: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [
        line if isinstance(line, str) else line.model_dump_json()  # pyright: ignore
        for line in lines
    ]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def test_a_run_in_progress_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    write(tmp_path / "run.json", '{"seed": 7}')
    write(tmp_path / "before.jsonl", judged("before"))
    metrics = write(tmp_path / "train/metrics.jsonl", '{"step": 1, "phase": "grpo", "loss": 0.5}')
    metrics.write_text(metrics.read_text() + '{"step": 2, "pha')
    data = read_source(tmp_path)
    assert data.missing == ("after.jsonl", "summary.json")
    assert [group.phase for group in data.groups] == ["before"]
    assert [metric["step"] for metric in data.metrics] == [1]
    assert "line 2 is unfinished" in data.notes[0]
    assert data.config == {"seed": 7}


def test_a_step_repeated_after_a_restart_counts_once_with_its_last_values(tmp_path: Path) -> None:
    write(
        tmp_path / "train/metrics.jsonl",
        '{"step": 1, "phase": "sft", "loss": 9}',
        '{"step": 1, "phase": "grpo", "loss": 5}',
        '{"step": 1, "phase": "grpo", "loss": 4}',
    )
    write(tmp_path / "train/groups.jsonl", judged("train"), judged("train"))
    data = read_source(tmp_path)
    assert [(m["phase"], m["loss"]) for m in data.metrics] == [("sft", 9), ("grpo", 4)]
    assert len(data.groups) == 1


def test_rollouts_find_their_verdicts_and_the_rest_is_not_judged(tmp_path: Path) -> None:
    rollouts = write(tmp_path / "rollouts.jsonl", *(rollout(name) for name in "abc"))
    verdicts = write(tmp_path / "verdicts.jsonl", verdict("b", "a", "gone"))
    data = read_source([verdicts, rollouts])
    first, second = data.groups
    assert [t.id for t in first.group.trajectories] == ["b", "a"]
    assert first.outcomes["a"].answer == 1
    assert [v.abstained for v in second.verdict.verdicts] == [NOT_JUDGED]
    assert [t.id for t in second.group.trajectories] == ["c"]
    assert data.notes == (
        "group g: 1 of 3 judged rollouts are not in the rollout files",
        "1 rollouts have no verdict",
    )


def test_a_gzipped_judged_file_is_read(tmp_path: Path) -> None:
    packed = tmp_path / "judged.jsonl.gz"
    packed.write_bytes(gzip.compress(judged("mine").model_dump_json().encode() + b"\n"))
    assert read_source(packed).groups[0].phase == "mine"


def test_several_paths_may_not_hold_a_directory(tmp_path: Path) -> None:
    file = write(tmp_path / "judged.jsonl", judged("mine"))
    with pytest.raises(DataError, match="is a directory"):
        read_source([file, tmp_path])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("{broken\n", "line 1: not JSON"),
        ("[1]\n", "expected a JSON object, found list"),
        ('{"a": 1}\n', "neither a judged group.*its fields: a"),
        ('{"group": {}, "verdict": {}}\n', "line 1: no JudgedGroup"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "judged.jsonl"
    file.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_source(file)
    assert str(file) in str(caught.value)


def test_a_missing_path_and_an_empty_directory_say_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_source(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is not a run directory"):
        read_source(tmp_path)


def test_verdicts_alone_ask_for_the_rollouts(tmp_path: Path) -> None:
    verdicts = write(tmp_path / "verdicts.jsonl", verdict("a"))
    with pytest.raises(DataError, match="give the rollout file"):
        read_source(verdicts)


def test_a_broken_line_of_a_run_is_named(tmp_path: Path) -> None:
    write(tmp_path / "run.json", "{}")
    write(tmp_path / "train/metrics.jsonl", json.dumps({"loss": 1.0}))
    with pytest.raises(DataError, match=r"metrics\.jsonl, line 1: .*integer `step`"):
        read_source(tmp_path)
    write(tmp_path / "train/metrics.jsonl", json.dumps({"step": 1}))
    write(tmp_path / "after.jsonl", judged("after"), "{broken", judged("after"))
    with pytest.raises(DataError, match=r"after\.jsonl, line 2"):
        read_source(tmp_path)
