"""Every code block of README and docs/: Python runs, commands parse against the real command line,
the quick ones run, and the site builds. `pytest -s` shows the table of what was only parsed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from docs_blocks import PAGES, ROOT, Command, blocks, commands, parse
from typer.testing import CliRunner

from telejudge_envs.errors import MissingExtraError
from telejudge_eval.cli.app import app

QUICK = (
    ("tasks",), ("rollout",), ("judge",), ("report",), ("runs",), ("explain",), ("play",),
    ("import",), ("export",), ("eval", "agent"), ("data", "preview"),
)  # fmt: skip
"""Commands that take seconds with scripted agents and judges that need no endpoint."""

ELSEWHERE = ("vllm", "pip", "ray", ".", "export", "cd")
"""Not ours to check."""

BY_ENDPOINT = {"listwise", "pointwise", "pairwise", "scalar", "consistency", "rubric", "ensemble"}

NAMES = [page.name for page in PAGES]


@pytest.fixture(params=PAGES, ids=NAMES)
def page(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.mark.slow
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in one namespace for each page."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "docs"}
    for block in blocks(page):
        if block.language != "python":
            continue
        code = compile("\n" * (block.line - 1) + block.text, block.page, "exec")
        try:
            exec(code, names)
        except (ModuleNotFoundError, MissingExtraError) as error:
            pytest.skip(f"{block.page}:{block.line} parses; to run it: {error}")


def test_settings_parse(page: Path) -> None:
    readers = {"toml": tomllib.loads, "yaml": yaml.safe_load, "json": json.loads}
    for block in blocks(page):
        if block.language in readers:
            assert readers[block.language](block.text), f"{block.page}:{block.line} is empty"


def test_commands_exist_with_all_their_options(page: Path) -> None:
    wrong = []
    for command in commands(page):
        try:
            check(command)
        except Exception as error:
            said = getattr(error, "message", None) or error
            wrong.append(f"{command.where}: {' '.join(command.words)}: {said}")
    assert not wrong, "\n".join(wrong)


def check(command: Command) -> None:
    """Raises what is wrong with it."""
    program, *words = command.words
    program = Path(program).name or program
    if program == "telejudge":
        parse(command.words)
    elif program == "make":
        targets = (ROOT / "Makefile").read_text(encoding="utf-8")
        for word in words:
            assert "=" in word or f"\n{word}:" in targets, f"no target {word}"
    elif program.startswith("python"):
        script = next((word for word in words if word.endswith(".py")), None)
        assert script is None or (ROOT / script).is_file(), f"no file {script}"
    else:
        assert program in (*ELSEWHERE, "\0file"), f"{program} is unknown here"


@pytest.mark.parametrize(
    "line",
    [
        "rollout --out r.jsonl --no-such-option 3",
        "rollout",
        "no-such-command",
        "runs compare one",
        "eval agent r.jsonl --bootstrap many",
    ],
)
def test_a_line_that_would_not_run_does_not_parse(line: str) -> None:
    with pytest.raises(Exception, match=r"(?i)option|missing|no such|valid"):
        parse(("telejudge", *line.split()))


@pytest.mark.slow
def test_quick_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page as one session in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    told = []
    for command in commands(page):
        if command.words[0] != "telejudge":
            continue
        why = why_not(command)
        told.append((command, why))
        if why:
            continue
        if command.variables:
            in_a_process(command)
            continue
        done = CliRunner().invoke(app, list(command.words[1:]), input="q\n" * 3)
        assert done.exit_code == 0, f"{command.where}: {done.output[-2000:]}\n{done.exception!r}"
    for command, why in told:
        print(f"{command.where:<28} {why or 'runs':<34} {' '.join(command.words)[:90]}")
    if page.name in ("getting-started.md", "running.md"):
        assert sum(not why for _, why in told) >= 4, "the pages for beginners must run"


def why_not(command: Command) -> str:
    """Why a command is only parsed; empty for one that is to run."""
    given = parse(command.words)
    words = command.words[1:]
    if not any(words[: len(quick)] == quick for quick in QUICK):
        return "takes long, or goes on from what did"
    if given.get("world") == "base-station" and words[0] == "rollout":
        return "plays a thousand tasks"
    asked = given.get("base_url") or given.get("config") or given.get("judge") in BY_ENDPOINT
    if asked or given.get("agent") == "chat" or any("OTEL" in name for name in command.variables):
        return "needs an endpoint"
    for name in ("world", "judge"):
        if given.get(name) in ("router", "looks-first"):
            return "needs the page's own package"
    read = ("file", "files", "first", "second", "source", "sources")
    files = list(flat(given[name] for name in read if name in given))
    for file in files:
        if not Path(file).exists():
            return f"reads {Path(file).name}, made elsewhere"
    if str(given.get("agent", "")).startswith("local:"):
        return "reads a model, made elsewhere"
    return ""


def flat(values: Iterator[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from map(str, value)
        elif value is not None:
            yield str(value)


def in_a_process(command: Command) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "telejudge_eval.cli.app", *command.words[1:]],
        env=os.environ | command.variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command.where}: {done.stderr[-2000:]}"


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    site = tmp_path / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (site / "index.html").is_file()
    for name in NAMES[2:]:
        made = site / ("index.html" if name == "index.md" else f"{Path(name).stem}/index.html")
        assert made.is_file(), f"{name} is not on the site"
    shutil.rmtree(site)
