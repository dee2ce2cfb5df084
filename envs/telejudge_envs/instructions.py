"""Which tools a text tells its reader to run, and with what arguments.

    requests('Run toggle_data() and then check_app_status(app_name="messaging").', tools)
    -> Asked(calls=(Request("toggle_data", {}), Request("check_app_status", {…})), complaint="")

`found(text, tools)` also tells where in the text each of them stands.

Arguments are `name=value` pairs, plain values in the tool's order, or a JSON object, in brackets
or right after the name. Values are Python or JSON literals; a bare word is a string.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from telejudge_envs.nouns.message import ToolSpec

_LITERALS = {"true": True, "false": False, "null": None, "none": None}
_NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
_BEFORE_ARGUMENTS = re.compile(r"[`'\"]?(?: with)?(?: arguments?)?:?[ `]*(?=[({])")
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


class Found(NamedTuple):
    """A tool named in a text, at `text[start:end]`; `full` when its arguments are there too."""

    start: int
    end: int
    request: Request
    full: bool


class _Unclear(Exception):
    """Arguments that cannot be read."""


def requests(text: str, tools: Sequence[ToolSpec]) -> Asked:
    """The calls that `text` asks for, in its order."""
    every, complaint = found(text, tools)
    full = [each.request for each in every if each.full]
    bare = {each.request.tool: each.request for each in every if not each.full}
    return Asked(tuple(full or bare.values()), complaint)


def found(text: str, tools: Sequence[ToolSpec]) -> tuple[tuple[Found, ...], str]:
    """All tools named in `text`, in its order, or none and what cannot be understood."""
    try:
        return tuple(_scan(text, {tool.name: tool for tool in tools})), ""
    except _Unclear as unclear:
        return (), str(unclear)


def _scan(text: str, own: dict[str, ToolSpec]) -> Iterator[Found]:
    read_to = 0
    for named in _NAME.finditer(text):
        name, rest = named.group(), text[named.end() : named.end() + _LONGEST]
        if named.start() < read_to:
            continue  # a name inside another tool's arguments
        if name not in own:
            if rest.startswith("("):
                raise _Unclear(f"I have no '{name}'.")
            continue
        arguments, length = _arguments(rest, own[name])
        read_to = named.end() + length
        request = Request(name, arguments or {})
        yield Found(named.start(), read_to, request, arguments is not None)


def _arguments(rest: str, tool: ToolSpec) -> tuple[dict[str, Any] | None, int]:
    """The arguments at the start of `rest` and where they end; None if there are none."""
    opening = _BEFORE_ARGUMENTS.match(rest)
    start = opening.end() if opening else 0
    if rest.startswith("{", start):
        return _json_object(rest, start, tool)
    if not rest.startswith("(", start):
        return None, 0
    for end in (found.end() for found in re.finditer(r"\)", rest)):
        inside = rest[start + 1 : end - 1].strip()
        if inside.startswith("{") and inside.endswith("}"):
            return _json_object(inside, 0, tool)[0], end
        try:
            call = ast.parse(f"f({inside})", mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if isinstance(call, ast.Call):
            return _from_call(call, tool), end
    raise _Unclear(f"what are the arguments of {tool.name}?")


def _from_call(call: ast.Call, tool: ToolSpec) -> dict[str, Any]:
    names = list(tool.parameters.get("properties", {}))
    if len(call.args) > len(names) or any(k.arg is None for k in call.keywords):
        raise _Unclear(f"{tool.name} takes {', '.join(names) or 'no arguments'}.")
    plain = {name: _value(node, tool) for name, node in zip(names, call.args, strict=False)}
    return plain | {str(k.arg): _value(k.value, tool) for k in call.keywords}


def _value(node: ast.expr, tool: ToolSpec) -> Any:
    if isinstance(node, ast.Name):
        return _LITERALS.get(node.id.lower(), node.id)
    if isinstance(node, ast.List):
        return [_value(item, tool) for item in node.elts]
    if isinstance(node, ast.Dict):
        keys = [_value(key, tool) for key in node.keys if key is not None]
        if all(isinstance(key, str) for key in keys):
            return dict(zip(keys, (_value(v, tool) for v in node.values), strict=False))
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError) as error:
        raise _Unclear(f"a value among the arguments of {tool.name}.") from error
    if not isinstance(value, str | int | float | bool | None):
        raise _Unclear(f"a value among the arguments of {tool.name}.")
    return value


def _json_object(text: str, start: int, tool: ToolSpec) -> tuple[dict[str, Any], int]:
    try:
        return json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        raise _Unclear(f"the JSON after {tool.name}.") from error
