"""The record of one run of a command: what was asked, with what, how it went, what came out."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from telejudge_envs.nouns.base import SCHEMA_VERSION, Noun

RunState = Literal["running", "done", "interrupted", "failed"]
"""`interrupted`: stopped by Ctrl-C or SIGTERM, and can go on. A record that says `running` though
its process is gone belongs to a run that was killed."""


class RunRecord(Noun):
    """Times, host and process are here and nowhere else: outputs stay the same, byte by byte."""

    schema_version: int = SCHEMA_VERSION
    command: str
    """Without `telejudge`, such as `train agent`."""
    line: str
    """The whole command line, without secrets; the same line goes on where the run was."""
    state: RunState = "running"
    why: str = ""
    """The error of a run that failed."""
    starts: tuple[str, ...]
    """When it was started, and started again (ISO 8601, UTC)."""
    ended: str | None = None
    """When it last stopped, however it did."""
    host: str = ""
    process: int = 0
    seed: int | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    """Every option of the command with its value."""
    config: dict[str, Any] = Field(default_factory=dict)
    """What the options stand for: a recipe, a judge's settings."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Of Python and of the packages that a result depends on, where installed."""
    commit: str | None = None
    """Of telejudge's own checkout, with a `+` when files in it were changed; None outside one."""
    figures: dict[str, float | int | str] = Field(default_factory=dict)
    """The main results, by name."""
