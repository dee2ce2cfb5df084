"""What `telejudge data` writes and what trainers read: one record a line, or a row of parquet.

In: nothing. Out: nouns. Field names are column names; `read_rows` (files.py) reads both formats.

| file | record | made by | read by |
|---|---|---|---|
| groups (JSONL only) | GroupRow | data groups, trajectories | data annotate, data rows |
| judge rows | JudgeRow | data rows --for listwise, pointwise | SFT, distillation, judge GRPO |
| pairs | PairRow | data rows --for pairs | Bradley-Terry reward models |
| ranked lists | RankedRow | data rows --for ranked | RRHF, thresholds of reward models |
| questions | QuestionRow | data teleqna | data groups, distractors, math |
| policy rows | PolicyRow | data math, data reer | SFT and RLVR of the agent |

TRL reads JudgeRow and PolicyRow as conversational prompt-completion, PairRow as explicit prompts.
"""

from __future__ import annotations

from typing import Literal

from telejudge_envs.nouns.base import SCHEMA_VERSION, Noun
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import Defect

Split = Literal["train", "dev", "test", "rl"]
"""By task or question. `test` holds everything that is reserved; `rl` is for the agent's training
and never for a judge's."""

Binary = Literal[0, 1]


class Provenance(Noun):
    """Where a row comes from. `licence` is that of the text in it, as an SPDX id."""

    source: str
    """The data set or world."""
    licence: str
    made_by: str
    """The step and its seed, such as `groups seed=0`."""
    parents: tuple[str, ...] = ()
    """Ids of what it was made from."""


class Turn(Noun):
    """A chat message as trainers take it."""

    role: Literal["system", "user", "assistant"]
    content: str


# -- questions


class QuestionRow(Noun):
    """A question with its right answers and wrong ones. `cluster` is shared by near duplicates,
    which are never in different splits. `pointing`: options that mean something only beside the
    others ("all of the above"); such questions serve as multiple choice and nowhere else."""

    schema_version: int = SCHEMA_VERSION
    id: str
    text: str
    right: str
    wrong: tuple[str, ...]
    options: tuple[str, ...]
    """In the order of the file; `right` is one of them."""
    category: str
    explanation: str = ""
    pointing: tuple[str, ...] = ()
    cluster: str = ""
    split: Split
    provenance: Provenance


# -- groups


class CandidateTruth(Noun):
    """What is known of a candidate.

    `tools` and `defects` are None where nobody knows them (recorded episodes that cannot be
    replayed). `kind` is that of the corruption; `origin` one of gold, alternative, corruption,
    expert, recorded, or an answer's content (`option:right`, `option:2`, `distractor:…`): in one
    group, who has the same content says the same.
    """

    answer: Binary
    tools: float | None = None
    reward: float
    """Orders the candidates of a group (the verifier's `fuse`)."""
    defects: tuple[Defect, ...] | None = None
    kind: str | None = None
    origin: str
    reason: str = ""
    """Why it is right or wrong, where somebody wrote that down (a data set's explanation)."""


class GroupRow(Noun):
    """A group and what is true of its candidates, by trajectory id.

    `form` says how it was made (see groups.py, mixing.py). `reserved` tells why it is held out of
    training: `kind:alarm_cheat`, `faults:P1+T2`, … ; such groups have split `test`.
    """

    schema_version: int = SCHEMA_VERSION
    id: str
    split: Split
    form: str
    group: Group
    truths: dict[str, CandidateTruth]
    reserved: tuple[str, ...] = ()
    provenance: Provenance


# -- rows for trainers of judges


class ShownCandidate(Noun):
    """A candidate of a prompt: its opaque name there, who it is, and the truth that rewards of
    judge training are computed from (`telejudge_judges.codec` reads a reply by name)."""

    name: str
    members: tuple[str, ...]
    """Trajectory ids; several when equal trajectories were shown once."""
    calls: int
    answer: Binary
    tools: float | None = None
    defects: tuple[Defect, ...] | None = None


class JudgeRow(Noun):
    """A prompt exactly as the judge sends it at inference, and the reply wanted of it.

    Rows of one `cohort` show the same candidates of one group, each in another `order` (from 0), so
    they form one GRPO group for permutation consistency. `shown` is in the order shown:
    `{c.name: c.calls for c in shown}` is what a codec's `read` wants.
    """

    schema_version: int = SCHEMA_VERSION
    id: str
    group_id: str
    task_id: str
    world: str
    split: Split
    judge: Literal["listwise", "pointwise"]
    codec: Literal["json", "boxed", "tuple"]
    language: str
    cohort: str
    order: int
    form: str
    prompt: tuple[Turn, ...]
    """System and user."""
    completion: tuple[Turn, ...]
    """The assistant's reply: one turn; none where no teacher's words are kept."""
    shown: tuple[ShownCandidate, ...]
    teacher: str
    tokens: int
    """Estimate of prompt and completion together, at three characters a token."""
    reserved: tuple[str, ...] = ()
    provenance: Provenance


class PairRow(Noun):
    """Two candidates of one group, the better one first. `prompt + chosen` is the text that a
    scalar judge reads (`telejudge_judges.scalar.scalar_text`)."""

    schema_version: int = SCHEMA_VERSION
    id: str
    group_id: str
    task_id: str
    world: str
    split: Split
    prompt: str
    chosen: str
    rejected: str
    chosen_id: str
    rejected_id: str
    chosen_answer: Binary
    rejected_answer: Binary
    margin: float
    """Difference of the rewards, above 0."""
    reserved: tuple[str, ...] = ()
    provenance: Provenance


class RankedRow(Noun):
    """All candidates of a group, best first; equal `rewards` are ties. `prompt + responses[i]` is
    the text that a scalar judge reads. The five tuples have equal lengths."""

    schema_version: int = SCHEMA_VERSION
    id: str
    group_id: str
    task_id: str
    world: str
    split: Split
    form: str
    prompt: str
    responses: tuple[str, ...]
    rewards: tuple[float, ...]
    answers: tuple[Binary, ...]
    members: tuple[str, ...]
    kinds: tuple[str, ...]
    """Corruption kinds; empty text for none."""
    reserved: tuple[str, ...] = ()
    provenance: Provenance


# -- rows for trainers of agents


class PolicyRow(Noun):
    """A question to answer: multiple choice, open, or numeric. `answer` is what a verifier checks:
    an option's text, a wording, or a number; `options` is empty but for multiple choice."""

    schema_version: int = SCHEMA_VERSION
    id: str
    split: Split
    form: Literal["mcq", "open", "math", "reer"]
    prompt: tuple[Turn, ...]
    completion: tuple[Turn, ...]
    answer: str
    options: tuple[str, ...] = ()
    category: str = ""
    tags: tuple[str, ...] = ()
    difficulty: str = ""
    provenance: Provenance


class Card(Noun):
    """What stands beside every output file, as `<file>.card.json` and as `<file>.card.md`."""

    schema_version: int = SCHEMA_VERSION
    file: str
    record: str
    step: str
    command: str
    seed: int
    settings: dict[str, str]
    inputs: dict[str, str]
    """SHA-256 by name of the files it was made from."""
    sha256: str
    rows: int
    counts: dict[str, dict[str, int]]
    """By what is counted, then by value."""
    licences: dict[str, int]
    """Rows by licence of their text."""
    notes: tuple[str, ...] = ()
