"""`telejudge data`: from questions and tasks to rows, through the commands alone."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from teleqna_harness import pack, raw
from typer.testing import CliRunner

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.errors import UsageError
from telejudge_eval.cli.app import app
from telejudge_training.judge_data.cards import read_card
from telejudge_training.judge_data.files import read_rows
from telejudge_training.judge_data.rows import (
    GroupRow,
    JudgeRow,
    PairRow,
    PolicyRow,
    QuestionRow,
    RankedRow,
)
from telejudge_training.judge_data.texts import Annotation, Distractor


def told(*words: object) -> str:
    result = CliRunner().invoke(app, ["data", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def teacher(request: dict[str, Any], n: int) -> fake.Reply:
    """Calls every answer right at first, and knows better when it is told; writes distractors."""
    asked = request["messages"]
    if "Write " in asked[1]["content"]:
        return fake.say(json.dumps({"answers": [f"made up {n}", "made up as well"]}))
    if "Which answer is right?" in asked[1]["content"]:
        return fake.say("1")
    if "Would an expert accept" in asked[1]["content"]:
        return fake.say("0")
    found = re.findall(r" candidate (\w+)>.*?agent says:\n(.*?)\nended", asked[1]["content"], re.S)
    first = len(asked) == 2
    entries = {
        name: {"answer": int(first or "Fibre" in text), "tools": 1, "defects": []}
        for name, text in found
    }
    words = {name: f"{name} was read." for name, _ in found}
    reply = {"appraisals": words, "comparison": "They differ.", "verdicts": entries}
    return fake.say(json.dumps(reply))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    here = tmp_path_factory.mktemp("data")
    options = ("Fibre", "Radio", "Copper", "Smoke")
    questions = {}
    for n in range(60):  # far from each other: near duplicates would all be in one split
        name = hashlib.sha256(str(n).encode()).hexdigest()[:40]
        text = f"What carries call {name}?"
        questions[f"question {n}"] = raw("option 1: Fibre", *options, text=text)
    points = "Both Fibre and Radio"
    questions["question 60"] = raw(f"option 3: {points}", "Fibre", "Radio", points, text="Which?")
    pack(here / "TeleQnA.zip", questions)
    told("teleqna", here / "TeleQnA.zip", "--out", here / "q.jsonl")
    told("groups", here / "q.jsonl", "--out", here / "g.jsonl", "--lengths", 0, "--none", 5)
    return here


def test_questions_and_groups(folder: Path):
    rows = list(read_rows(folder / "q.jsonl", QuestionRow))
    assert len(rows) == 61
    assert len({row.split for row in rows}) == 4
    groups = list(read_rows(folder / "g.jsonl", GroupRow))
    assert "lengths" not in {row.form for row in groups}
    card = read_card(folder / "g.jsonl")
    assert card is not None
    assert card.rows == len(groups)
    assert card.settings["none"] == "5.0"
    assert "| split |" in (folder / "g.jsonl.card.md").read_text()


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
@pytest.mark.parametrize(
    ("what", "noun"),
    [("listwise", JudgeRow), ("pointwise", JudgeRow), ("pairs", PairRow), ("ranked", RankedRow)],
)
def test_rows_for_every_trainer(folder: Path, what: str, noun: type, ending: str):
    out = folder / f"{what}.{ending}"
    shown = told("rows", folder / "g.jsonl", "--for", what, "--codec", "boxed", "--out", out)
    rows = list(read_rows(out, noun))
    assert rows
    assert f"{len(rows):,} rows of {noun.__name__}" in shown.replace("\n", " ")
    before = out.read_bytes()
    told("rows", folder / "g.jsonl", "--for", what, "--codec", "boxed", "--out", out, "--force")
    assert out.read_bytes() == before
    page = told("preview", out, "--count", 1)
    assert noun.__name__ in page
    assert "What carries call" in page


def test_filters_and_forms(folder: Path):
    out = folder / "one.jsonl"
    told("rows", folder / "g.jsonl", "--one-against-one", "--no-words", "--out", out)
    rows = list(read_rows(out, JudgeRow))
    assert {tuple(sorted(one.answer for one in row.shown)) for row in rows} == {(0, 1)}
    assert {json.loads(row.completion[0].content)["comparison"] for row in rows} == {""}
    told("rows", folder / "g.jsonl", "--split", "dev", "--no-replies", "--out", out)
    rows = list(read_rows(out, JudgeRow))
    assert {row.split for row in rows} == {"dev"}
    assert not any(row.completion for row in rows)
    for form, key in (("chat", "messages"), ("alpaca", "instruction")):
        told("rows", folder / "g.jsonl", "--form", form, "--out", folder / "form.jsonl")
        first = json.loads((folder / "form.jsonl").read_text().splitlines()[0])
        assert key in first
    told("rows", folder / "g.jsonl", "--most-tokens", 10, "--out", out)
    assert not list(read_rows(out, JudgeRow))


def test_a_teacher_and_a_writer_at_an_endpoint(folder: Path):
    with fake.FakeEndpoint(teacher) as server:
        where = ("--base-url", server.base_url, "--model", "m")
        ann, made = folder / "a.jsonl", folder / "d.jsonl"
        shown = told(
            "annotate", folder / "g.jsonl", "--most", 12, *where, "--price-in", 1, "--out", ann
        )
        table = told(
            "distractors", folder / "q.jsonl", "--most", 4, "--compare", *where, "--out", made
        )
    found = list(read_rows(ann, Annotation))
    outcomes = {one.outcome for one in found}  # "first" where everybody is right indeed
    assert "second" in outcomes
    assert outcomes <= {"first", "second"}
    assert "calls" in shown
    assert sum(one.cost_usd for one in found) > 0
    rows = folder / "ann.jsonl"
    told("rows", folder / "g.jsonl", "--annotations", ann, "--only-annotated", "--out", rows)
    assert {row.teacher for row in read_rows(rows, JudgeRow)} == {"m"}
    assert "Wrong answers on the same questions" in table
    assert re.search(r"real\s*│\s*12", table)
    kept = [row for row in read_rows(made, Distractor) if row.kept]
    assert kept
    told("groups", folder / "q.jsonl", "--distractors", made, "--out", folder / "more.jsonl")
    assert "made up" in (folder / "more.jsonl").read_text()


def test_the_truth_as_teacher_and_rows_for_the_agent(folder: Path):
    told("annotate", folder / "g.jsonl", "--judge", "pointwise", "--out", folder / "t.jsonl")
    assert {one.outcome for one in read_rows(folder / "t.jsonl", Annotation)} == {"template"}
    out = folder / "policy.parquet"
    told("math", "--own-problems", "--questions", folder / "q.jsonl", "--out", out)
    forms = {row.form for row in read_rows(out, PolicyRow)}
    assert forms == {"math", "mcq", "open"}


@pytest.mark.parametrize(
    "words",
    [
        "rows g.jsonl --for pointwise --codec tuple --no-words --no-reserved --out {}.parquet",
        "rows g.jsonl --one-against-one --orders 1 --split dev --split test --out {}.jsonl",
        "rows g.jsonl --no-replies --prompt brief.jinja --out {}.jsonl",
        "groups q.jsonl --all 1 --split train --out {}.jsonl",
        "annotate g.jsonl --judge pointwise --most 3 --out {}.jsonl",
        "math --own-problems --questions q.jsonl --mcq 0.5 --out {}.jsonl",
        "trajectories --train 2 --dev 0 --test 0 --faults 0 --world tau2-telecom --out {}.jsonl",
    ],
)
def test_the_command_of_a_card_makes_the_file_again(folder: Path, words: str, monkeypatch):
    monkeypatch.chdir(folder)
    brief = Path(__file__).parents[2] / "benchmarks/brief_judge.jinja"
    Path("brief.jinja").write_bytes(brief.read_bytes())
    told(*words.format("again").split())
    out = Path(words.format("again").split()[-1])
    card, before = read_card(out), out.read_bytes()
    assert card is not None
    out.unlink()
    told(*card.command.removeprefix("telejudge data ").split())
    assert out.read_bytes() == before
    for path in Path().glob("again*"):
        path.unlink()


def test_trajectories_of_a_world(tmp_path: Path):
    out = tmp_path / "g.jsonl"
    words = ("--world", "tau2-telecom", "--train", 3, "--dev", 0, "--test", 3, "--faults", 0,
             "--kinds", 3, "--experts", 3, "--processes", 1, "--sizes", "2,3")  # fmt: skip
    told("trajectories", *words, "--out", out)
    rows = list(read_rows(out, GroupRow))
    assert {row.split for row in rows} == {"train", "test"}
    assert {len(row.truths) for row in rows} <= {2, 3}
    assert "already" not in told("trajectories", *words, "--out", out)
    told("rows", out, "--for", "pairs", "--out", tmp_path / "p.parquet")
    assert all(row.margin > 0 for row in read_rows(tmp_path / "p.parquet", PairRow))


@pytest.mark.parametrize(
    "words",
    [
        ("trajectories", "--sizes", "1,2", "--out", "x.jsonl"),
        ("trajectories", "--reserve-kind", "wrong_tool", "--world", "tau2-telecom", "--out", "x"),
        ("rows", "{g}", "--split", "weekend", "--out", "x.jsonl"),
        ("rows", "{g}", "--language", "xx", "--out", "x.jsonl"),
        ("distractors", "{q}", "--out", "x.jsonl"),
        ("reer", "{q}", "--model", "nowhere", "--out", "x.jsonl"),
    ],
)
def test_wrong_wishes_are_refused(folder: Path, words: tuple[str, ...], monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    given = [w.format(g=folder / "g.jsonl", q=folder / "q.jsonl") for w in words]
    result = CliRunner().invoke(app, ["data", *given])
    assert isinstance(result.exception, UsageError), result.output
    assert not (tmp_path / "x.jsonl").exists()
