"""What an examination of a judge is made of: groups with their truths, and what came of them.

In: nothing. Out: nouns. `Exam` is what the judge is asked (only `exam.group` reaches it), `Result`
what it said beside what is true: ids, numbers and kinds, no text of any data set.

    Exam(source="teleqna", group=group, truths={"q-0": Truth(outcome=right), …})
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pydantic import Field

from telejudge_envs.nouns.base import SCHEMA_VERSION, Noun
from telejudge_envs.nouns.trajectory import Group, Outcome
from telejudge_envs.nouns.verdict import Defect


class Spot(NamedTuple):
    """A defect without its words: where and what."""

    step: int | None
    kind: str


class Truth(Noun):
    """What is known of a trajectory, beside its outcome.

    `reward` orders the candidates of a group (the verifier's). `defects` is None where nobody knows
    them. `kinds` are what is wrong with it, as AUC groups them: a corruption's kind, else the kinds
    of its defects; None where nobody knows.
    """

    outcome: Outcome
    reward: float | None = None
    defects: tuple[Defect, ...] | None = None
    kinds: tuple[str, ...] | None = None

    @property
    def answer(self) -> Literal[0, 1]:
        return self.outcome.answer


class Exam(Noun):
    """A group to be judged, with the truths that the judge does not see (by trajectory id).

    A trajectory without a truth is shown to the judge and not counted.
    """

    source: str
    group: Group
    truths: dict[str, Truth]
    form: str = ""


class Mark(Noun):
    """A candidate: what is true of it and what the judge said."""

    trajectory_id: str
    truth: Literal[0, 1]
    true_reward: float | None = None
    true_spots: tuple[Spot, ...] | None = None
    kinds: tuple[str, ...] | None = None
    answer: Literal[0, 1] | None = None
    tools: float | None = None
    reward: float | None = None
    confidence: float | None = None
    spots: tuple[Spot, ...] = ()
    abstained: str | None = None


class Probe(Noun):
    """A candidate judged a second time, when some candidate of its group had been changed.

    `name` is the change (`padding`, or an attack), `place` where it was made; `touched` tells
    whether this was the candidate that was changed; None stands for an abstention.
    """

    name: str
    family: str
    place: str = ""
    trajectory_id: str
    truth: Literal[0, 1]
    touched: bool
    answer_before: Literal[0, 1] | None
    answer_after: Literal[0, 1] | None
    reward_before: float | None
    reward_after: float | None


class GroupResult(Noun):
    """What came of one group. Tokens, calls and seconds are those of the plain judgement."""

    group_id: str
    source: str
    form: str = ""
    marks: tuple[Mark, ...]
    order_flip_rate: float | None = None
    calls: int = 0
    cached_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    padded: tuple[Probe, ...] = ()
    attacked: tuple[Probe, ...] = ()


class Measure(Noun):
    """A number with its 95% interval; `of` is how many things it is a mean over, in `unit`s."""

    value: float | None
    low: float | None = None
    high: float | None = None
    of: int = 0
    unit: str = "groups"


class Sample(Noun):
    """Where a source's groups came from."""

    source: str
    file: str
    sha256: str
    groups: int
    candidates: int


class Result(Noun):
    """One judge on one set of groups. `measures` by source (`all`: every source), then by name."""

    schema_version: int = SCHEMA_VERSION
    judge: str
    judge_version: str
    model: str = ""
    label: str = ""
    """How tables name it."""
    command: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    seed: int = 0
    samples: tuple[Sample, ...] = ()
    groups: tuple[GroupResult, ...] = ()
    measures: dict[str, dict[str, Measure]] = Field(default_factory=dict)
