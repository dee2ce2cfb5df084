"""Start a command as its user does, stop it in the middle, and compare what comes out."""

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

COMMAND = [sys.executable, "-m", "telejudge_eval.cli.app"]
ENVIRONMENT = os.environ | {
    "COLUMNS": "100",
    "NO_COLOR": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
}
TIMELESS = ("seconds",)


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
        assert process.poll() is None, f"over before it was stopped: {process.communicate()}"
        assert time.monotonic() < deadline, "nothing began"
        time.sleep(0.005)
    if case.number == signal.SIGTERM:
        os.kill(process.pid, case.number)
    else:
        os.killpg(process.pid, case.number)
    _, told = process.communicate(timeout=120)
    killed = case.number == signal.SIGKILL
    assert process.returncode == (-signal.SIGKILL if killed else 130), told
    return told


def timeless(path: Path) -> list[str]:
    """The records of a file, in any order, without how long things took."""
    text = path.read_text(encoding="utf-8")
    records = [text] if path.suffix == ".json" else text.splitlines()
    return sorted(json.dumps(without_times(json.loads(one)), sort_keys=True) for one in records)


def without_times(value: object) -> object:
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMELESS}
    return [without_times(v) for v in value] if isinstance(value, list) else value
