"""OpenTelemetry spans of model, tool, agent and judge calls, under the GenAI conventions' names.

    TELEJUDGE_TRACE=spans.jsonl telejudge rollout …      # otlp, console, or a file
    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 telejudge rollout …

| span | kind | of |
|---|---|---|
| `invoke_agent {agent}` | internal | an episode |
| `chat {model}` | client | a completion, with all its retries |
| `execute_tool {tool}` | internal | one call of agent or user |
| `invoke_agent {judge}` | internal | a judge at work on a group |

Off by default: then nothing of OpenTelemetry is imported. Contents of messages, arguments and
results are left out unless OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says `true` or
`span_only`. Names follow semantic-conventions-genai 0.1, which are in development. This is the one
file that knows OpenTelemetry.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from telejudge_envs.errors import MissingExtraError
from telejudge_envs.nouns.message import Message, ToolCall, ToolResult

P = ParamSpec("P")
R = TypeVar("R")

SWITCH = "TELEJUDGE_TRACE"
CONTENTS = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
OTLP = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
OFF = ("", "0", "off", "none", "false")

SAMPLING = ("temperature", "top_p", "top_k", "max_tokens", "seed", "presence_penalty")
PROVIDERS = {"api.openai.com": "openai", "api.deepseek.com": "deepseek"}
"""What is known by its host; all others speak OpenAI's protocol and are called `openai`."""

Told = Callable[[Any], None]
"""Tells a span what came out."""

_NOTHING: AbstractContextManager[Told] = nullcontext(lambda _result: None)


def around(
    opened: Callable[..., AbstractContextManager[Told]],
) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Decorates an async function: `opened(*args)` is the span that it runs in and tells."""

    def decorate(
        function: Callable[P, Coroutine[Any, Any, R]],
    ) -> Callable[P, Coroutine[Any, Any, R]]:
        @functools.wraps(function)
        async def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if tracer() is None:
                return await function(*args, **kwargs)
            with opened(*args, **kwargs) as told:
                result = await function(*args, **kwargs)
                told(result)
                return result

        return call

    return decorate


def chat(client: Any, messages: Sequence[Message], *_: Any, **__: Any) -> Any:
    """The span of `ChatClient.complete`."""
    endpoint = client.endpoint
    where = urlsplit(endpoint.base_url)
    asked = {
        f"gen_ai.request.{name}": endpoint.sampling[name]
        for name in SAMPLING
        if isinstance(endpoint.sampling.get(name), int | float)
    }
    attributes = {
        "gen_ai.provider.name": PROVIDERS.get(where.hostname or "", "openai"),
        "gen_ai.request.model": endpoint.model,
        "server.address": where.hostname or "",
        "server.port": where.port or {"https": 443}.get(where.scheme, 80),
        **asked,
    }
    if _with_contents():
        attributes["gen_ai.input.messages"] = _messages(messages)

    def result(completion: Any) -> dict[str, Any]:
        told = {
            "gen_ai.usage.input_tokens": completion.usage.prompt_tokens,
            "gen_ai.usage.output_tokens": completion.usage.completion_tokens,
            "gen_ai.response.finish_reasons": [completion.finish_reason],
            "telejudge.retries": completion.retries,
        }
        if _with_contents():
            told["gen_ai.output.messages"] = _messages([completion.message])
        return told

    return _span("chat", endpoint.model, "CLIENT", attributes, result)


def tool(call: ToolCall) -> AbstractContextManager[Told]:
    """The span of one call; told its ToolResult."""
    if tracer() is None:
        return _NOTHING
    attributes = {
        "gen_ai.tool.name": call.name,
        "gen_ai.tool.call.id": call.id,
        "gen_ai.tool.type": "function",
        "telejudge.tool.owner": call.owner,
    }
    if _with_contents():
        attributes["gen_ai.tool.call.arguments"] = json.dumps(call.arguments)

    def result(answer: ToolResult) -> dict[str, Any]:
        told = {"error.type": "tool_error"} if answer.error else {}
        if _with_contents():
            told["gen_ai.tool.call.result"] = answer.content
        return told

    return _span("execute_tool", call.name, "INTERNAL", attributes, result)


def episode(world: Any, planned: Any, factory: Any, **_: Any) -> Any:
    """The span of `telejudge_agents.play.play`."""
    attributes = {
        "gen_ai.agent.name": factory.name,
        "gen_ai.conversation.id": planned.id,
        "telejudge.world": world.name,
        "telejudge.task": planned.task.id,
        "telejudge.mode": planned.task.view.mode,
        "telejudge.seed": planned.seed,
    }

    def result(rollout: Any) -> dict[str, Any]:
        trajectory, outcome = rollout.trajectory, rollout.outcome
        told = {
            "gen_ai.usage.input_tokens": trajectory.usage.prompt_tokens,
            "gen_ai.usage.output_tokens": trajectory.usage.completion_tokens,
            "telejudge.calls": trajectory.usage.calls,
            "telejudge.stop": trajectory.stop,
        }
        if trajectory.failure is not None:
            told["error.type"] = f"{trajectory.failure.owner}.{trajectory.failure.cause}"
        if outcome is not None:
            told["telejudge.outcome.answer"] = outcome.answer
        return told

    return _span("invoke_agent", factory.name, "INTERNAL", attributes, result)


def judgement(judge: Any, group: Any) -> Any:
    """The span of a judge that judges a group."""
    attributes = {
        "gen_ai.agent.name": judge.name,
        "gen_ai.agent.version": judge.version,
        "gen_ai.evaluation.name": judge.name,
        "telejudge.group": group.id,
        "telejudge.task": group.task.id,
        "telejudge.candidates": len(group.trajectories),
    }

    def result(verdict: Any) -> dict[str, Any]:
        scored = [one for one in verdict.verdicts if one.abstained is None]
        told = {
            "telejudge.abstained": len(verdict.verdicts) - len(scored),
            "telejudge.cached_calls": verdict.cached_calls,
            "gen_ai.usage.input_tokens": verdict.prompt_tokens,
            "gen_ai.usage.output_tokens": verdict.completion_tokens,
        }
        if scored:
            told["gen_ai.evaluation.score.value"] = sum(v.reward for v in scored) / len(scored)
        return told

    return _span("invoke_agent", judge.name, "INTERNAL", attributes, result)


# -- the one door to OpenTelemetry

_tracer: Any = None
_looked = False


def tracer() -> Any:
    """The tracer, or None when nobody asked for one; the environment is read once."""
    global _tracer, _looked
    if not _looked:
        _looked = True
        where = _asked_for(os.environ)
        _tracer = None if where is None else _provider(where).get_tracer("telejudge")
    return _tracer


def use(provider: Any) -> None:
    """Send spans to a TracerProvider of the calling program; None turns them off."""
    global _tracer, _looked
    _looked, _tracer = True, None if provider is None else provider.get_tracer("telejudge")


def _asked_for(environment: Mapping[str, str]) -> str | None:
    """`otlp`, `console`, a file name, or None."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if (own := environment.get(SWITCH)) is not None:
        return None if own.lower() in OFF else own
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").partition(",")[0].strip().lower()
    if exporter:
        return exporter if exporter in ("otlp", "console") else None
    return "otlp" if any(environment.get(name) for name in OTLP) else None


def _provider(where: str) -> Any:
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import (
            BatchSpanProcessor,
            ConsoleSpanExporter,
            SimpleSpanProcessor,
        )
    except ImportError as error:
        raise MissingExtraError("opentelemetry-sdk", "otel") from error
    named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "telejudge"}
    provider = TracerProvider(resource=Resource.create(named))
    if where == "otlp":
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as error:
            raise MissingExtraError("opentelemetry-exporter-otlp-proto-http", "otel") from error
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return provider
    out = sys.stderr if where == "console" else open(where, "a", encoding="utf-8")  # noqa: PTH123, SIM115
    exporter = ConsoleSpanExporter(out=out, formatter=lambda span: span.to_json(indent=None) + "\n")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


@contextmanager
def _span(
    operation: str,
    name: str,
    kind: str,
    attributes: Mapping[str, Any],
    result: Callable[[Any], Mapping[str, Any]],
) -> Iterator[Told]:
    """An error is told by its cause or class; its words may hold contents and stay out."""
    from opentelemetry.trace import SpanKind, Status, StatusCode

    named = {"gen_ai.operation.name": operation, **attributes}
    with tracer().start_as_current_span(
        f"{operation} {name}",
        kind=SpanKind[kind],
        attributes=named,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:

        def told(value: Any) -> None:
            found = result(value)
            span.set_attributes(found)
            if "error.type" in found:
                span.set_status(Status(StatusCode.ERROR))

        try:
            yield told
        except BaseException as error:
            span.set_attribute("error.type", getattr(error, "cause", type(error).__name__))
            span.set_status(Status(StatusCode.ERROR))
            raise


def _with_contents() -> bool:
    return os.environ.get(CONTENTS, "").lower() in ("true", "1", "span_only", "span_and_event")


def _messages(messages: Sequence[Message]) -> str:
    """As the conventions' JSON schema has them: roles with parts."""
    return json.dumps([{"role": one.role, "parts": _parts(one)} for one in messages])


def _parts(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        answer = {"id": message.tool_call_id, "response": message.text}
        return [{"type": "tool_call_response", **answer}]
    parts: list[dict[str, Any]] = []
    if message.text:
        parts.append({"type": "text", "content": message.text})
    for call in message.tool_calls:
        said = {"id": call.id, "name": call.name, "arguments": call.arguments}
        parts.append({"type": "tool_call", **said})
    return parts
