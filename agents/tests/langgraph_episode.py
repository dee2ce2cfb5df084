"""A process that plays one episode by the LangGraph agent; the test kills it in the middle."""

from __future__ import annotations

import sys
from pathlib import Path

from telejudge_agents.langgraph_agent import LangGraphAgents, open_model
from telejudge_agents.runner import run
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.registry import open_world


def main(base_url: str, checkpoints: str, out: str) -> None:
    world = open_world("tau2-telecom")
    endpoint = Endpoint(base_url=base_url, model="stub", max_retries=0)
    agents = LangGraphAgents(open_model(endpoint), checkpoints=Path(checkpoints))
    run(world, world.tasks("test")[:1], agents, out=Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
