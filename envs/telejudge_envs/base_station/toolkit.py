"""How a typed Python method becomes a tool: schema, checks of arguments, and what it tells.

    class Kit(Toolkit):
        @read(shows=lambda db, a: (f"see.P1",))
        def get_power(self, site_id: SiteId) -> dict[str, Any]:
            '''Read the power plant of a site.

            Args:
                site_id: The site.
            '''

    tools_of(Kit)["get_power"].spec           # the OpenAI function schema, as a ToolSpec
    tools_of(Kit)["get_power"].complaint({})  # "site_id: Field required"

A tool raises ToolError when the world refuses the call; it must do so before it changes anything.
"""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from telejudge_envs.base_station.state import RanDB
from telejudge_envs.errors import TelejudgeError
from telejudge_envs.nouns.base import Owner
from telejudge_envs.nouns.message import Effect, ToolSpec

Arguments = Mapping[str, Any]
Shows = Callable[[RanDB, Arguments], tuple[str, ...]]
Sets = Callable[[RanDB, Arguments], dict[str, int]]


class ToolError(TelejudgeError):
    """The world refuses a call; nothing has changed."""


@dataclass(frozen=True)
class Marked:
    """What the decorators note on a method."""

    effect: Effect
    shows: Shows
    sets: Sets
    minutes: int
    cost: int


def _nothing_shown(db: RanDB, arguments: Arguments) -> tuple[str, ...]:
    return ()


def _nothing_set(db: RanDB, arguments: Arguments) -> dict[str, int]:
    return {}


def read(shows: Shows = _nothing_shown, *, cost: int = 1) -> Callable[[Any], Any]:
    """A tool that changes nothing. `shows`: the effects (physics.py) of the focus site that the
    result tells, whatever their values are; `cost` in the units of the policy's rule 9."""
    return _mark(Marked("read", shows, _nothing_set, 0, cost))


def write(
    sets: Sets = _nothing_set,
    *,
    shows: Shows = _nothing_shown,
    minutes: int = 2,
    cost: int = 2,
    control: bool = False,
) -> Callable[[Any], Any]:
    """A tool that may change the world and takes `minutes`. `sets`: the facts of the focus site
    that a successful call leaves at a fixed value, whatever they were before."""
    return _mark(Marked("control" if control else "write", shows, sets, minutes, cost))


def _mark(marked: Marked) -> Callable[[Any], Any]:
    def note(method: Any) -> Any:
        method.marked = marked
        return method

    return note


@dataclass(frozen=True)
class Tool:
    """A tool without its world. `call(kit, arguments)` runs it with checked arguments."""

    name: str
    spec: ToolSpec
    marked: Marked
    arguments: type[BaseModel]
    method: Callable[..., Any]

    def complaint(self, arguments: Arguments) -> str | None:
        """What is wrong with the arguments, or None."""
        try:
            self.arguments.model_validate(arguments)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            return f"{where}: {first['msg']}"[:300]
        return None

    def call(self, kit: Any, arguments: Arguments) -> Any:
        """Raises ValidationError for unfit arguments and ToolError when the world refuses."""
        checked = self.arguments.model_validate(arguments)
        values = {name: getattr(checked, name) for name in self.arguments.model_fields}
        return self.method(kit, **values)


class Toolkit:
    """Base of the kits: methods marked with `read` or `write` are tools."""

    owner: Owner = "agent"

    def __init__(self, db: RanDB) -> None:
        self.db = db


@functools.cache
def tools_of(kit: type[Toolkit]) -> dict[str, Tool]:
    """The tools of a kit by name, in the order in which they are written."""
    marked = {n: m for n, m in _members(kit) if hasattr(m, "marked")}
    return {name: _tool(kit, name, method) for name, method in marked.items()}


def _members(kit: type) -> list[tuple[str, Any]]:
    members: dict[str, Any] = {}
    for base in reversed(kit.__mro__):
        members.update(vars(base))
    return list(members.items())


def _tool(kit: type[Toolkit], name: str, method: Any) -> Tool:
    described = _argument_texts(method.__doc__ or "")
    hints = typing.get_type_hints(method, include_extras=True)
    fields: dict[str, Any] = {}
    for argument in list(inspect.signature(method).parameters.values())[1:]:
        if argument.name not in described:
            raise TypeError(f"{kit.__name__}.{name}: argument {argument.name} has no description")
        default = ... if argument.default is inspect.Parameter.empty else argument.default
        fields[argument.name] = (
            hints[argument.name],
            Field(default, description=described[argument.name]),
        )
    config = ConfigDict(extra="forbid", strict=True)
    model = create_model(f"{name}_arguments", __config__=config, **fields)
    spec = ToolSpec(
        name=name,
        description=_summary(method.__doc__ or ""),
        parameters=_plain_schema(model),
        owner=kit.owner,
        effect=method.marked.effect,
    )
    return Tool(name, spec, method.marked, model, method)


def _summary(doc: str) -> str:
    return " ".join(inspect.cleandoc(doc).split("Args:")[0].split())


def _argument_texts(doc: str) -> dict[str, str]:
    """Argument descriptions of a Google-style docstring."""
    _, _, section = inspect.cleandoc(doc).partition("Args:")
    section = section.partition("Returns:")[0]
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8,}.*)*)", section, re.M)
    return {name: " ".join(text.split()) for name, text in found}


def _plain_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema without titles, as model providers want it."""
    schema = model.model_json_schema()
    schema.pop("title", None)
    for field in schema.get("properties", {}).values():
        field.pop("title", None)
    schema.setdefault("properties", {})
    return schema
