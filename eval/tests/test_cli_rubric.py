"""`telejudge rubric`: what can be asked of it without the embedding model."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from telejudge_envs.errors import UsageError
from telejudge_eval.cli.app import app
from telejudge_judges.rubric.hits import Observation, record
from telejudge_judges.rubric.items import starter_sets


def ask(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["rubric", *arguments], env={"COLUMNS": "240"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_list_shows_all_items_or_those_of_a_world(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("world: moon\nitems: [{id: dusty, text: It dusted., about: tools}]")
    everything = ask("list", "--rubrics", str(own))
    for item in starter_sets().items:
        assert item.id in everything
    assert "dusty" in everything
    only = ask("list", "--rubrics", str(own), "--no-starter", "--world", "moon")
    assert "1 items, 0 cases" in only
    assert "bs-closed" not in only
    with pytest.raises(UsageError, match="no rubrics"):
        ask("list", "--no-starter")


def test_hits_say_what_is_dropped(tmp_path: Path) -> None:
    seen = tmp_path / "seen.jsonl"
    counted = {"bs-idle-reads": (30, 0), "bs-one-visit": (3, 4), "bs-work-order-lock": (0, 90)}
    rows = [Observation(group_id="g", item=i, yes=y, no=n) for i, (y, n) in counted.items()]
    draft = Observation(group_id="g", item="draft-1", text="It was polite.", yes=1, no=1)
    record(seen, [*rows, draft])
    lines = ask("hits", str(seen)).splitlines()
    fate = {
        name: next(line for line in lines if name in line) for name in (*counted, "It was polite.")
    }
    assert "100%" in fate["bs-idle-reads"]
    assert "dropped" in fate["bs-idle-reads"]
    assert "too few" in fate["bs-one-visit"]
    assert "core" in fate["bs-work-order-lock"]
    assert "not in the files" in fate["It was polite."]
    assert "dropped" not in ask("hits", str(seen), "--most", "1")


def test_an_embedding_endpoint_needs_its_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--model"):
        ask("index", "--base-url", "http://127.0.0.1:1/v1", "--out", str(tmp_path))
