"""Is a judge good enough to be a reward? Measures against limits, and a reason for each failure.

    requirements = read_thresholds(Path("thresholds.toml"))
    admission = admit(result_path, requirements_path)
    admission.passed, admission.reasons

What was not measured does not pass, unless its requirement is optional.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from telejudge_envs.errors import DataError, MissingExtraError, UsageError
from telejudge_envs.nouns.admission import Admission, Finding
from telejudge_envs.nouns.base import Noun
from telejudge_eval.judge_eval.records import Measure, Result

DEFAULT = Path(__file__).parent / "thresholds.toml"

AT_ZERO = frozenset({"length_bias"})
"""Measures that are best at zero: their distance from it is held against the limit."""


class Requirement(Noun):
    """A limit below or above which a measure must not be."""

    min: float | None = None
    max: float | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _one_limit(self) -> Requirement:
        if (self.min is None) == (self.max is None):
            raise ValueError("give either min or max")
        return self


class Thresholds(Noun):
    """Requirements by source and measure."""

    compare: Literal["interval", "value"] = "interval"
    limits: dict[str, dict[str, Requirement]] = Field(min_length=1)


def read_thresholds(path: Path) -> Thresholds:
    """From TOML or YAML, by the file's ending. Raises UsageError for a broken file."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read the thresholds {path}: {error.strerror}") from error
    raw = dict(_parsed(path, text))
    try:
        compare = raw.pop("compare", "interval")
        return Thresholds.model_validate({"compare": compare, "limits": raw})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {place}: {first['msg']}") from error


def _parsed(path: Path, text: str) -> Mapping[str, Any]:
    if path.suffix.lower() in (".yaml", ".yml"):
        try:
            import yaml
        except ImportError as error:
            raise MissingExtraError("PyYAML", "endpoint") from error
        try:
            raw = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UsageError(f"{path} is no YAML: {error}") from error
    else:
        try:
            raw = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{path} is no TOML: {error}") from error
    if not isinstance(raw, dict):
        raise UsageError(f"{path} must hold limits by source and measure")
    return raw


def admit(result_path: Path, thresholds_path: Path | None = None) -> Admission:
    """Hold a stored result against thresholds (ours without a path)."""
    thresholds_path = thresholds_path or DEFAULT
    thresholds = read_thresholds(thresholds_path)
    result = read_result(result_path)
    findings = tuple(
        _finding(result, source, name, requirement, thresholds.compare)
        for source, by_name in thresholds.limits.items()
        for name, requirement in by_name.items()
    )
    return Admission(
        judge=result.judge,
        judge_version=result.judge_version,
        model=result.model,
        passed=all(finding.passed for finding in findings),
        findings=findings,
        result=result_path.name,
        result_sha256=_sha256(result_path),
        thresholds=thresholds_path.name,
        thresholds_sha256=_sha256(thresholds_path),
    )


def read_result(path: Path) -> Result:
    """A stored result. Raises DataError for another file."""
    try:
        return Result.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise DataError(
            f"{path} is no result of `telejudge eval judge` ({error.error_count()} problems)"
        ) from error


def _finding(
    result: Result, source: str, name: str, requirement: Requirement, compare: str
) -> Finding:
    sense: Literal["min", "max"] = "min" if requirement.min is not None else "max"
    limit = requirement.min if requirement.min is not None else requirement.max
    assert limit is not None, "a requirement has one limit"
    measure = _measure(result, source, name)
    held = None if measure is None else _held(measure, sense, name in AT_ZERO, compare)
    if held is None:
        passed, seen = requirement.optional, "it was not measured"
    else:
        passed = held >= limit if sense == "min" else held <= limit
        seen = f"it is {_told(measure)}"
    word = "at least" if sense == "min" else "at most"
    return Finding(
        source=source,
        measure=name,
        sense=sense,
        limit=limit,
        value=None if measure is None else measure.value,
        judged_by=held,
        passed=passed,
        reason=f"{name} on {source} must be {word} {limit:g}; {seen}",
    )


def _measure(result: Result, source: str, name: str) -> Measure | None:
    """Where all groups are of one source, `all` is that source."""
    known = result.measures
    own = known.get(source)
    if own is None and source == "all" and len(known) == 1:
        own = next(iter(known.values()))
    measure = (own or {}).get(name)
    return None if measure is None or measure.value is None else measure


def _held(measure: Measure, sense: str, at_zero: bool, compare: str) -> float | None:
    """The number held against the limit. Of a single group there is no interval: the value."""
    values = [measure.value]
    if compare == "interval":
        values += [measure.low, measure.high]
    known = [abs(v) if at_zero else v for v in values if v is not None]
    if not known:
        return None
    return min(known) if sense == "min" else max(known)


def _told(measure: Measure | None) -> str:
    if measure is None or measure.value is None:
        return "unknown"
    if measure.low is None or measure.high is None:
        return f"{measure.value:.3f}"
    return f"{measure.value:.3f} ({measure.low:.3f} to {measure.high:.3f})"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
