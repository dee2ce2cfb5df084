"""The runner: who is blamed for what, resume, and the same bytes for the same seed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from telejudge_agents.progress import note_of, rollout_progress
from telejudge_agents.runner import Progress, episode_seed, plan, run
from telejudge_agents.storable import storable
from telejudge_envs.errors import DataError, EndpointError, UsageError
from telejudge_envs.nouns.message import Message, ToolCall, ToolSpec
from telejudge_envs.nouns.task import Task, TaskView
from telejudge_envs.nouns.trajectory import Rollout, TokenTrace, Usage
from telejudge_envs.protocol import User
from telejudge_envs.store import StorageError, read
from telejudge_envs.tau2_telecom.world import Tau2Telecom


@pytest.fixture(scope="module")
def world() -> Tau2Telecom:
    return Tau2Telecom()


@dataclass
class Looker:
    """Looks around in an order that its seed decides, repairs what it can, then closes the case."""

    seed: int
    pause: float = 0.0
    says: Any = None
    turn: int = 0
    trace: TokenTrace | None = None
    usage: Usage = field(default_factory=Usage)

    async def act(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        await asyncio.sleep(self.pause)
        self.turn += 1
        if self.says is not None:
            said: Any = self.says() if callable(self.says) else self.says
            return said
        names = ["check_status_bar", "toggle_airplane_mode", "run_speed_test", "toggle_data"]
        start = self.seed % len(names)
        plan = [*names[start:], *names[:start], "done"]
        return calls(plan[self.turn - 1])


@dataclass
class Lookers:
    """`says` replaces every message; a callable is called for it (and may raise)."""

    name: str = "looker"
    pause: float = 0.0
    says: Any = None
    versions: dict[str, str] = field(default_factory=lambda: {"looker": "1"})
    started: list[str] = field(default_factory=list)

    def start(self, task: TaskView, seed: int) -> Looker:
        self.started.append(task.id)
        return Looker(seed, self.pause, self.says)


class ModelLookers(Lookers):
    waits_on = "endpoint"


def calls(*names: str, **arguments: Any) -> Message:
    return Message(
        role="assistant",
        tool_calls=tuple(
            ToolCall(id=f"c{i}", name=n, arguments=arguments) for i, n in enumerate(names)
        ),
    )


def comparable(rollout: Rollout) -> str:
    """The bytes that a seed decides: everything but the wall clock."""
    record = json.loads(rollout.model_dump_json())
    record["trajectory"]["usage"]["seconds"] = 0
    return json.dumps(record, sort_keys=True)


def raising(error: Exception) -> Any:
    def act() -> Message:
        raise error

    return act


def test_same_seed_same_bytes_whatever_the_concurrency(world: Tau2Telecom) -> None:
    tasks = world.tasks("small")[:6]
    one = run(world, tasks, Lookers(), rollouts=3, seed=5, concurrency=1)
    many = run(world, tasks, Lookers(pause=0.001), rollouts=3, seed=5, concurrency=7)
    assert list(map(comparable, one)) == list(map(comparable, many))
    assert [(r.task.id, r.trajectory.rollout) for r in one] == [
        (t.id, k) for t in tasks for k in range(3)
    ]
    other = run(world, tasks, Lookers(), rollouts=3, seed=6)
    assert not {r.trajectory.id for r in one} & {r.trajectory.id for r in other}
    assert {r.trajectory.stop for r in one} == {"agent_stop"}
    assert all(r.trajectory.usage.calls == 5 for r in one)


def test_a_run_is_replayed_to_the_same_ledger(world: Tau2Telecom) -> None:
    for rollout in run(world, world.tasks("small")[:4], Lookers(), seed=1):
        episode = world.replay(world.task(rollout.task.id), rollout.trajectory)
        assert episode.ledger == rollout.trajectory.changes
        assert episode.ledger
        assert episode.outcome() == rollout.outcome


def test_episode_seeds_do_not_depend_on_the_agent(world: Tau2Telecom) -> None:
    tasks = world.tasks("small")[:2]
    ours, theirs = (plan(tasks, name, rollouts=2, seed=0) for name in ("a", "b"))
    assert [p.seed for p in ours] == [p.seed for p in theirs]
    assert len({p.seed for p in ours}) == 4
    assert not {p.id for p in ours} & {p.id for p in theirs}
    assert 0 <= episode_seed(0, tasks[0].id, "solo", 0) < 2**31


@pytest.mark.parametrize(
    ("says", "stop", "owner", "cause"),
    [
        (
            raising(EndpointError("503 after 4 retries", cause="http_503")),
            "failed",
            "endpoint",
            "http_503",
        ),
        (raising(ValueError("a bug")), "agent_error", "agent", "crash"),
        (raising(TimeoutError("its own")), "agent_error", "agent", "crash"),
        (Message(role="user", text="I am the user"), "agent_error", "agent", "protocol"),
        ("only text", "agent_error", "agent", "protocol"),
        (Message(role="assistant", text="in solo mode"), "agent_error", "agent", "protocol"),
    ],
)
def test_failures_are_recorded_with_their_owner(
    world: Tau2Telecom, says: Any, stop: str, owner: str, cause: str
) -> None:
    (rollout,) = run(world, world.tasks("small")[:1], Lookers(says=says))
    failure = rollout.trajectory.failure
    assert failure is not None
    assert rollout.outcome is not None
    assert (rollout.trajectory.stop, failure.owner, failure.cause) == (stop, owner, cause)
    assert rollout.outcome.answer == 0
    assert rollout.outcome.faults == (() if owner == "agent" else (failure,))


@pytest.mark.parametrize(
    ("factory", "owner"),
    [(Lookers(pause=30), "agent"), (ModelLookers(pause=30), "endpoint")],
)
def test_a_deadline_ends_an_episode_and_says_who_was_slow(
    world: Tau2Telecom, factory: Lookers, owner: str
) -> None:
    started = time.perf_counter()
    (rollout,) = run(world, world.tasks("small")[:1], factory, deadline_s=0.2)
    assert time.perf_counter() - started < 5
    assert rollout.trajectory.stop == "deadline"
    assert rollout.trajectory.failure is not None
    assert rollout.trajectory.failure.owner == owner
    assert "0.2 s ran out" in rollout.trajectory.failure.detail
    assert rollout.trajectory.messages[0].role == "system"


def test_a_deadline_holds_for_an_agent_that_blocks(world: Tau2Telecom) -> None:
    def slow() -> Message:
        time.sleep(0.15)
        return calls("check_status_bar")

    (rollout,) = run(world, world.tasks("small")[:1], Lookers(says=slow), deadline_s=0.4)
    assert rollout.trajectory.stop == "deadline"
    assert rollout.trajectory.usage.calls <= 2


@dataclass
class SlowUser:
    """Answers the greeting at once, anything later after `pause` seconds."""

    pause: float

    def reply(self, conversation: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        if len(conversation) > 2:
            time.sleep(self.pause)
        return Message(role="user", text="My data is slow.")


def test_a_slow_user_blocks_nobody_and_is_blamed(world: Tau2Telecom) -> None:
    tasks = world.tasks("small", "dual")[:4]

    def users(task: Task, seed: int) -> User:
        return SlowUser(1.0)

    started = time.perf_counter()
    hello = Lookers(says=Message(role="assistant", text="What happened?"))
    rollouts = run(world, tasks, hello, concurrency=4, deadline_s=0.3, users=users)
    assert time.perf_counter() - started < 3.5
    for rollout in rollouts:
        failure = rollout.trajectory.failure
        assert failure is not None
        assert (rollout.trajectory.stop, failure.owner) == ("deadline", "user")
        assert [m.text for m in rollout.trajectory.messages[2:]] == [
            "My data is slow.",
            "What happened?",
        ]
        assert rollout.outcome is not None
        assert rollout.outcome.faults == (failure,)


class BrokenWorld(Tau2Telecom):
    """One task is broken, another makes the world crash in the middle."""

    def open(self, task: Task, seed: int = 0, user: User | None = None) -> Any:
        if task.id == self.tasks("small")[0].id:
            raise DataError("the initial state is broken")
        episode = super().open(task, seed, user)
        if task.id == self.tasks("small")[1].id:
            episode.step = lambda message: (_ for _ in ()).throw(KeyError("a bug"))
        return episode


def test_a_broken_world_is_no_fault_of_the_agent(world: Tau2Telecom) -> None:
    broken = BrokenWorld()
    rollouts = run(broken, broken.tasks("small")[:3], Lookers())
    owners = [r.trajectory.failure.owner if r.trajectory.failure else None for r in rollouts]
    causes = [r.trajectory.failure.cause if r.trajectory.failure else None for r in rollouts]
    assert owners == ["world", "world", None]
    assert causes == ["broken_task", "crash", None]
    assert all(r.outcome and r.outcome.faults for r in rollouts[:2])


def test_wrong_usage_stops_the_run(world: Tau2Telecom, tmp_path: Path) -> None:
    tasks = world.tasks("small")[:2]
    with pytest.raises(UsageError, match="must be positive"):
        run(world, tasks, Lookers(), rollouts=0)
    with pytest.raises(UsageError, match="given twice"):
        run(world, [tasks[0], tasks[0]], Lookers())
    with pytest.raises(UsageError, match="needs a user"):
        run(world, world.tasks("small", "dual")[:1], Lookers())
    with pytest.raises(UsageError, match="no chat template"):
        run(world, tasks, Lookers(says=raising(UsageError("no chat template"))))
    with pytest.raises(StorageError, match="cannot open"):
        run(world, tasks, Lookers(), out=Path("/proc/nowhere/r.jsonl"))


def test_resume_plays_only_what_is_missing(world: Tau2Telecom, tmp_path: Path) -> None:
    out, tasks = tmp_path / "r.jsonl", world.tasks("small")[:3]
    run(world, tasks[:2], Lookers(), rollouts=2, out=out)
    before = out.read_bytes()
    again, reports = Lookers(), list[Progress]()
    rollouts = run(world, tasks, again, rollouts=2, out=out, on_progress=reports.append)
    assert again.started == [tasks[2].id] * 2
    assert out.read_bytes().startswith(before)
    assert [r.trajectory.id for r in rollouts] == [
        p.id for p in plan(tasks, "looker", rollouts=2, seed=0)
    ]
    assert [p.done for p in reports] == [4, 5, 6]
    assert {(p.total, p.resumed) for p in reports} == {(6, 4)}
    with pytest.raises(UsageError, match="another file"):
        run(world, tasks, Lookers(versions={"looker": "2"}), rollouts=2, out=out)


def test_failed_episodes_are_played_again_when_asked(world: Tau2Telecom, tmp_path: Path) -> None:
    out, tasks = tmp_path / "r.jsonl", world.tasks("small")[:2]
    dead = Lookers(says=raising(EndpointError("down", cause="connect")))
    run(world, tasks, dead, out=out)
    kept = Lookers()
    run(world, tasks, kept, out=out)
    assert kept.started == []
    healed = run(world, tasks, kept, out=out, retry_failed=True)
    assert kept.started == [t.id for t in tasks]
    assert [r.trajectory.failure for r in healed] == [None, None]
    assert [r.trajectory.failure is None for r in read(out, Rollout)] == [False] * 2 + [True] * 2


HOSTILE = [
    calls("check_status_bar", x="\ud800"),
    calls("check_status_bar", x=float("nan")),
    calls("\udfff"),
    Message(role="assistant", text="\ud83d", tool_calls=calls("done").tool_calls),
]


def test_whatever_an_agent_says_can_be_stored(world: Tau2Telecom, tmp_path: Path) -> None:
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"a": deep}
    said = [calls("check_status_bar", x=deep), *HOSTILE]
    for message in said:
        clean = storable(message)
        assert Message.model_validate_json(clean.model_dump_json()) == clean
    turns = iter(said)
    out = tmp_path / "r.jsonl"
    (played,) = run(world, world.tasks("small")[:1], Lookers(says=lambda: next(turns)), out=out)
    assert list(read(out, Rollout)) == [played]
    assert played.trajectory.usage.calls == len(said)
    assert storable(calls("refuel_data", gb_amount=2.0)) == calls("refuel_data", gb_amount=2.0)


def test_the_display_says_what_counts() -> None:
    assert note_of(Progress(4, 9, 1, 1, 2, None)) == "solved 50% · 2 failed · 1 from before"
    assert note_of(Progress(0, 9, 0, 0, 0, None)) == ""
    with rollout_progress("before") as show:
        show(Progress(9, 9, 0, 9, 0, None))


SLOW_RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_runner import Lookers, run
from telejudge_envs.tau2_telecom.world import Tau2Telecom
world = Tau2Telecom()
run(world, world.tasks("small")[:10], Lookers(pause=0.02), rollouts=4, seed=3, concurrency=4,
    out=Path(sys.argv[1]))
"""


def slow_run(out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SLOW_RUN, str(out), str(Path(__file__).parent)])


@pytest.mark.slow
def test_sigkill_loses_no_finished_episode_and_repeats_none(tmp_path: Path) -> None:
    straight, killed = tmp_path / "straight.jsonl", tmp_path / "killed.jsonl"
    assert slow_run(straight).wait() == 0
    finished: list[bytes] = []
    for enough in (3, 15, 27):
        process = slow_run(killed)
        while not killed.exists() or killed.read_bytes().count(b"\n") < enough:
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        whole = killed.read_bytes().rpartition(b"\n")[0].split(b"\n")
        assert whole[: len(finished)] == finished, "a finished episode was lost or rewritten"
        assert enough <= len(whole) < 40
        finished = whole
        with killed.open("ab") as file:  # as if the last write had been cut in the middle
            file.write(finished[0][:100])
    assert slow_run(killed).wait() == 0
    lines = killed.read_bytes().splitlines()
    assert lines[: len(finished)] == finished
    ids = [r.trajectory.id for r in read(killed, Rollout)]
    assert len(ids) == len(set(ids)) == 40
    assert sorted(map(comparable, read(killed, Rollout))) == sorted(
        map(comparable, read(straight, Rollout))
    )
