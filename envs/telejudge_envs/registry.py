"""Worlds by name. Other packages add theirs by the entry point group `telejudge.worlds`."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from telejudge_envs.errors import UsageError
from telejudge_envs.protocol import World

ENTRY_POINTS = "telejudge.worlds"


def world_names() -> tuple[str, ...]:
    return tuple(sorted(point.name for point in metadata.entry_points(group=ENTRY_POINTS)))


def open_world(name: str, **options: Any) -> World:
    """The world called `name`; raises UsageError naming the known ones."""
    for point in metadata.entry_points(group=ENTRY_POINTS):
        if point.name == name:
            return point.load()(**options)
    known = ", ".join(world_names()) or "none (is telejudge installed?)"
    raise UsageError(f"no world '{name}'; known worlds: {known}")
