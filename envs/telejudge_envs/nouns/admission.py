"""Whether a judge may be used as a reward: what was asked of it, and how it did."""

from __future__ import annotations

from typing import Literal

from telejudge_envs.nouns.base import SCHEMA_VERSION, Noun


class Finding(Noun):
    """One requirement and how it was met. `judged_by` is the number that was held against `limit`:
    the measure itself, or the worse end of its interval; None when it was not measured."""

    source: str
    measure: str
    sense: Literal["min", "max"]
    limit: float
    value: float | None
    judged_by: float | None
    passed: bool
    reason: str


class Admission(Noun):
    """The outcome of an admission test of one judge, as it was then (`judge_version`).

    `result` names the stored evaluation, `thresholds` the file of requirements; both with their
    SHA-256, so that it can be told whether they are still the same.
    """

    schema_version: int = SCHEMA_VERSION
    judge: str
    judge_version: str
    model: str = ""
    passed: bool
    findings: tuple[Finding, ...]
    result: str
    result_sha256: str
    thresholds: str
    thresholds_sha256: str

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not pass."""
        return tuple(finding.reason for finding in self.findings if not finding.passed)
