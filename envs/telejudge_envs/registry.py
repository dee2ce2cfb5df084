"""Worlds by name. Other packages add theirs by the entry point group `telejudge.worlds`."""

from __future__ import annotations

import inspect
from importlib import metadata
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_envs.protocol import World

ENTRY_POINTS = "telejudge.worlds"


def world_names() -> tuple[str, ...]:
    return tuple(sorted(point.name for point in metadata.entry_points(group=ENTRY_POINTS)))


def open_world(name: str, **options: Any) -> World:
    """The world called `name`, dashes and case aside.

    Raises UsageError naming the known worlds, or the option that this world does not take.
    """
    for point in metadata.entry_points(group=ENTRY_POINTS):
        if _plain(point.name) == _plain(name):
            make = point.load()
            _check_options(name, make, options)
            return make(**options)
    known = ", ".join(world_names()) or "none (is telejudge installed?)"
    raise UsageError(f"no world '{name}'; known worlds: {known}")


def _check_options(name: str, make: Any, options: dict[str, Any]) -> None:
    taken = inspect.signature(make).parameters
    if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        return
    for option in options:
        if option not in taken:
            raise UsageError(
                f"world '{name}' takes no option {option} (--{option.replace('_', '-')}); "
                f"its options: {', '.join(taken) or 'none'}"
            )


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()
