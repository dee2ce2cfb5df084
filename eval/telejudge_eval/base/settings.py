"""How large the samples of a base measurement are, and how long replies may be."""

from __future__ import annotations

from telejudge_envs.nouns.base import Noun


class BaseSettings(Noun):
    """Numbers of items; 0 leaves a section out. All choices come from `seed`."""

    seed: int = 0
    choices: int = 500
    """Multiple-choice questions, of telejudge's test fifth of TeleQnA."""
    open: int = 100
    """Open questions, each answered freely and in at most 30 tokens."""
    open_tokens: int = 256
    problems: int = 500
    samples: int = 1
    """Replies to a problem: 1 is greedy; more are drawn at temperature 0.6, for cons@k."""
    problem_tokens: int = 1024
    tau2: int = 40
    """tau2's test tasks, solo."""
    base_station: int = 60
    """Base-station test tasks, solo."""
    max_steps: int = 50
    """Messages of the agent in an episode."""
    turn_tokens: int = 512
    deadline: float | None = None
    """Seconds for an episode; one that is cut is not scored."""
