"""tau2's tools as ToolSpecs, and the checks a call must pass before tau2 sees it.

In: a ToolCall. Out: None, or what is wrong with it. tau2 itself hands arguments straight to the
tool, where a wrong type can leave the state half changed.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from pydantic import ValidationError

from telejudge_envs.nouns.base import Mode, Owner
from telejudge_envs.nouns.message import Effect, ToolCall, ToolSpec
from telejudge_envs.tau2_telecom import upstream

DONE = "done"
TRANSFER = "transfer_to_human_agents"
_EFFECTS: dict[str, Effect] = {"read": "read", "write": "write", "generic": "control"}
_SHOWN = 120


@functools.cache
def _toolkits() -> dict[Owner, dict[str, tuple[upstream.Tool, Effect]]]:
    env = upstream.fresh_environment(solo=False)
    kits: dict[Owner, Any] = {"agent": env.tools, "user": env.user_tools}
    return {
        owner: {
            name: (tool, _EFFECTS[kit.tool_type(name).value])
            for name, tool in kit.get_tools().items()
        }
        for owner, kit in kits.items()
    }


@functools.cache
def specs(mode: Mode, owner: Owner) -> tuple[ToolSpec, ...]:
    """The tools that `owner` may call: in solo mode the agent has both kits and `done`."""
    kits = _toolkits()
    if mode == "dual":
        return tuple(_spec(tool, owner, effect) for tool, effect in kits[owner].values())
    if owner == "user":
        return ()
    both = [*kits["agent"].values(), *kits["user"].values(), (upstream.done_tool(), "control")]
    return tuple(_spec(tool, "agent", effect) for tool, effect in both)


def _spec(tool: upstream.Tool, owner: Owner, effect: Effect) -> ToolSpec:
    function = tool.openai_schema["function"]
    return ToolSpec(
        name=function["name"],
        description=function["description"],
        parameters=function["parameters"],
        owner=owner,
        effect=effect,
    )


@functools.cache
def _parameters(mode: Mode, owner: Owner) -> dict[str, Any]:
    kits = _toolkits()
    owners: tuple[Owner, ...] = (owner,) if mode == "dual" else ("agent", "user")
    found = {name: tool.params for o in owners for name, (tool, _) in kits[o].items()}
    if mode == "solo":
        found[DONE] = upstream.done_tool().params
    return found


def complaint(call: ToolCall, mode: Mode) -> str | None:
    """What is wrong with the call before it is made; None if it may be made."""
    known = _parameters(mode, call.owner)
    if call.name not in known:
        return f"Tool '{_short(call.name)}' not found."
    if call.raw is not None:
        return f"The arguments of {call.name} are not a JSON object: {_short(call.raw)}"
    parameters = known[call.name]
    fields = parameters.model_fields
    extra = [name for name in call.arguments if name not in fields]
    if extra:
        allowed = ", ".join(fields) or "none"
        return f"{call.name} got an unexpected argument '{_short(extra[0])}' (allowed: {allowed})."
    missing = [n for n, f in fields.items() if f.is_required() and n not in call.arguments]
    if missing:
        return f"{call.name} is missing the argument '{missing[0]}'."
    try:
        parameters.model_validate(call.arguments, strict=True)
    except (ValidationError, RecursionError) as error:
        return f"{call.name} got an argument of a wrong type: {_first(error)}"
    for name, value in call.arguments.items():
        if isinstance(value, float) and not math.isfinite(value):
            return f"{call.name} got {name}={value}, which is no finite number."
    return None


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors(include_input=False, include_url=False)[0]
        return f"{detail['loc'][0] if detail['loc'] else '?'}: {detail['msg']}"
    return "nested too deeply"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"
