"""Every long command, stopped by Ctrl-C in the middle, as its user meets it: it says how to go on,
ends with status 130, and started again comes to the bytes of a run that nobody stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

from telejudge_eval.cli.long_command import long_command
from telejudge_eval.runs import read

COMMAND = [sys.executable, "-m", "telejudge_eval.cli.app"]
ENVIRONMENT = os.environ | {
    "COLUMNS": "100",
    "NO_COLOR": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
}
TIMELESS = ("seconds",)

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


class Case(NamedTuple):
    """A command; `seen` tells that its work has begun; `same` are the files (under the folder
    where it runs) that must come out byte by byte, `alike` those of records without their times."""

    words: str
    output: str
    seen: Callable[[Path], bool]
    same: Sequence[str] = ()
    alike: Sequence[str] = ()
    number: int = signal.SIGINT


def holds(name: str, lines: int) -> Callable[[Path], bool]:
    """Whether a file under the folder has so many lines."""

    def look(folder: Path) -> bool:
        path = folder / name
        return path.exists() and path.read_bytes().count(b"\n") >= lines

    return look


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


def stop(case: Case, folder: Path) -> str:
    """Start, stop in the middle as a terminal does (the whole group of processes), and return what
    went to standard error."""
    process = subprocess.Popen(
        [*COMMAND, *case.words.split()],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 300
    while not case.seen(folder):
        assert process.poll() is None, "over before it was stopped"
        assert time.monotonic() < deadline, "nothing began"
        time.sleep(0.005)
    if case.number == signal.SIGINT:
        os.killpg(process.pid, case.number)
    else:
        os.kill(process.pid, case.number)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    return told


def timeless(path: Path) -> list[str]:
    """The records of a file, in any order, without how long things took."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return sorted(json.dumps(without_times(json.loads(line)), sort_keys=True) for line in lines)


def without_times(value: object) -> object:
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMELESS}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def test_a_command_that_cannot_go_on_does_not_say_so(capsys) -> None:
    @long_command("made-up", resumes=False)
    def command() -> None:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit):
        command()
    told = capsys.readouterr().err
    assert "Nothing is kept; this starts again" in told
    assert "goes on" not in told
