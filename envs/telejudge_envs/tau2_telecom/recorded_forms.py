"""The files in which tau2-bench rollouts are recorded, as one kind of record.

Plain or gzipped, either one rollout a line:

    {"task_id": …, "mode": "solo" | "dual", "termination": "user_stop", "messages": […]}
    # and if known: agent_model, agent_args, user_model, trial, seed, reward, policy

or tau2's own result file: `{"info": …, "tasks": […], "simulations": […]}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from telejudge_envs.errors import DataError
from telejudge_envs.nouns.trajectory import Usage
from telejudge_envs.store import lines

DOMAINS = {"telecom": "manual", "telecom-workflow": "workflow"}
"""tau2's names of the domain, by the policy that they use."""


@dataclass(frozen=True)
class Record:
    """One recorded rollout, whichever form it had; values are still unchecked."""

    file: Path
    place: str
    """Line or simulation."""
    task_id: Any
    mode: Any
    termination: Any
    messages: Any
    agent: str
    policy: str = "manual"
    trial: Any = 0
    seed: Any = None
    reward: Any = None
    skipped: bool = False
    usage: Usage = field(default_factory=Usage)
    user_usage: Usage | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.file}, {self.place}"

    @property
    def source(self) -> str:
        """`where`, the same on every machine."""
        return f"{self.file.name}, {self.place}"


def records(path: Path) -> Iterator[Record]:
    """Every recorded rollout of a file; raises DataError naming file and line or simulation."""
    head = next(lines(path), None)
    if head is None:
        raise DataError(f"{path} is empty; expected one rollout a line, or a tau2 result file")
    try:
        first = _parse(head.text)
    except ValueError:
        first = None
    if first is None or (isinstance(first, dict) and "simulations" in first):
        yield from _simulations(path)
        return
    for line in lines(path):
        place = f"line {line.number}"
        try:
            raw = _parse(line.text)
        except ValueError as error:
            raise DataError(f"{path}, {place}: not JSON: {error}") from error
        yield _from_line(raw, path, place)


def _from_line(raw: Any, path: Path, place: str) -> Record:
    needed = ("task_id", "mode", "termination", "messages")
    if not isinstance(raw, dict) or any(name not in raw for name in needed):
        missing = [n for n in needed if not isinstance(raw, dict) or n not in raw]
        raise DataError(
            f"{path}, {place}: no recorded rollout: it lacks {', '.join(missing)} (allowed: one "
            "object a line with task_id, mode, termination, messages; or a tau2 result file)"
        )
    return Record(
        file=path,
        place=place,
        **{name: raw[name] for name in needed},
        agent=str(raw.get("agent_model") or "unknown"),
        policy=str(raw.get("policy") or "manual"),
        trial=raw.get("trial", 0),
        seed=raw.get("seed"),
        reward=raw.get("reward"),
        notes={k: raw.get(k) for k in ("agent_args", "user_model", "policy", "source_repo")},
    )


def _simulations(path: Path) -> Iterator[Record]:
    text = b"".join(line.text for line in lines(path))
    try:
        results = _parse(text)
    except ValueError as error:
        raise DataError(
            f"{path}, line 1: neither a rollout a line nor a whole tau2 result file: {error}"
        ) from error
    simulations = results.get("simulations") if isinstance(results, dict) else None
    if not isinstance(simulations, list):
        raise DataError(f"{path}: a tau2 result file must hold a list under `simulations`")
    info = _dict(results, "info")
    domain = _dict(info, "environment_info").get("domain_name", "telecom")
    if domain not in DOMAINS:
        raise DataError(f"{path}: domain {domain!r} is none of {', '.join(DOMAINS)}")
    for index, simulation in enumerate(simulations):
        place = f"simulation {index}"
        if not isinstance(simulation, dict):
            raise DataError(f"{path}, {place} is no object")
        yield _from_simulation(simulation, info, DOMAINS[domain], path, place)


def _from_simulation(
    raw: dict[str, Any], info: dict[str, Any], policy: str, path: Path, place: str
) -> Record:
    agent, user = _dict(info, "agent_info"), _dict(info, "user_info")
    kind = str(agent.get("implementation", ""))
    return Record(
        file=path,
        place=place,
        task_id=raw.get("task_id"),
        mode="solo" if "solo" in kind or user.get("implementation") == "dummy_user" else "dual",
        termination=raw.get("termination_reason"),
        messages=raw.get("messages"),
        agent=str(agent.get("llm") or kind or "unknown"),
        policy=policy,
        trial=raw.get("trial"),
        seed=raw.get("seed"),
        reward=_dict(raw, "reward_info").get("reward"),
        skipped=bool(raw.get("skipped", False)),
        usage=_usage(raw, "assistant", raw.get("agent_cost"), raw.get("duration")),
        user_usage=_user_usage(raw),
        notes={
            "agent_args": agent.get("llm_args"),
            "user_model": user.get("llm"),
            "policy": policy,
        },
    )


def _user_usage(raw: dict[str, Any]) -> Usage | None:
    usage = _usage(raw, "user", raw.get("user_cost"))
    return usage if usage.requests or usage.cost_usd else None


def _usage(raw: dict[str, Any], role: str, cost: Any, seconds: Any = None) -> Usage:
    spent = [
        usage
        for message in _list(raw, "messages")
        if isinstance(message, dict)
        and message.get("role") == role
        and isinstance(usage := message.get("usage"), dict)
    ]
    return Usage(
        prompt_tokens=sum(int(_positive(u.get("prompt_tokens"))) for u in spent),
        completion_tokens=sum(int(_positive(u.get("completion_tokens"))) for u in spent),
        requests=len(spent),
        seconds=_positive(seconds),
        cost_usd=_positive(cost),
    )


def _parse(text: bytes) -> Any:
    """Strict JSON: what it accepts can also be written again (no NaN, no lone surrogates)."""
    return from_json(text, allow_inf_nan=False)


def _positive(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def _dict(raw: dict[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _list(raw: dict[str, Any], name: str) -> list[Any]:
    value = raw.get(name)
    return value if isinstance(value, list) else []
