"""Settings of every kind of judge: one record, the same names in YAML, in flags and in Python.

    settings = JudgeSettings(orders=4, language="zh")
    settings = load_settings(Path("judge.yaml"), {"orders": 4})   # flags go before the file
    settings.endpoint()                                           # the Endpoint that they describe

A judge reads the settings that mean something to it (`registry.settings_of` says which); settings
of a judge from another package live under `options`, which only that judge reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_serializer, field_validator

from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.base import Noun
from telejudge_judges.yaml_files import read_yaml

ENDPOINT = frozenset(
    {"base_url", "model", "api_key", "sampling", "timeout", "retries", "concurrency"}
)
"""Settings that say where a model is and how to ask it."""

ASKING = (
    "language",
    "prompt",
    "cache",
    "budget",
    "structured",
    "json_mode",
    "references",
    "reference_mode",
    "include_reasoning",
    "merge_identical",
)
"""Settings of everything that asks a model about evidence, beside the endpoint and the seed."""

COMMON = frozenset({"judge", "seed", "options"}) | ENDPOINT
"""Settings that no judge minds."""


class JudgeSettings(Noun):
    """How to judge. Every setting has a default; unknown names are refused."""

    judge: str = "verifier"
    """The judge's name in the registry."""
    seed: int = 0
    """Every random choice comes from it."""

    base_url: str | None = None
    """OpenAI-compatible endpoint, up to and including `/v1`."""
    model: str | None = None
    """The model's name at the endpoint."""
    api_key: str | None = Field(default=None, repr=False, exclude=True)
    """None: TELEJUDGE_API_KEY, then OPENAI_API_KEY, then none. Never stored."""
    sampling: dict[str, Any] = Field(default_factory=dict)
    timeout: float = Field(default=120.0, gt=0)
    """Seconds for one request."""
    retries: int = Field(default=4, ge=0)
    """Requests made again at most."""
    concurrency: int = Field(default=8, ge=1)
    """Requests under way at once."""

    language: str = "en"
    """Of the prompt: en or zh."""
    prompt: Path | None = None
    """A prompt template in place of the shipped one."""
    cache: Path | None = None
    """Folder in which replies are kept."""
    budget: int = Field(default=24_000, ge=1)
    """Tokens of evidence a call."""
    codec: str = "json"
    """Verdict format: json, boxed or tuple."""
    structured: Literal["schema", "object", "off"] = "schema"
    """What the server is asked to hold the model to: the format's schema, any JSON, nothing."""
    json_mode: bool = False
    """Another word for `structured: object`."""
    references: Path | None = None
    """A YAML or JSON file with the known right solutions, by task id."""
    reference_mode: Literal["hidden", "if_unsure", "forced"] = "if_unsure"
    """How far the judge is to lean on them."""
    include_reasoning: bool = False
    """Show the agents' private thinking."""
    merge_identical: bool = True
    """Judge equal trajectories once."""

    orders: int = Field(default=2, ge=1)
    """listwise, embedded: orders in which a group is shown (embedded: one unless it is set)."""
    max_orders: int | None = Field(default=None, ge=1)
    """listwise: orders at most, while they disagree; None: `orders` and two more."""
    tie_break: bool = True
    """listwise: ask more than `orders` when they disagree."""
    anchors: Path | None = None
    """listwise: rollouts of known outcome; a right and a wrong one of a group's task are judged
    along with it."""

    pairs: int | None = Field(default=None, ge=1)
    """pairwise: at most so many pairs a group, each asked in both orders; None: all."""
    aggregate: Literal["bradley_terry", "win_rate"] = "bradley_terry"
    """pairwise: from matches to strengths."""
    threshold: float = Field(default=0.5, gt=0.0, le=1.0)
    """pairwise: `answer` is 1 above it (below 1). consistency: share of the disputed facts that
    must have a majority, or the group is abstained."""

    weigh_confidence: bool = False
    """consistency: weigh each rollout by its model's own confidence, where log-probabilities were
    recorded."""

    folder: Path | None = None
    """scalar: a transformers sequence-classification model with its threshold.json. embedded: what
    `telejudge train embedded-judge` wrote; None: the shipped judge."""
    device: str = "cpu"
    """scalar: where torch runs it."""

    index: Path | None = None
    """rubric: folder that `telejudge rubric index` made; None: the starter rubrics."""
    items: int = Field(default=12, ge=0)
    """rubric: items retrieved for a ticket besides the core ones."""
    drafts: int = Field(default=0, ge=0)
    """rubric: items that a generator model drafts for a ticket."""
    generator: dict[str, Any] = Field(default_factory=dict, repr=False)
    """rubric: endpoint settings of the generator where they differ from the judge's."""
    embedder: dict[str, Any] = Field(default_factory=dict, repr=False)
    """rubric: endpoint settings for embeddings; empty: the packaged model."""
    hits: tuple[Path, ...] = ()
    """rubric: observations of earlier runs, by which items are dropped."""
    hit_rates: tuple[float, float] = (0.02, 0.98)
    """rubric: items that are true of fewer or of more candidates are dropped."""
    hit_seen: int = Field(default=20, ge=1)
    """rubric: candidates that must have been seen before an item is dropped."""
    record: Path | None = None
    """rubric: file to which this run's observations are added."""

    members: tuple[dict[str, Any], ...] = Field(default=(), repr=False)
    """ensemble: settings of each member; what one does not set is as in the ensemble's own."""
    samples: int = Field(default=1, ge=1)
    """ensemble: how often each member is asked, each time with another seed."""
    rule: Literal["vote", "unanimous"] = "vote"
    """ensemble: how votes make an answer."""
    quorum: int | None = Field(default=None, ge=1)
    """ensemble: members that must have scored a trajectory; None: more than half of them."""
    anchor: str | None = None
    """ensemble: a judge, such as the verifier, whose verdict bounds that of the members."""
    slack: float = Field(default=0.2, ge=0.0, le=1.0)
    """ensemble: how far `tools` may depart from the anchor's."""
    meta: dict[str, Any] | None = Field(default=None, repr=False)
    """ensemble: settings of a meta-judge that drops what members say without support in the
    evidence, where they differ from the ensemble's own ({}: nowhere); None: nothing is dropped."""

    options: dict[str, Any] = Field(default_factory=dict)
    """Settings of a judge from another package."""

    @field_validator("members")
    @classmethod
    def _members_are_settings(cls, value: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for i, member in enumerate(value):
            if "judge" not in member:
                raise ValueError(f"member {i} names no judge; give it one, such as judge: listwise")
            unknown = sorted(set(member) - set(cls.model_fields))
            if unknown:
                raise ValueError(f"member {i}: {_unknown(unknown)}")
        return value

    @field_validator("meta")
    @classmethod
    def _meta_is_settings(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        wrong = sorted(set(value or {}) - ENDPOINT - {*ASKING, "seed"})
        if wrong:
            known = ", ".join(sorted(ENDPOINT | {*ASKING, "seed"}))
            raise ValueError(f"a meta-judge has no setting {', '.join(wrong)}; it has {known}")
        return value

    @field_serializer("members", "generator", "embedder", "meta")
    def _without_keys(self, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, dict):
            return {name: inner for name, inner in value.items() if name != "api_key"}
        return [self._without_keys(one) for one in value]

    def with_(self, changes: Mapping[str, Any]) -> JudgeSettings:
        """These settings with some changed; raises UsageError for a wrong name or value."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return make_settings({**given, **changes})

    def member(self, changes: Mapping[str, Any]) -> JudgeSettings:
        """The settings of an ensemble's member or meta-judge: the ensemble's own but for what makes
        it one."""
        given = {n: getattr(self, n) for n in self.model_fields_set - _OF_ENSEMBLES}
        return make_settings({**given, **changes})

    def endpoint(self) -> Endpoint:
        """Where the model is. Raises UsageError when `base_url` or `model` is missing or wrong."""
        if self.base_url is None or self.model is None:
            raise UsageError(
                f"judge '{self.judge}' needs a model at an endpoint: give --base-url and --model, "
                "e.g. --base-url http://127.0.0.1:8000/v1 --model qwen3-8b"
            )
        try:
            return Endpoint(
                base_url=self.base_url,
                model=self.model,
                api_key=self.api_key,
                timeout_s=self.timeout,
                deadline_s=self.timeout * (self.retries + 1) + 60.0 * self.retries,
                max_retries=self.retries,
                concurrency=self.concurrency,
                sampling=self.sampling,
            )
        except ValidationError as error:
            raise UsageError(_first(error)) from error


_OF_ENSEMBLES = frozenset(
    {"judge", "members", "samples", "rule", "quorum", "anchor", "slack", "meta", "options"}
)


def make_settings(given: Mapping[str, Any], where: str = "") -> JudgeSettings:
    """Settings from names and values.

    Raises UsageError naming the known settings when a name is unknown, or the setting whose value
    does not fit; `where` says where they came from.
    """
    known = JudgeSettings.model_fields
    prefix = f"{where}: " if where else ""
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        raise UsageError(prefix + _unknown(unknown))
    try:
        return JudgeSettings.model_validate(dict(given))
    except ValidationError as error:
        raise UsageError(prefix + _first(error)) from error


def load_settings(
    file: Path | None = None, flags: Mapping[str, Any] | None = None
) -> JudgeSettings:
    """Settings from a YAML file, with `flags` in place of what the file says.

    Of mappings (`sampling`, `options`) a flag replaces only the members that it names.
    """
    given: dict[str, Any] = read_yaml(file) if file is not None else {}
    if file is not None:
        make_settings(given, str(file))  # so that a mistake in the file is told of the file
    for name, value in (flags or {}).items():
        known = given.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            value = {**known, **value}
        given[name] = value
    return make_settings(given)


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """`["orders=4", "options.beam=2"]` as names and values.

    Values are JSON, and text when they are not. A name with a dot sets a member of a mapping.
    """
    given: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        name, dot, inner = name.strip().replace("-", "_").partition(".")
        if not equals or not name or (dot and not inner):
            raise UsageError(f"--set wants name=value, such as --set orders=4; got {assignment!r}")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if dot:
            value = {**given.get(name, {}), inner: value}
        given[name] = value
    return given


def _unknown(names: Iterable[str]) -> str:
    known = ", ".join(JudgeSettings.model_fields)
    return f"no setting {', '.join(names)}; known settings: {known}"


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"setting {place}: {first['msg']}" if place else str(first["msg"])
