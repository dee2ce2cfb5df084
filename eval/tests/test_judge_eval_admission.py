"""Admission: limits held against measures, and the trainer that asks for the record."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from judge_eval_harness import group, mark

from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.admission import Admission
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_eval.judge_eval.admission import DEFAULT, admit, read_thresholds
from telejudge_eval.judge_eval.measure import measures
from telejudge_eval.judge_eval.metrics import metrics
from telejudge_eval.judge_eval.records import Measure, Result
from telejudge_judges.verifier import Verifier
from telejudge_training.admission import require_admission
from telejudge_training.embedded import train_embedded
from telejudge_training.recipe import smoke


def stored(folder: Path, **values: Any) -> Path:
    """A result with these measures of source `q`: a value, or (value, low, high)."""
    made = {}
    for name, value in values.items():
        value, low, high = value if isinstance(value, tuple) else (value, None, None)
        made[name] = Measure(value=value, low=low, high=high)
    result = Result(judge="listwise", judge_version="1+abc", model="m", measures={"q": made})
    path = folder / "result.json"
    path.write_text(result.model_dump_json())
    return path


def limits(folder: Path, text: str, name: str = "limits.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def judged(folder: Path, text: str, **values: Any) -> Admission:
    return admit(stored(folder, **values), limits(folder, text))


def test_the_worse_end_of_the_interval_decides(tmp_path):
    text = "[q]\naccuracy = { min = 0.7 }\nabstention = { max = 0.1 }"
    fine = judged(tmp_path, text, accuracy=(0.8, 0.71, 0.9), abstention=(0.02, 0.0, 0.1))
    assert fine.passed
    assert fine.reasons == ()
    unsure = judged(tmp_path, text, accuracy=(0.8, 0.69, 0.9), abstention=(0.02, 0.0, 0.11))
    assert not unsure.passed
    assert [f.judged_by for f in unsure.findings] == [0.69, 0.11]
    assert unsure.reasons[0] == ("accuracy on q must be at least 0.7; it is 0.800 (0.690 to 0.900)")


def test_the_value_may_decide_instead(tmp_path):
    text = 'compare = "value"\n[q]\naccuracy = { min = 0.7 }'
    assert judged(tmp_path, text, accuracy=(0.8, 0.1, 0.9)).passed


def test_what_is_best_at_zero_is_held_by_its_distance(tmp_path):
    text = "[q]\nlength_bias = { max = 0.05 }"
    assert judged(tmp_path, text, length_bias=(0.0, -0.04, 0.04)).passed
    assert not judged(tmp_path, text, length_bias=(-0.06, -0.08, -0.04)).passed


def test_what_was_not_measured_does_not_pass_unless_optional(tmp_path):
    missing = judged(tmp_path, "[q]\nece = { max = 0.1 }", accuracy=1.0)
    assert not missing.passed
    assert "not measured" in missing.reasons[0]
    assert judged(tmp_path, "[q]\nece = { max = 0.1, optional = true }", accuracy=1.0).passed
    assert not judged(tmp_path, "[r]\naccuracy = { min = 0.1 }", accuracy=1.0).passed


def test_all_is_the_only_source_where_there_is_one(tmp_path):
    assert judged(tmp_path, "[all]\naccuracy = { min = 0.7 }", accuracy=0.7).passed


def test_yaml_says_the_same_as_toml(tmp_path):
    yaml = limits(tmp_path, "compare: value\nq:\n  accuracy: {min: 0.7}\n", "limits.yaml")
    toml = limits(tmp_path, 'compare = "value"\n[q]\naccuracy = { min = 0.7 }')
    assert read_thresholds(yaml) == read_thresholds(toml)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[q]\naccuracy = { min = 0.7, max = 0.8 }", "either min or max"),
        ("[q]\naccuracy = { least = 0.7 }", "q.accuracy"),
        ("[q]\naccuracy = 0.7", "q.accuracy"),
        ('compare = "hope"\n[q]\naccuracy = { min = 0.7 }', "compare"),
        ("", "limits"),
        ("[q", "no TOML"),
    ],
)
def test_broken_thresholds_are_explained(tmp_path, text, told):
    with pytest.raises(UsageError, match=told):
        read_thresholds(limits(tmp_path, text))


def test_a_file_that_is_no_result_is_explained(tmp_path):
    with pytest.raises(DataError, match="no result"):
        admit(limits(tmp_path, "{}", "result.json"))


def test_the_shipped_thresholds_name_measures_that_exist():
    results = [group(mark(0, 0), mark(0, 0)), group(mark(1, 1))]
    known = {metric.name for metric in metrics(results)}
    thresholds = read_thresholds(DEFAULT)
    assert set(thresholds.limits) == {"all"}
    assert set(thresholds.limits["all"]) <= known


def test_the_shipped_thresholds_refuse_a_coin_and_who_knows_one_winner_only(tmp_path):
    """Both a coin and a judge that always names the first of two fail, with their reasons."""
    coin = [group(mark(i % 2, i // 2 % 2), mark(0, i % 2), name=f"g{i}") for i in range(40)]
    result = Result(judge="coin", judge_version="1", measures=measures(coin, samples=200))
    path = tmp_path / "result.json"
    path.write_text(result.model_dump_json())
    admission = admit(path)
    assert not admission.passed
    assert any(reason.startswith("accuracy on all") for reason in admission.reasons)


# -- the trainer


class Listwise:
    name, version = "listwise", "1+abc"

    async def judge(self, group: Any) -> Any:
        raise AssertionError("only its name is asked for")


def record(folder: Path, passed: bool) -> Path:
    text = f"[q]\naccuracy = {{ min = {0.5 if passed else 0.9} }}"
    path = folder / "admission.json"
    path.write_text(judged(folder, text, accuracy=0.7).model_dump_json())
    return path


def test_the_verifier_needs_no_record():
    note = require_admission(Verifier(lambda name: Tau2Telecom()), None)
    assert note["admitted"]
    assert not note["admitted_anyway"]


def test_a_judge_that_passed_is_admitted(tmp_path):
    path = record(tmp_path, passed=True)
    note = require_admission(Listwise(), path)
    assert note["admitted"]
    assert note["record_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_judge_that_failed_is_refused_with_reasons_or_stored_as_admitted_anyway(tmp_path):
    path = record(tmp_path, passed=False)
    with pytest.raises(UsageError, match=r"accuracy on q must be at least 0\.9; it is 0\.700"):
        require_admission(Listwise(), path)
    note = require_admission(Listwise(), path, admit_anyway=True)
    assert (note["admitted"], note["admitted_anyway"]) == (False, True)
    assert note["reasons_against"] == ["accuracy on q must be at least 0.9; it is 0.700"]


def test_a_judge_without_a_record_or_with_that_of_another_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no admission test"):
        require_admission(Listwise(), None)
    path = record(tmp_path, passed=True)
    newer = Listwise()
    newer.version = "2"
    with pytest.raises(UsageError, match=r"is a test of listwise 1\+abc, and training would use"):
        require_admission(newer, path)
    with pytest.raises(DataError, match="no admission record"):
        require_admission(Listwise(), limits(tmp_path, "{}", "other.json"))


@pytest.mark.slow
def test_run_json_tells_of_every_admission(tmp_path):
    """Also of those that a resumed run brought along."""
    recipe = smoke().with_(
        shape={"hidden": 16, "intermediate": 32, "heads": 2},
        demonstrations={"count": 4},
        grpo={"steps": 0},
        evaluation={"tasks": 1, "rollouts": 1},
    )
    world = Tau2Telecom()
    verifier = Verifier(lambda name: world)
    folder = tmp_path / "run"
    for note in ({"admitted": True}, {"admitted": True}, {"admitted_anyway": True}):
        train_embedded(recipe, world, verifier, folder, 0, None, note)
    held = json.loads((folder / "run.json").read_text())
    assert held["admissions"] == [{"admitted": True}, {"admitted_anyway": True}]
