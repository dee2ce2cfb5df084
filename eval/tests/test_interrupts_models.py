"""Commands that ask or train a model, stopped or killed in the middle and started again: they come
to the records of a run that nobody stopped, and ask for nothing twice that was answered."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from interrupt_harness import Case, holds, stop, timeless
from lm_eval_harness import tiny_model
from teleqna_harness import pack, raw
from typer.testing import CliRunner

from telejudge_envs import fake_endpoint as fake
from telejudge_eval import runs
from telejudge_eval.cli.app import app
from telejudge_judges import practice

SLOWLY_S = 0.05
"""For a reply, so that there is a middle to stop in."""

CASES = {
    "data annotate, killed": Case(
        "data annotate groups.jsonl --base-url {url} --model m --concurrency 2 --out a.jsonl",
        "a.jsonl",
        holds("a.jsonl.work.jsonl", 3),
        same=["a.jsonl"],
        number=signal.SIGKILL,
    ),
    "data distractors, killed": Case(
        "data distractors questions.jsonl --votes 1 --generate 2 --base-url {url} --model m"
        " --concurrency 2 --out d.jsonl",
        "d.jsonl",
        holds("d.jsonl.work.jsonl", 3),
        same=["d.jsonl"],
        number=signal.SIGKILL,
    ),
    "judge, killed": Case(
        "judge rollouts.jsonl --judge pointwise --base-url {url} --model m --concurrency 2"
        " --out v.jsonl",
        "v.jsonl",
        holds("v.jsonl", 2),
        alike=["v.jsonl"],
        number=signal.SIGKILL,
    ),
    "eval base, killed": Case(
        "eval base {url} --model m --teleqna TeleQnA.zip --choices 8 --problems 6 --tau2 2"
        " --base-station 2 --max-steps 3 --concurrency 2 --out b",
        "b",
        holds("b/items.jsonl", 4),
        alike=["b/result.json"],
        number=signal.SIGKILL,
    ),
    "data reer": Case(
        "data reer questions.jsonl --model tiny --most 12 --rounds 1 --candidates 2 --segments 2"
        " --segment-tokens 8 --out t.jsonl",
        "t.jsonl",
        holds("t.jsonl.work.jsonl", 2),
        same=["t.jsonl"],
    ),
    "train judge": Case(
        "train judge --kind bt --recipe smoke --rows pairs.jsonl --model tiny"
        " --set loop.max_steps=12 --set loop.checks=6 --run-dir j",
        "j",
        holds("j/metrics.jsonl", 6),
        same=["j/model/model.safetensors", "j/metrics.jsonl"],
    ),
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What commands read."""
    folder = tmp_path_factory.mktemp("shelf")
    pack(folder / "TeleQnA.zip", {f"question {n}": asked(n) for n in range(60)})
    questions = folder / "questions.jsonl"
    telejudge(f"data teleqna {folder / 'TeleQnA.zip'} --out {questions}")
    telejudge(f"data groups {questions} --out {folder / 'groups.jsonl'}")
    pairs = f"--for pairs --split train --out {folder / 'pairs.jsonl'}"
    telejudge(f"data rows {folder / 'groups.jsonl'} {pairs}")
    tiny_model(folder / "tiny")
    telejudge(
        "rollout --agent expert --split small --rollouts 2 --out " + str(folder / "rollouts.jsonl")
    )
    return folder


def asked(n: int) -> dict[str, str]:
    """Questions far from each other: near duplicates would all be in one split."""
    name = hashlib.sha256(str(n).encode()).hexdigest()[:40]
    options = ("Fibre", "Radio", "Copper", "Smoke")
    return raw("option 1: Fibre", *options, text=f"What carries call {name}?")


def model(request: dict[str, Any], _n: int) -> fake.Reply:
    """Answers by the request alone, whenever it comes: teacher, writer, solver, judge, agent."""
    time.sleep(SLOWLY_S)
    said = "\n".join(fake.texts(request))
    if practice.read_evidence(said) and "What carries call" not in said:
        return practice.answer(request)
    if "Write " in said:
        name = hashlib.sha256(said.encode()).hexdigest()[:12]
        return fake.say(json.dumps({"answers": [f"made up {name}", "made up as well"]}))
    if "Which answer is right?" in said:
        return fake.say("1")
    if "Would an expert accept" in said:
        return fake.say("0")
    found = re.findall(r" candidate (\w+)>.*?agent says:\n(.*?)\nended", said, re.DOTALL)
    if not found:
        return fake.say("A")
    entries = {n: {"answer": int("Fibre" in t), "tools": 1, "defects": []} for n, t in found}
    words = {name: f"{name} was read." for name, _ in found}
    reply = {"appraisals": words, "comparison": "They differ.", "verdicts": entries}
    return fake.say(json.dumps(reply))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[fake.FakeEndpoint]:
    with fake.FakeEndpoint(model) as server:
        yield server


def telejudge(words: str) -> None:
    """In this process: it has loaded already what takes seconds to load."""
    done = CliRunner().invoke(app, words.split(), catch_exceptions=False)
    assert done.exit_code == 0, done.output


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_stopped_command_asks_for_the_rest(
    name: str,
    shelf: Path,
    endpoint: fake.FakeEndpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    words = CASES[name].words.format(url=endpoint.base_url)
    case = CASES[name]._replace(words=words)
    whole, stopped = (tmp_path / where for where in ("whole", "stopped"))
    counts = []
    for folder in (whole, stopped):
        folder.mkdir()
        for file in shelf.iterdir():
            (folder / file.name).symlink_to(file)
        before = len(endpoint.requests)
        if folder == stopped:
            check_stopped(case, stop(case, folder), folder)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["telejudge", *words.split()])
        telejudge(words)
        counts.append(len(endpoint.requests) - before)
    record = runs.read(stopped / case.output)
    assert (record.state, len(record.starts)) == ("done", 2)
    assert record.figures.keys() == runs.read(whole / case.output).figures.keys()
    for file in case.same:
        assert (stopped / file).read_bytes() == (whole / file).read_bytes(), file
    for file in case.alike:
        assert timeless(stopped / file) == timeless(whole / file), file
    assert not list(stopped.glob("*.work.jsonl"))
    assert not record.figures.get("abstained")
    under_way = 16
    assert counts[0] <= counts[1] <= counts[0] + under_way, "only what was under way again"
    if (whole / f"{case.output}.card.md").exists():
        assert timeless_card(whole, case) == timeless_card(stopped, case)


@pytest.mark.slow
def test_what_ray_began_another_engine_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """That Ray itself goes on, agents/tests/test_ray_engine.py shows."""
    pytest.importorskip("ray", reason="Ray comes with the extra verl")
    words = "rollout --agent expert --rollouts 6 --out r.jsonl"
    on_ray = Case(f"{words} --engine ray --workers 1", "r.jsonl", holds("r.jsonl", 2))
    check_stopped(on_ray, stop(on_ray, tmp_path), tmp_path)
    begun = (tmp_path / "r.jsonl").read_bytes().count(b"\n")
    assert 2 <= begun < 240
    monkeypatch.chdir(tmp_path)
    telejudge(words)
    telejudge(words.replace("r.jsonl", "whole.jsonl"))
    assert timeless(tmp_path / "r.jsonl") == timeless(tmp_path / "whole.jsonl")


def timeless_card(folder: Path, case: Case) -> str:
    """Without the line that counts what this start asked."""
    text = (folder / f"{case.output}.card.md").read_text(encoding="utf-8")
    return re.sub(r"^.* in this run$", "", text, flags=re.MULTILINE)


def check_stopped(case: Case, told: str, folder: Path) -> None:
    record = runs.read(folder / case.output)
    if case.number == signal.SIGKILL:
        assert runs.state_of(record) == "killed"
        return
    assert "Traceback" not in told
    assert f"goes on from there:\n  telejudge {case.words}" in told
    assert record.state == "interrupted"
