"""What an episode that waits for its model may cost."""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

import pytest

from telejudge_agents.chat import ChatAgents
from telejudge_agents.runner import run, run_episodes
from telejudge_agents.scripted.registry import scripted
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.registry import open_world
from telejudge_envs.stub_endpoint import StubEndpoint

pytestmark = pytest.mark.slow
WAITING = 128
MOST_MIB = 1.0
"""An episode's: state, ledger, messages, request, connection. Measured: about a third of it."""


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("name", ["tau2-telecom", "base-station"])
def test_a_waiting_episode_takes_less_than_a_mebibyte(name: str) -> None:
    world = open_world(name)
    tasks = world.tasks("test")[:16]
    for _ in range(3):  # from a task's third episode on its start is ready
        run(world, tasks, scripted("gold", world))

    async def grown(stub: StubEndpoint) -> float:
        endpoint = Endpoint(base_url=stub.base_url, model="stub", concurrency=WAITING)
        agents = ChatAgents(ChatClient(endpoint))
        gc.collect()
        before, most = resident_mib(), 0.0
        playing = asyncio.create_task(
            run_episodes(world, tasks, agents, rollouts=WAITING // 16, concurrency=WAITING)
        )
        for _ in range(100):  # until all of them wait, and none has its answer
            await asyncio.sleep(0.05)
            most = max(most, resident_mib() - before)
        assert not playing.done()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        return most

    with StubEndpoint({}, latency_s=60.0) as stub:
        assert asyncio.run(grown(stub)) / WAITING < MOST_MIB
