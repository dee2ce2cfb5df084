"""Which tools a text tells its reader to run, and with what arguments.

    requests('Run toggle_data() and then check_app_status(app_name="messaging").', tools)
    -> Asked(calls=(Request("toggle_data", {}), Request("check_app_status", {…})), complaint="")

Arguments are `name=value` pairs, plain values in the tool's order, or a JSON object, in brackets
or right after the name. Values are Python or JSON literals; a bare word is a string.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from telejudge_envs.nouns.message import ToolSpec

_LITERALS = {"true": True, "false": False, "null": None, "none": None}
_SNAKE_CALL = re.compile(r"\b([a-z]+(?:_[a-z]+)+)\s*\(")
_LONGEST = 2_000


@dataclass(frozen=True)
class Request:
    """A tool that is to be run."""

    tool: str
    arguments: dict[str, Any]


class Asked(NamedTuple):
    """What a text asks for; `complaint` says what in it cannot be understood (then no calls)."""

    calls: tuple[Request, ...]
    complaint: str = ""


class _Unclear(Exception):
    """Arguments that cannot be read."""


def requests(text: str, tools: Sequence[ToolSpec]) -> Asked:
    """The calls that `text` asks for, in its order."""
    own = {tool.name: tool for tool in tools}
    full: list[Request] = []
    bare: list[Request] = []
    try:
        for found in re.finditer(r"\b[a-z]+(?:_[a-z]+)+\b", text):
            tool = own.get(found.group())
            if tool is None:
                continue
            arguments = _arguments(text[found.end() : found.end() + _LONGEST], tool)
            if arguments is not None:
                full.append(Request(tool.name, arguments))
            elif all(tool.name != r.tool for r in bare):
                bare.append(Request(tool.name, {}))
    except _Unclear as unclear:
        return Asked((), str(unclear))
    strange = [m.group(1) for m in _SNAKE_CALL.finditer(text) if m.group(1) not in own]
    if strange:
        return Asked((), f"my phone has no '{strange[0]}'.")
    return Asked(tuple(full or bare))


def _arguments(rest: str, tool: ToolSpec) -> dict[str, Any] | None:
    """The arguments at the start of `rest`; None if there are neither brackets nor JSON."""
    rest = re.sub(r"^[`'\"]?(?: with)?(?: arguments?)?:?[ `]*(?=[({])", "", rest)
    if rest.startswith("{"):
        return _json_object(rest, tool)
    if not rest.startswith("("):
        return None
    for end in (m.end() for m in re.finditer(r"\)", rest)):
        inside = rest[1 : end - 1].strip()
        try:
            call = ast.parse(f"f({inside})", mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if isinstance(call, ast.Call):
            return _from_call(call, inside, tool)
    raise _Unclear(f"what are the arguments of {tool.name}?")


def _from_call(call: ast.Call, inside: str, tool: ToolSpec) -> dict[str, Any]:
    if inside.startswith("{") and len(call.args) == 1:
        return _json_object(inside, tool)
    names = list(tool.parameters.get("properties", {}))
    if len(call.args) > len(names) or any(k.arg is None for k in call.keywords):
        raise _Unclear(f"{tool.name} takes {', '.join(names) or 'no arguments'}.")
    plain = {name: _value(node, tool) for name, node in zip(names, call.args, strict=False)}
    return plain | {str(k.arg): _value(k.value, tool) for k in call.keywords}


def _value(node: ast.expr, tool: ToolSpec) -> Any:
    if isinstance(node, ast.Name):
        return _LITERALS.get(node.id.lower(), node.id)
    if isinstance(node, ast.Dict):
        keys = [_value(k, tool) for k in node.keys if k is not None]
        return dict(zip(keys, (_value(v, tool) for v in node.values), strict=False))
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError) as error:
        raise _Unclear(f"a value among the arguments of {tool.name}.") from error


def _json_object(text: str, tool: ToolSpec) -> dict[str, Any]:
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise _Unclear(f"the JSON after {tool.name}.") from error
    return found
