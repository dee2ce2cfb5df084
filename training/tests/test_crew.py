"""One job, two processes: the same bytes as in one, and a clear word when a helper dies."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telejudge_envs.errors import UsageError
from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier
from telejudge_training.crew import Crew, HelperDiedError
from telejudge_training.grouping import Round, play_and_judge
from telejudge_training.grpo import GrpoTrainer
from telejudge_training.seat import rejoin, split
from telejudge_training.settings import GrpoSettings, SftSettings
from telejudge_training.sft import encode_all, train_sft

PROCESSES = (1, 2)


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Helpers must find the jobs of this file by the name that pytest gave it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[__name__.count(".")]))


def crew_of(processes: int) -> Crew:
    return Crew(open_world("tau2-telecom"), Verifier(open_world), shares=2, processes=processes)


@given(st.lists(st.integers(), max_size=9), st.integers(1, 4))
def test_what_is_dealt_out_comes_back_in_order(work, shares):
    parts = split(work, shares)
    assert len(parts) == shares
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert rejoin(parts) == work


def test_every_share_is_done_once_and_by_whom_it_should():
    with crew_of(2) as crew:
        done = crew.each(who, ["a", "b"])
        assert [(share, request) for share, request, _ in done] == [(0, "a"), (1, "b")]
        assert done[0][2] == os.getpid() != done[1][2]
        assert crew.cpu_seconds() > time.process_time()
        with pytest.raises(ValueError, match="3 requests for 2 shares"):
            crew.each(who, ["a", "b", "c"])
    with crew_of(1) as crew:
        assert {pid for _, _, pid in crew.each(who, ["a", "b"])} == {os.getpid()}


def test_what_a_job_raises_is_raised_here_and_the_crew_goes_on():
    with crew_of(2) as crew:
        with pytest.raises(UsageError, match="share 1 has no ink") as caught:
            crew.each(refuse, [False, True])
        assert "in refuse" in caught.value.__notes__[0]
        assert [share for share, _, _ in crew.each(who, [0, 0])] == [0, 1]
        with pytest.raises(UsageError, match="share 0 has no ink"):
            crew.each(refuse, [True, False])
        assert [request for _, request, _ in crew.each(who, [5, 6])] == [5, 6]


def test_a_killed_helper_is_reported_at_once():
    with crew_of(2) as crew:
        pid = crew.each(who, [0, 0])[1][2]
        os.kill(pid, signal.SIGKILL)
        started = time.perf_counter()
        with pytest.raises(
            HelperDiedError, match=r"exit code -9.*goes on from the last checkpoint"
        ):
            crew.each(who, [0, 0])
        assert time.perf_counter() - started < 5


def test_a_judge_that_cannot_travel_stays_in_one_process():
    world = open_world("tau2-telecom")
    with Crew(world, Verifier(lambda name: world), shares=2, processes=2) as crew:
        assert crew.processes == 1
        assert [request for _, request, _ in crew.each(who, [1, 2])] == [1, 2]


@pytest.mark.slow
def test_a_helper_ends_with_the_process_that_started_it():
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import time, test_crew\n"
        "crew = test_crew.crew_of(2)\n"
        "print(crew.each(test_crew.who, [0, 0])[1][2], flush=True)\n"
        "time.sleep(60)\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script, str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    helper = int(starter.stdout.readline())
    assert Path(f"/proc/{helper}").exists()
    starter.kill()
    starter.wait()
    deadline = time.monotonic() + 20
    while alive(helper) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(helper)


def test_sft_gives_the_same_weights_in_one_process_and_in_two(bench):
    examples = encode_all(bench.tokenizer, [demo.messages for demo in bench.demos[:45]])
    weights = []
    for processes in PROCESSES:
        model = copy.deepcopy(bench.model)
        with crew_of(processes) as crew:
            crew.equip(model, bench.tokenizer)
            train_sft(crew, examples, SftSettings(batch_size=7), seed=0)
        weights.append(bytes_of(model))
    assert weights[0] == weights[1] != bytes_of(bench.model)


def test_grpo_gives_the_same_weights_in_one_process_and_in_two(bench, tmp_path):
    """Three tasks on two shares: one has more to do than the other."""
    weights, lines = [], []
    settings = GrpoSettings(steps=2, tasks_per_step=3, group_size=4, kl=0.01, updates_per_batch=2)
    for processes in PROCESSES:
        model = copy.deepcopy(bench.model)
        seen = []
        with crew_of(processes) as crew:
            crew.equip(model, bench.tokenizer)
            folder = tmp_path / str(processes)
            trainer = GrpoTrainer(crew, copy.deepcopy(bench.mix), settings, seed=0, folder=folder)
            trainer.train(lambda step, steps, line, seen=seen: seen.append(untimed(line)))
        weights.append(bytes_of(model))
        lines.append(seen)
    assert lines[0] == lines[1]
    assert lines[0][0]["trained_tokens"] > 0
    assert weights[0] == weights[1] != bytes_of(bench.model)


def test_groups_come_back_in_the_order_of_the_tasks(bench):
    tasks = bench.world.tasks("extra")[:3]
    with crew_of(2) as crew:
        crew.equip(bench.model, bench.tokenizer)
        scored = play_and_judge(crew, tasks, Round(2, 1.0, 3, "x/"))
    assert [one.played.group.id for one in scored] == [f"x/{i}/{t.id}" for i, t in enumerate(tasks)]
    ids = [t.id for one in scored for t in one.played.group.trajectories]
    assert len(set(ids)) == 6


def who(seat, share, request):
    return share, request, os.getpid()


def refuse(seat, share, request):
    if request:
        raise UsageError(f"share {share} has no ink")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def bytes_of(model) -> list[bytes]:
    return [weight.detach().numpy().tobytes() for weight in model.parameters()]


def untimed(line):
    return {k: v for k, v in line.items() if not k.endswith("seconds")}
