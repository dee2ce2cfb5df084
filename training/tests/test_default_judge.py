"""Which judge pays when nobody chooses: only one that passed its test and was tried there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from telejudge_judges.settings import JudgeSettings
from telejudge_training import admission
from telejudge_training.admission import default_judge, shipped_admission

RECORD = {
    "judge": "embedded",
    "judge_version": "1+x",
    "findings": [],
    "result": "r",
    "result_sha256": "0",
    "thresholds": "t",
    "thresholds_sha256": "0",
}


@pytest.fixture
def shipped(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(admission, "SHIPPED", tmp_path)
    for world, passed in (("tau2-telecom", True), ("base-station", True), ("moon", False)):
        text = json.dumps({**RECORD, "passed": passed})
        (tmp_path / f"admission-{world}.json").write_text(text)
    return tmp_path


def test_the_embedded_judge_pays_where_it_is_admitted_and_was_tried(shipped, monkeypatch):
    assert default_judge("tau2-telecom").judge == "embedded"
    assert default_judge("base-station").judge == "verifier"  # has to be asked for
    monkeypatch.setattr(admission, "PAYING", frozenset({"moon", "elsewhere"}))
    assert default_judge("moon").judge == "verifier"  # failed
    assert default_judge("elsewhere").judge == "verifier"  # was never tested


def test_records_are_of_the_shipped_judge_only(shipped, tmp_path):
    embedded = JudgeSettings(judge="embedded")
    path = shipped / "admission-tau2-telecom.json"
    assert shipped_admission(embedded, "tau2-telecom") == path
    assert shipped_admission(embedded.with_({"folder": tmp_path}), "tau2-telecom") is None
    assert shipped_admission(JudgeSettings(judge="listwise"), "tau2-telecom") is None
    assert shipped_admission(embedded, "elsewhere") is None
