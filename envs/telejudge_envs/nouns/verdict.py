"""What a judge says."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from telejudge_envs.nouns.base import SCHEMA_VERSION, Noun

Severity = Literal["soft", "hard", "safety"]
"""`soft` lowers the reward; `hard` keeps it below an honest failure; `safety` sets it to 0."""


class Defect(Noun):
    """Something unreasonable at step `step` (index of the call; None: the whole trajectory)."""

    step: int | None
    kind: str
    severity: Severity
    reason: str
    evidence: str = ""


class Verdict(Noun):
    """A judge's opinion of one trajectory, or an abstention with its cause.

    `answer` 0 or 1, `tools` 0..1, `reward` the number training uses, `confidence` 0..1.
    An abstained verdict carries none of them.
    """

    trajectory_id: str
    answer: Literal[0, 1] | None = None
    tools: float | None = Field(default=None, ge=0.0, le=1.0)
    defects: tuple[Defect, ...] = ()
    reward: float | None = None
    confidence: float | None = Field(default=None, ge=0.0, le=1.0)
    abstained: str | None = None
    """The cause of the abstention; None for a real verdict."""

    @model_validator(mode="after")
    def _scored_or_abstained(self) -> Verdict:
        scores = (self.answer, self.tools, self.reward)
        if self.abstained is None and None in scores:
            raise ValueError(f"verdict on {self.trajectory_id} lacks answer, tools or reward")
        if self.abstained is not None and scores != (None, None, None):
            raise ValueError(f"abstained verdict on {self.trajectory_id} carries a score")
        return self


class Ballot(Noun):
    """What one presentation order (or one sample) said of one trajectory, before aggregation.

    `order` and `place` (where the candidate stood in it) count from 0. `failed` is the cause when
    the order said nothing; then the scores are None.
    """

    order: int = Field(ge=0)
    place: int | None = Field(default=None, ge=0)
    trajectory_id: str
    answer: Literal[0, 1] | None = None
    tools: float | None = Field(default=None, ge=0.0, le=1.0)
    defects: tuple[Defect, ...] = ()
    failed: str | None = None


class GroupVerdict(Noun):
    """Verdicts for every trajectory of a group, matched by id.

    `ranking` lists tiers of trajectory ids, best first; ids in one tier are tied; abstained ones
    are absent. `order_flip_rate` is the share of candidates whose answer differed between
    presentation orders (None when only one order was judged). `ballots` are what the single orders
    said, from judges that ask several times.
    """

    schema_version: int = SCHEMA_VERSION
    group_id: str
    task_id: str
    judge: str
    judge_version: str
    verdicts: tuple[Verdict, ...]
    ranking: tuple[tuple[str, ...], ...] = ()
    order_flip_rate: float | None = None
    calls: int = 0
    cached_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    ballots: tuple[Ballot, ...] = ()
