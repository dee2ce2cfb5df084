"""A judge that failed its admission test is no reward, unless somebody insists and it is recorded.

In: a judge and the record of its test (`telejudge eval admission` writes it). Out: what run.json
says about it; or a UsageError with the reasons.

    note = require_admission(judge, Path("admission.json"), admit_anyway=False)
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.admission import Admission
from telejudge_judges.embedded import SHIPPED
from telejudge_judges.protocol import Judge
from telejudge_judges.settings import JudgeSettings

NEEDS_NONE = frozenset({"verifier"})
"""Judges that are the ground truth which others are tested against."""

PAYING = frozenset({"tau2-telecom"})
"""Worlds in which the shipped embedded judge pays unless somebody chooses. A judge that passes on
fixed groups may still be cheated by an agent that is trained against it; here that was tried for
long. On base stations, where it was tried for thirty steps, it has to be asked for
(docs/embedded-judge.md)."""


def require_admission(
    judge: Judge, record: Path | None, *, admit_anyway: bool = False
) -> dict[str, Any]:
    """What to store of the admission of the judge that training uses.

    Raises UsageError when the judge needs a record and has none, when the record is of another
    judge or of another version of it, or when it did not pass; with `admit_anyway` all this is
    stored instead. Raises DataError for a file that is no record.
    """
    against = _against(judge, record)
    if against and not admit_anyway:
        told = "".join(f"\n  {reason}" for reason in against)
        raise UsageError(
            f"judge {judge.name} is not admitted as a reward:{told}\n"
            "choose another judge, or insist with --admit-anyway, and run.json will say so"
        )
    return {
        "judge": judge.name,
        "judge_version": judge.version,
        "record": None if record is None else record.name,
        "record_sha256": None if record is None else _sha256(record),
        "admitted": not against,
        "reasons_against": against,
        "admitted_anyway": bool(against),
    }


def shipped_admission(settings: JudgeSettings, world: str) -> Path | None:
    """The record that comes with the shipped embedded judge for a world; None: there is none, or
    another judge is meant."""
    if settings.judge != "embedded" or settings.folder is not None:
        return None
    path = SHIPPED / f"admission-{world}.json"
    return path if path.is_file() else None


def default_judge(world: str) -> JudgeSettings:
    """What pays for training in a world unless somebody chooses: the embedded judge where that was
    tried and it is admitted, else the verifier."""
    embedded = JudgeSettings(judge="embedded")
    record = shipped_admission(embedded, world)
    admitted = record is not None and read_admission(record).passed
    return embedded if admitted and world in PAYING else JudgeSettings()


def _against(judge: Judge, record: Path | None) -> list[str]:
    """Why the judge should not be used."""
    if record is None:
        if judge.name in NEEDS_NONE:
            return []
        return [
            "no admission test was given: run `telejudge eval judge` and `telejudge eval "
            "admission`, then give --judge-admission FILE"
        ]
    admission = read_admission(record)
    tested = f"{admission.judge} {admission.judge_version}"
    used = f"{judge.name} {judge.version}"
    if tested != used:
        return [f"{record} is a test of {tested}, and training would use {used}"]
    return [] if admission.passed else list(admission.reasons)


def read_admission(path: Path) -> Admission:
    """Raises DataError for a file that cannot be read or is no admission record."""
    try:
        return Admission.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise DataError(
            f"{path} is no admission record ({error.error_count()} problems); "
            "`telejudge eval admission` writes one"
        ) from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
