"""What models wrote: annotations, distractors, traces. Nouns, as in rows.py."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from telejudge_envs.nouns.base import SCHEMA_VERSION, Noun
from telejudge_envs.nouns.verdict import Defect
from telejudge_training.judge_data.rows import Binary, Provenance, Split


class Annotation(Noun):
    """What a teacher said of one prompt. `outcome`: right at once, right in the second round after
    being told, given with the key in sight (oracle), or dropped and why.

    `appraisals` are by trajectory id; `reply` is the kept text as it came.
    """

    schema_version: int = SCHEMA_VERSION
    id: str
    group_id: str
    cohort: str
    """That of the JudgeRows which show the same candidates."""
    judge: Literal["listwise", "pointwise"]
    members: tuple[str, ...]
    """Trajectory ids of the candidates that the prompt showed, first ids of merged ones."""
    teacher: str
    outcome: Literal["first", "second", "oracle", "template", "wrong", "failed"]
    appraisals: dict[str, str] = Field(default_factory=dict)
    comparison: str = ""
    defects: dict[str, tuple[Defect, ...]] = Field(default_factory=dict)
    reply: str = ""
    detail: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    cost_usd: float = 0.0
    provenance: Provenance


class Distractor(Noun):
    """A text that a model wrote for a question, and what became of it.

    `confidence` is the solver's probability of it among the options shown; `kept` says whether it
    serves; `check` is what the checker said of it: 1 right, 0 wrong, None not asked.
    """

    schema_version: int = SCHEMA_VERSION
    id: str
    question_id: str
    kind: Literal["wrong", "paraphrase", "real"]
    """`real`: an option of the question's own, asked about for comparison and never kept."""
    text: str
    confidence: float | None = None
    check: Binary | None = None
    kept: bool
    detail: str = ""
    """Why it was not kept."""
    model: str
    provenance: Provenance


class Trace(Noun):
    """A reasoning trace for a known answer, found by search (reer.py). Perplexities are those of
    the answer after question and trace; `accepted` counts segments that were replaced."""

    schema_version: int = SCHEMA_VERSION
    id: str
    split: Split
    question: str
    answer: str
    trace: str
    first_trace: str
    perplexity_bare: float
    """Without any trace."""
    perplexity_first: float
    perplexity: float
    rounds: int
    tried: int
    accepted: int
    curve: tuple[float, ...]
    """The perplexity after each round."""
    model: str
    provenance: Provenance
