"""The log that a run keeps beside its record."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
import typer

from telejudge_envs.progress import progress
from telejudge_eval.cli.long_command import begin, long_command

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO|WARNING) .+")


@pytest.fixture(autouse=True)
def _no_haste(monkeypatch) -> None:
    monkeypatch.setattr("telejudge_envs.progress.HASTE_S", 0.0)


@long_command("made-up")
def work(out: Path, *, folder: bool = True, steps: int = 3, stop: bool = False) -> None:
    begin(out, folder=folder)
    with progress("things") as update:
        for done in range(steps):
            update(done + 1, 3, "fine")
            if stop:
                logging.getLogger("somebody.else").warning("the disk is nearly full")
                raise KeyboardInterrupt


def test_a_run_tells_how_far_it_was_and_how_it_ended(tmp_path):
    work(tmp_path / "run")
    work(tmp_path / "run")  # as one that goes on
    lines = (tmp_path / "run" / "run.log").read_text().splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    told = [line.split(maxsplit=2)[2] for line in lines]
    assert told[-1] == "done"
    assert told.count("done") == 2
    assert "things 3/3, fine" in told


def test_warnings_are_kept_and_still_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with pytest.raises(typer.Exit):
        work(tmp_path / "x.jsonl", folder=False, stop=True)
    kept = (tmp_path / "x.jsonl.run.log").read_text()
    assert "WARNING the disk is nearly full" in kept
    assert kept.endswith("INFO interrupted\n")
    assert "the disk is nearly full" in capsys.readouterr().err
    assert logging.getLogger().handlers == []


def test_who_has_nothing_to_tell_leaves_no_log(tmp_path):
    work(tmp_path / "run", steps=0)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["record.json"]
    assert logging.getLogger("telejudge").level == logging.NOTSET


def test_a_bar_is_logged_as_lines(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    work(tmp_path / "run")
    assert "\x1b[" in capsys.readouterr().err
    assert "things 3/3, fine" in (tmp_path / "run" / "run.log").read_text()
