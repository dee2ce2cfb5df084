"""Annotations as words for rows: what teachers wrote, by the cohort that a prompt shows.

words, teacher = read_words(Path("annotations.jsonl"), "listwise")
words[row.cohort].appraisals["t1"]
"""

from __future__ import annotations

from pathlib import Path

from telejudge_training.judge_data.files import read_rows
from telejudge_training.judge_data.template_teacher import Words
from telejudge_training.judge_data.texts import Annotation

KEPT = ("first", "second", "oracle", "template")
"""Outcomes that make training targets."""


def read_words(path: Path, judge: str) -> dict[str, Words]:
    """Words by cohort. Raises DataError for a broken file."""
    return {
        one.cohort: Words(
            one.appraisals, one.comparison, licence=one.provenance.licence, teacher=one.teacher
        )
        for one in read_rows(path, Annotation)
        if one.outcome in KEPT and one.judge == judge
    }
