"""Spans by the GenAI conventions: what is told of model, tool, agent and judge calls, and that
nothing is loaded, and nothing said, when nobody asked."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telejudge_agents.chat import ChatAgents
from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
from telejudge_envs import tracing
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.fake_endpoint import FakeEndpoint, fail, in_turn, say
from telejudge_envs.groups import groups_of
from telejudge_envs.registry import open_world
from telejudge_judges.asking import ask
from telejudge_judges.verifier import Verifier

TASK = "bs-dev-0000"


@pytest.fixture
def exporter() -> Iterator[Any]:
    """The SDK's own exporter into memory."""
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracing.use(provider)
    yield memory
    tracing.use(None)


def test_an_episode_has_its_tool_calls_under_it_and_a_judge_his_group(exporter: Any) -> None:
    world = open_world("base-station")
    played = run(world, [world.task(TASK)], scripted("engineer", world), rollouts=2)
    (group,) = groups_of(played)
    asyncio.run(ask(Verifier(open_world), group))
    spans = exporter.get_finished_spans()
    agents = [s for s in spans if s.name == "invoke_agent engineer"]
    assert len(agents) == 2
    for span, rollout in zip(agents, played, strict=True):
        told = span.attributes
        assert told["gen_ai.operation.name"] == "invoke_agent"
        assert told["gen_ai.conversation.id"] == rollout.trajectory.id
        assert told["telejudge.outcome.answer"] == 1
        tools = [s for s in spans if s.parent and s.parent.span_id == span.context.span_id]
        made = [c.name for m in rollout.trajectory.messages for c in m.tool_calls]
        assert [s.attributes["gen_ai.tool.name"] for s in tools] == made
        assert {s.attributes["gen_ai.operation.name"] for s in tools} == {"execute_tool"}
        assert tools[0].name == f"execute_tool {made[0]}"
    judged = [s for s in spans if s.name == "invoke_agent verifier"]
    assert [s.attributes["gen_ai.evaluation.score.value"] for s in judged] == [1.0]
    assert [s.attributes["telejudge.candidates"] for s in judged] == [2]


def chat_once(sampling: dict[str, Any]) -> Any:
    world = open_world("base-station")
    with FakeEndpoint(in_turn(fail(503), say("I close this case."))) as server:
        where = Endpoint(base_url=server.base_url, model="m-1", sampling=sampling)
        factory = ChatAgents(ChatClient(where))
        (rollout,) = run(world, [world.task(TASK)], factory)
    return rollout


def test_a_completion_is_one_client_span_whatever_it_took(exporter: Any) -> None:
    rollout = chat_once({"temperature": 0.5})
    (span,) = [s for s in exporter.get_finished_spans() if s.name == "chat m-1"]
    told = span.attributes
    assert span.kind.name == "CLIENT"
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.request.temperature"] == 0.5
    assert told["server.address"] == "127.0.0.1"
    assert told["telejudge.retries"] == 1
    assert told["gen_ai.usage.input_tokens"] == rollout.trajectory.usage.prompt_tokens
    (episode,) = [s for s in exporter.get_finished_spans() if "agent" in s.name]
    assert span.parent.span_id == episode.context.span_id


@pytest.mark.parametrize("asked", [False, True])
def test_contents_are_told_by_a_second_switch_only(
    exporter: Any, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    if asked:
        monkeypatch.setenv(tracing.CONTENTS, "true")
    rollout = chat_once({})
    everything = "".join(s.to_json() for s in exporter.get_finished_spans())
    assert ("I close this case." in everything) is asked
    assert (rollout.task.ticket.partition("\n")[0] in everything) is asked


def test_an_error_is_told_by_its_cause(exporter: Any) -> None:
    world = open_world("base-station")
    with FakeEndpoint(in_turn(fail(401))) as server:
        where = Endpoint(base_url=server.base_url, model="m-1", max_retries=0)
        run(world, [world.task(TASK)], ChatAgents(ChatClient(where)))
    causes = {s.name: s.attributes.get("error.type") for s in exporter.get_finished_spans()}
    assert causes["chat m-1"] == "auth"
    (agent,) = (name for name in causes if name.startswith("invoke_agent"))
    assert causes[agent] == "endpoint.auth"


OFF_SCRIPT = """
import sys
from telejudge_envs import tracing
from telejudge_envs.registry import open_world
from telejudge_agents.runner import run
from telejudge_agents.scripted.registry import scripted
world = open_world("base-station")
run(world, [world.task("bs-dev-0000")], scripted("engineer", world))
print(tracing.tracer(), [m for m in sys.modules if m.startswith("opentelemetry")])
"""


def test_off_means_that_nothing_is_loaded() -> None:
    switches = (tracing.SWITCH, "OTEL_TRACES_EXPORTER", *tracing.OTLP)
    quiet = {name: value for name, value in os.environ.items() if name not in switches}
    done = subprocess.run(
        [sys.executable, "-c", OFF_SCRIPT], env=quiet, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "None []"


def test_spans_go_to_a_file(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk")
    file = tmp_path / "spans.jsonl"
    subprocess.run(
        [sys.executable, "-c", OFF_SCRIPT],
        env=os.environ | {tracing.SWITCH: str(file)},
        capture_output=True,
        check=True,
    )
    spans = [json.loads(line) for line in file.read_text().splitlines()]
    assert spans[-1]["name"] == "invoke_agent engineer"
    assert spans[-1]["resource"]["attributes"]["service.name"] == "telejudge"


@pytest.mark.parametrize(
    ("environment", "where"),
    [
        ({}, None),
        ({"TELEJUDGE_TRACE": "console"}, "console"),
        ({"TELEJUDGE_TRACE": "off", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, None),
        ({"OTEL_SDK_DISABLED": "true", "TELEJUDGE_TRACE": "otlp"}, None),
    ],
)
def test_the_environment_says_whether_and_where(
    environment: dict[str, str], where: str | None
) -> None:
    assert tracing._asked_for(environment) == where
