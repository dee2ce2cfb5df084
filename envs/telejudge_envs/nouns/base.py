"""What every noun has in common: frozen, closed to unknown fields, versioned when stored."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1
"""Raised when a stored noun changes its meaning; readers refuse a newer version."""

Mode = Literal["solo", "dual"]
"""`solo`: the agent owns all tools. `dual`: some tools belong to a user who talks to the agent."""

Owner = Literal["agent", "user"]
"""Who may call a tool, and who made a call."""


class Noun(BaseModel):
    """A frozen record; `model_dump_json()` and `model_validate_json()` are inverse."""

    model_config = ConfigDict(frozen=True, extra="forbid")
