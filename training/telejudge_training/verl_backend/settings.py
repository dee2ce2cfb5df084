"""What the agent loop is told beside verl's own configuration; it travels inside that one.

    LoopSettings(world="base-station", judge={"judge": "verifier"})

In verl's configuration it stands under `actor_rollout_ref.rollout.custom.telejudge`, verl's own
place for such things, so that it reaches every worker on every node.
"""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.base import Mode
from telejudge_training.settings import Scaling, Settings

CUSTOM = "telejudge"
"""Our key under `rollout.custom`."""

LOOP_NAME = "telejudge"
"""The agent loop's name in verl's registry."""


class LoopSettings(Settings):
    """How episodes are played and judged inside verl."""

    world: str = "base-station"
    world_options: dict[str, Any] = Field(default_factory=dict)
    mode: Mode = "solo"
    """dual: the world's scripted user or technician plays along."""
    judge: dict[str, Any] = Field(default_factory=lambda: {"judge": "verifier"})
    """JudgeSettings, as in a judge's YAML file. No key belongs here: verl prints its
    configuration; set TELEJUDGE_API_KEY on the nodes instead."""
    validate_with: Literal["judge", "world"] = "judge"
    """What validation is scored by; the world's own truth is reported (`success`) either way."""
    scaling: Scaling = "std"
    turn_tokens: int = Field(default=1024, ge=1)
    """Tokens of one turn; data.max_response_length bounds all that follows the prompt."""
    episode_s: float = Field(default=1800.0, gt=0)
    """Seconds of an episode; one that runs out while it waits for the model is masked."""
    patience_s: float = Field(default=1800.0, gt=0)
    """Seconds that the first of a group to finish waits for the others."""
    judge_s: float = Field(default=900.0, gt=0)
    """Seconds that the judge has for a group."""
    seed: int = 0
    record: Path | None = None
    """A folder for one line a rollout (and groups that `telejudge report` shows), or None."""
    record_groups_every: int = Field(default=10, ge=1)
    """Training steps between those whose groups are kept whole."""


def loop_settings(custom: Any) -> LoopSettings:
    """Read `rollout.custom`, a mapping of omegaconf's or a plain one.

    Raises UsageError naming what is wrong in it.
    """
    if type(custom).__module__.startswith("omegaconf"):
        from omegaconf import OmegaConf

        custom = OmegaConf.to_container(custom, resolve=True)
    given = dict((custom or {}).get(CUSTOM) or {})
    try:
        return LoopSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"rollout.custom.{CUSTOM}.{where}: {first['msg']}") from error
