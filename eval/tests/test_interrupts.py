"""Every long command, stopped by Ctrl-C in the middle, as its user meets it: it says how to go on,
ends with status 130, and started again comes to the bytes of a run that nobody stopped."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
import typer
from interrupt_harness import COMMAND, ENVIRONMENT, Case, holds, stop, timeless
from pydantic import BaseModel, field_serializer
from typer.testing import CliRunner

from telejudge_eval.cli.app import app
from telejudge_eval.cli.long_command import long_command
from telejudge_eval.runs import read

RECIPE = """
from telejudge_training.recipe import smoke

recipe = smoke().with_(
    shape={"hidden": 32, "intermediate": 64, "heads": 2},
    demonstrations={"count": 16},
    grpo={"steps": 6, "tasks_per_step": 2, "checkpoint_every": 1},
    evaluation={"rollouts": 1, "tasks": 4, "bootstrap": 100},
    processes=1,
)
"""


CASES = {
    "rollout": Case(
        "rollout --agent engineer --rollouts 12 --out r.jsonl",
        "r.jsonl",
        holds("r.jsonl", 20),
        alike=["r.jsonl"],
    ),
    "rollout, stopped by SIGTERM": Case(
        "rollout --agent engineer --rollouts 12 --out r.jsonl",
        "r.jsonl",
        holds("r.jsonl", 20),
        number=signal.SIGTERM,
    ),
    "judge": Case(
        "judge rollouts.jsonl --judge verifier --concurrency 1 --out v.jsonl",
        "v.jsonl",
        holds("v.jsonl", 2),
        alike=["v.jsonl"],
    ),
    "eval judge": Case(
        "eval judge --judge verifier --concurrency 1 --rollouts rollouts.jsonl "
        "--bootstrap 100 --padding 0 --attacks 0 --out e",
        "e",
        lambda folder: any(
            path.read_bytes().count(b"\n") >= 2 for path in (folder / "e").glob("*.jsonl")
        ),
        alike=["e/judged.jsonl"],
    ),
    "data corruptions": Case(
        "data corruptions --count 160 --processes 1 --out c.jsonl",
        "c.jsonl",
        holds("c.jsonl.work.jsonl", 2),
        same=["c.jsonl"],
    ),
    "data trajectories": Case(
        "data trajectories --world base-station --train 18 --dev 0 --test 0 --faults 0"
        " --processes 2 --out g.jsonl",
        "g.jsonl",
        holds("g.jsonl.work.jsonl", 1),
        same=["g.jsonl"],
    ),
    "train agent": Case(
        "train agent --recipe recipe.py --judge verifier --run-dir t",
        "t",
        lambda folder: (folder / "t/train/checkpoint/state.pt").exists(),
        # that it ends with the same weights, test_embedded_pipeline.py proves
    ),
    "train embedded-judge": Case(
        "train embedded-judge --recipe smoke --set sparring.rounds=0 --set learning.steps=16"
        " --set learning.check=4 --groups groups.jsonl --run-dir j",
        "j",
        holds("j/train/metrics.jsonl", 2),
        same=["j/judge/model.safetensors"],
    ),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What commands read."""
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "recipe.py").write_text(RECIPE)
    telejudge(folder, "rollout --agent expert --split test --rollouts 6 --out rollouts.jsonl")
    telejudge(
        folder,
        "data trajectories --world tau2-telecom --train 30 --dev 6 --test 0 --faults 0"
        " --processes 1 --out groups.jsonl",
    )
    return folder


def telejudge(folder: Path, words: str) -> None:
    done = subprocess.run(
        [*COMMAND, *words.split()],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_stopped_command_goes_on_and_ends_the_same(name: str, shelf: Path, tmp_path: Path):
    case = CASES[name]
    whole, stopped = (tmp_path / where for where in ("whole", "stopped"))
    for folder in (whole, stopped):
        folder.mkdir()
        for file in shelf.iterdir():
            (folder / file.name).symlink_to(file)
    told = stop(case, stopped)
    assert "Traceback" not in told
    assert f"goes on from there:\n  telejudge {case.words}" in told
    record = read(stopped / case.output)
    assert (record.state, len(record.starts)) == ("interrupted", 1)
    telejudge(stopped, case.words)
    record = read(stopped / case.output)
    assert (record.state, len(record.starts)) == ("done", 2)
    assert record.figures
    if not (case.same or case.alike):
        return
    telejudge(whole, case.words)
    assert read(whole / case.output).figures.keys() == record.figures.keys()
    for file in case.same:
        assert (stopped / file).read_bytes() == (whole / file).read_bytes(), file
    for file in case.alike:
        assert timeless(stopped / file) == timeless(whole / file), file
    assert not list(stopped.glob("*.work.jsonl"))


def test_a_command_that_cannot_go_on_does_not_say_so(capsys) -> None:
    @long_command("made-up", resumes=False)
    def command() -> None:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit):
        command()
    told = capsys.readouterr().err
    assert "Nothing is kept; this starts again" in told
    assert "goes on" not in told


JUDGE_DATA = "telejudge_training.judge_data"


@pytest.mark.parametrize(
    ("words", "work"),
    [
        ("data teleqna t.zip --out o", f"{JUDGE_DATA}.questions.write_questions"),
        ("data groups q.jsonl --out o", f"{JUDGE_DATA}.qa_groups.write_answer_groups"),
        ("data rows g.jsonl --out o", f"{JUDGE_DATA}.making_rows.write_judge_data"),
        ("data math --own-problems --out o", f"{JUDGE_DATA}.policy_rows.write_policy_rows"),
        ("data annotate g.jsonl --out o", f"{JUDGE_DATA}.annotate.annotate_by_truth"),
        ("import tau2 r.json --out o", "telejudge_envs.tau2_telecom.recorded.import_recorded"),
        ("validate --out o", "telejudge_envs.base_station.validate.validate_all"),
    ],
)
def test_those_that_write_at_once_say_that_they_start_again(
    words: str, work: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(work, stopped)
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 130
    assert "Nothing is kept; this starts again" in done.output
    assert [file.name for file in tmp_path.iterdir()] == ["o.run.json"]
    assert read(tmp_path / "o").state == "interrupted"


def in_torch_save() -> None:
    try:
        raise KeyboardInterrupt
    finally:
        raise RuntimeError("half a file")


def in_pydantic() -> None:
    class Stopping(BaseModel):
        name: str = "x"

        @field_serializer("name")
        def stop(self, _: str) -> str:
            raise KeyboardInterrupt

    Stopping().model_dump_json()


@pytest.mark.parametrize("where", [in_torch_save, in_pydantic])
def test_a_stop_that_turned_into_another_error_is_a_stop(where, capsys) -> None:
    command = long_command("made-up")(where)
    with pytest.raises(typer.Exit) as ended:
        command()
    assert ended.value.exit_code == 130
    assert "goes on from there" in capsys.readouterr().err
