"""Whether a trajectory may be scored at all: somebody else's failure is never the agent's score."""

from __future__ import annotations

from telejudge_envs.nouns.trajectory import Trajectory

_NOT_THE_AGENTS = frozenset({"failed", "user_error", "deadline"})
"""Stops that say nothing of the agent unless the record blames it."""


def excuse(trajectory: Trajectory) -> str | None:
    """Why nobody is to score this trajectory; None: score it."""
    failure = trajectory.failure
    if failure is not None and failure.owner != "agent":
        return f"{failure.owner}: {failure.cause}"
    if failure is None and trajectory.stop in _NOT_THE_AGENTS:
        return f"stopped by {trajectory.stop}, not by the agent"
    return None
