"""The store: what it keeps, whatever happens to its writer or its disk."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.groups import groups_of, outcomes_of
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Outcome, Rollout, Trajectory
from telejudge_envs.store import StorageError, Store, lines, read, write


def rollout(name: str, *, task: str = "t1", agent: str = "a", text: str = "hi") -> Rollout:
    return Rollout(
        task=TaskView(id=task, world="w", split="train", level=1, ticket="slow"),
        trajectory=Trajectory(
            id=name,
            task_id=task,
            world="w",
            agent=agent,
            mode="solo",
            messages=(Message(role="user", text=text),),
            stop="agent_stop",
        ),
        outcome=Outcome(answer=1, world_reward=1.0),
    )


def filled(path: Path, count: int = 3) -> list[Rollout]:
    records = [rollout(f"r{i}", text="ä\n\u2028" * i) for i in range(count)]
    with Store(path, Rollout) as store:
        for record in records:
            store.append(record)
    return records


def test_reads_back_what_was_appended_plain_and_gzipped(tmp_path: Path) -> None:
    path, packed = tmp_path / "deep" / "r.jsonl", tmp_path / "r.jsonl.gz"
    records = filled(path)
    assert list(read(path, Rollout)) == records
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert list(read(packed, Rollout)) == records


@given(cut=st.integers(min_value=0, max_value=2000))
def test_a_torn_file_keeps_every_whole_record(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("torn") / "r.jsonl"
    records = filled(path)
    data = path.read_bytes()[:cut]
    path.write_bytes(data)
    whole = data.count(b"\n")
    if data and not data.endswith(b"\n") and data == b"".join(_encode(records[: whole + 1]))[:-1]:
        whole += 1  # only the newline was lost
    assert list(read(path, Rollout)) == records[:whole]
    with Store(path, Rollout) as store:
        store.append(records[0])
    assert list(read(path, Rollout)) == [*records[:whole], records[0]]


def _encode(records: list[Rollout]) -> list[bytes]:
    return [record.model_dump_json().encode() + b"\n" for record in records]


def test_a_torn_line_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "r.jsonl"
    filled(path, 2)
    path.write_bytes(path.read_bytes()[:-40])
    assert len(list(read(path, Rollout))) == 1
    assert "ignored an unfinished last line (2)" in caplog.text
    with Store(path, Rollout):
        pass
    assert "cut an unfinished last line" in caplog.text
    assert path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{not json}\n", "not JSON"),
        (b'{"task": 1}\n', "no Rollout: task"),
        (b'"text"\n', "no Rollout"),
        (b"\xff\xfe\n", "not JSON"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: bytes, says: str) -> None:
    path = tmp_path / "r.jsonl"
    filled(path, 2)
    path.write_bytes(path.read_bytes() + line + _encode([rollout("later")])[0])
    with pytest.raises(DataError, match=says) as caught:
        list(read(path, Rollout))
    assert f"{path}, line 3" in str(caught.value)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    record = json.loads(rollout("r").model_dump_json())
    record["trajectory"]["schema_version"] = 2
    record["trajectory"]["mood"] = "a field of the future"
    path.write_text(json.dumps(record) + "\n")
    with pytest.raises(DataError, match=r"newer telejudge \(schema version 2.*update telejudge"):
        list(read(path, Rollout))


def test_missing_and_broken_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        list(lines(tmp_path / "none.jsonl"))
    with pytest.raises(DataError, match="cannot read"):
        list(lines(tmp_path))
    packed = tmp_path / "r.gz"
    packed.write_bytes(gzip.compress(b"x" * 9999 + b"\n")[:-12])
    with pytest.raises(DataError, match="broken gzip"):
        list(lines(packed))
    with pytest.raises(UsageError, match="gzipped"):
        Store(packed, Rollout)


def test_only_one_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    script = (
        "import sys; from pathlib import Path; from telejudge_envs.store import Store;"
        "from telejudge_envs.nouns.trajectory import Rollout;"
        "store = Store(Path(sys.argv[1]), Rollout); print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(UsageError, match="written by another process"):
            Store(path, Rollout)
    finally:
        other.communicate()
    with Store(path, Rollout) as store:
        store.append(rollout("free again"))


FILL_DISK = """
import resource, sys
from pathlib import Path
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.trajectory import Rollout
from telejudge_envs.store import StorageError, Store, read
path, limit = Path(sys.argv[1]), int(sys.argv[2])
record = next(read(path, Rollout))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
with Store(path, Rollout) as store:
    for count in range(1000):
        try:
            store.append(record)
        except StorageError as error:
            print(count, error)
            break
"""


def test_a_full_disk_loses_nothing_written_before(tmp_path: Path) -> None:
    """The kernel refuses to let the file grow, after taking part of the last line."""
    path = tmp_path / "r.jsonl"
    first = filled(path, 1)[0]
    size = path.stat().st_size
    done = subprocess.run(
        [sys.executable, "-c", FILL_DISK, str(path), str(5 * size + size // 2)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("4 cannot write to")
    assert "Make room" in done.stdout
    assert path.stat().st_size == 5 * size
    assert list(read(path, Rollout)) == [first] * 5


def test_a_closed_store_and_an_unwritable_place_say_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "r.jsonl", Rollout)
    store.close()
    with pytest.raises(UsageError, match="closed"):
        store.append(rollout("r"))
    with pytest.raises(StorageError, match="cannot open"):
        Store(tmp_path / "r.jsonl" / "below a file.jsonl", Rollout)


def test_write_replaces_a_file_only_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    assert write(path, [rollout("old")]) == 1

    def breaking():
        yield rollout("new")
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError):
        write(path, breaking())
    assert [r.trajectory.id for r in read(path, Rollout)] == ["old"]
    assert [p.name for p in tmp_path.iterdir()] == ["r.jsonl"]


@given(st.permutations([("t2", "a", "x"), ("t1", "b", "y"), ("t1", "a", "z"), ("t1", "a", "w")]))
def test_groups_do_not_depend_on_order(order: list[tuple[str, str, str]]) -> None:
    rollouts = [rollout(name, task=task, agent=agent) for task, agent, name in order]
    groups = groups_of(rollouts)
    assert [[t.id for t in g.trajectories] for g in groups] == [["w", "z", "y"], ["x"]]
    assert [g.task.id for g in groups] == ["t1", "t2"]
    assert groups == groups_of(reversed(rollouts))
    assert set(outcomes_of(rollouts)) == {"x", "y", "z", "w"}


def test_a_retry_replaces_the_record_before_it() -> None:
    first = rollout("r", text="failed")
    again = rollout("r", text="worked")
    (group,) = groups_of([first, rollout("s"), again])
    assert [t.messages[0].text for t in group.trajectories] == ["worked", "hi"]
