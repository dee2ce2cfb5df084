"""The whole path as a user goes it: three sources, two judges, tables, comparison, admission."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from teleqna_harness import pack, raw
from test_cli import telejudge

from telejudge_envs import store
from telejudge_envs.fake_endpoint import FakeEndpoint
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_envs.teleqna import Question
from telejudge_judges import practice

pytest.importorskip("pyzipper")
pytestmark = pytest.mark.slow

SOURCES = ("tau2-telecom", "base-station corruptions", "teleqna")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[object]:
    """The arguments that name one file of each source."""
    folder = tmp_path_factory.mktemp("sources")
    rollouts, corruptions = folder / "rollouts.jsonl", folder / "corruptions.jsonl"
    telejudge(
        "rollout", "--agent", "expert", "--split", "small", "--rollouts", 3, "--out", rollouts
    )
    telejudge(
        "data", "corruptions", "--world", "base-station", "--count", 40, "--processes", 1,
        "--out", corruptions,
    )  # fmt: skip
    asked = {
        f"question {n}": raw(f"option 2: B{n}", f"A{n}", f"B{n}", f"C{n}", text=f"Question {n}?")
        for n in range(60)
    }
    zipped = pack(folder / "q.zip", asked)
    return ["--rollouts", rollouts, "--corruptions", corruptions, "--teleqna", zipped]


@pytest.fixture(scope="module")
def evaluated(files, tmp_path_factory) -> Path:
    """A folder with the evaluations `verifier` and `practice` (the listwise judge)."""
    folder = tmp_path_factory.mktemp("evaluated")
    common = [*files, "--groups", 6, "--padding", 2, "--attacks", 1]
    telejudge("eval", "judge", "--judge", "verifier", *common, "--out", folder / "verifier")
    with FakeEndpoint(practice.answer) as server:
        model = ["--base-url", server.base_url, "--model", "practice", "--api-key", "sesame"]
        words = ["eval", "judge", "--judge", "listwise", *model, *common]
        shown = telejudge(*words, "--label", "rules", "--out", folder / "practice").stdout
        asked = len(server.requests)
        before = (folder / "practice/result.json").read_text()
        telejudge(*words, "--label", "rules", "--out", folder / "practice")
        assert len(server.requests) == asked, "a second call judged something again"
    assert before == (folder / "practice/result.json").read_text()
    for source in SOURCES:
        assert source in shown
    return folder


@pytest.mark.parametrize("command", ["judge", "compare", "table", "admission"])
def test_each_command_shows_an_example(command):
    shown = telejudge("eval", command, "--help").stdout
    assert f"Example: telejudge eval {command}" in re.sub(r"[\s│]+", " ", shown)


def result(folder: Path) -> dict:
    return json.loads((folder / "result.json").read_text())


def test_the_verifier_is_right_wherever_it_knows_the_world(evaluated):
    found = result(evaluated / "verifier")
    assert set(found["measures"]) == {"all", *SOURCES}
    for source in SOURCES[:2]:
        own = found["measures"][source]
        for name in ("accuracy", "exact_match", "kendall_tau", "defects_f1", "ranking"):
            assert own[name]["value"] == 1, (source, name)
        assert own["length_bias"]["value"] == own["abstention"]["value"] == 0
    assert found["measures"]["teleqna"]["abstention"]["value"] == 1
    assert found["measures"]["teleqna"]["accuracy"]["value"] == 0


def test_the_practice_judge_is_not(evaluated):
    found = result(evaluated / "practice")["measures"]
    assert found["all"]["abstention"]["value"] == 0
    assert found["all"]["accuracy"]["value"] < 1
    assert found["all"]["calls"]["value"] > 1
    assert found["teleqna"]["auc_answer"]["value"] == 0.5
    assert found["all"]["attack_success"]["value"] == 0
    assert found["all"]["attack_success"]["of"] > 40


def test_results_hold_neither_keys_nor_texts(evaluated):
    stored = (evaluated / "practice/result.json").read_text()
    assert "sesame" not in stored
    assert "Question" not in stored
    assert "telejudge eval judge --judge listwise" in stored


def test_tables_compare_and_report(evaluated, tmp_path):
    folders = [evaluated / "verifier", evaluated / "practice"]
    telejudge("eval", "table", *folders, "--out", tmp_path / "t.md", "--title", "Two judges")
    text = (tmp_path / "t.md").read_text()
    assert text.startswith("# Two judges\n")
    for source in SOURCES:
        assert f"## {source}\n" in text
    (line,) = re.findall(r"^\| Acc \(abstained: not right\) .*$", text.split("## teleqna")[1], re.M)
    assert line.split("|")[3].strip().startswith("0.0%")
    assert re.search(r"^\|  \| of \| verifier \| rules \|$", text, re.M)
    printed = telejudge("eval", "table", folders[1]).stdout
    assert printed.startswith("# Judges, evaluated")

    compared = telejudge("eval", "compare", *folders).stdout
    assert "rules beside verifier" in compared
    assert "McNemar" in compared

    page = tmp_path / "report.html"
    telejudge("report", evaluated / "practice/judged.jsonl", "--out", page)
    html = page.read_text()
    assert "missed by the judge" in html
    assert "true defects found" in html
    groups = list(store.read(evaluated / "practice/judged.jsonl", JudgedGroup))
    assert len(groups) == 18


def test_admission_and_the_trainer_that_reads_it(evaluated, tmp_path):
    failed = telejudge("eval", "admission", evaluated / "practice", check=False)
    assert failed.returncode == 1
    assert "did not pass" in failed.stdout
    assert "accuracy on all must be at least" in failed.stdout
    easy = tmp_path / "easy.yaml"
    easy.write_text("compare: value\nbase-station corruptions:\n  accuracy: {min: 0.9}\n")
    out = tmp_path / "verifier.json"
    words = ["eval", "admission", evaluated / "verifier", "--thresholds", easy, "--out", out]
    assert "passed" in telejudge(*words).stdout
    refused = telejudge(
        "train", "agent", "--recipe", "smoke", "--run-dir", tmp_path / "run",
        "--judge-admission", evaluated / "practice/admission.json", check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "is not admitted as a reward" in refused.stderr
    assert "--admit-anyway" in refused.stderr
    assert not (tmp_path / "run").exists()


def test_wrong_usage_explains_itself(files, evaluated, tmp_path):
    def told(*words: object) -> str:
        done = telejudge(*words, check=False)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        return re.sub(r"[\s│]+", " ", done.stderr)

    assert "nothing to judge" in told("eval", "judge", "--out", tmp_path / "o")
    assert "no judge 'veriier'" in told(
        "eval", "judge", "--judge", "veriier", *files, "--out", tmp_path / "o"
    )
    other = told("eval", "judge", "--seed", 5, *files, "--out", evaluated / "verifier")
    assert "choose another folder" in other
    assert "no result" in told("eval", "table", files[1])
    assert "cannot read" in told("eval", "admission", tmp_path / "nowhere.json")


def test_the_made_up_questions_reach_the_test_part():
    parts = {
        Question(number=n, text=f"Question {n}?", right="b", wrong=("a",), category="").part
        for n in range(60)
    }
    assert "test" in parts
