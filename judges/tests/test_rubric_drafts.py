"""Items that a generator drafts, and items that are dropped by how often they were hit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rubric_harness import (
    answer,
    answers,
    asked,
    assert_right,
    client_at,
    judged,
    library,
    run,
    sample_rubrics,
)

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.store import Store
from telejudge_judges.rubric.draft import Drafter
from telejudge_judges.rubric.hits import Observation, read_hits
from telejudge_judges.rubric.judge import RubricJudge
from telejudge_judges.testing import SAMPLES, sample_group

DRAFTS = [
    {"text": "A call failed.", "about": "tools", "polarity": "bad", "weight": 0.1},
    {"text": "It fixed the APN.", "about": "tools", "polarity": "good", "weight": 0.3},
    {"text": "It was polite.", "about": "tools", "polarity": "good", "weight": 0.3},
]


def generator(reply: str) -> fake.FakeEndpoint:
    return fake.FakeEndpoint(lambda _r, _n: fake.say(reply))


def scorer(request: dict[str, Any], _n: int) -> fake.Reply:
    """Knows the drafts too: one tells candidates apart, one is true of all."""
    said = answers(request)
    for name, statement in asked(request).items():
        if statement == "It fixed the APN.":
            fixed = "fix_apn" in fake.texts(request)[0]
            said[name] = {"verdict": "yes" if fixed else "no", "step": None}
        elif statement == "It was polite.":
            said[name] = {"verdict": "yes", "step": None}
    return fake.say(json.dumps({"items": said}))


def test_drafts_that_tell_candidates_apart_count_and_the_others_do_not(tmp_path: Path) -> None:
    seen = tmp_path / "seen.jsonl"
    with generator(json.dumps({"items": DRAFTS})) as drafting:
        books = library(drafter=Drafter(client_at(drafting), count=3))
        verdict = judged(scorer, books=books, record=seen)
        plain = judged(answer)
        assert len(drafting.requests) == 1
    prompt = json.dumps(drafting.requests[0]["messages"])
    assert "No MMS." in prompt
    assert "It closed the case." in prompt
    assert "fix_roaming" not in prompt, "the generator must not see candidates"
    assert "1 of 2 drafted items told candidates apart" in verdict.notes, "one repeats an item"
    fixed = {t.id for t in SAMPLES if any(c.path for c in t.changes) and "apn" in str(t.messages)}
    for mine, before in zip(verdict.verdicts, plain.verdicts, strict=True):
        assert mine.tools is not None
        factor = 1.0 if mine.trajectory_id in fixed else 0.7
        assert mine.tools == pytest.approx((before.tools or 0) * factor)
    hits = read_hits([seen])
    assert hits["closed"].rate == 0.8
    drafted = {one.text: one.rate for one in hits.values() if one.text}
    assert drafted == {"It fixed the APN.": 0.4, "It was polite.": 1.0}


@pytest.mark.parametrize(
    "reply", ["I cannot.", '{"items": [{"text": "", "about": "x"}]}', '{"items": 3}']
)
def test_a_generator_that_fails_costs_a_note_only(reply: str) -> None:
    with generator(reply) as drafting:
        books = library(drafter=Drafter(client_at(drafting)))
        verdict = judged(answer, books=books)
    assert_right(verdict, sample_group())
    assert any("drafting rubrics failed" in note for note in verdict.notes)


def test_a_single_trajectory_costs_no_draft() -> None:
    with generator("{}") as drafting:
        judged(answer, sample_group(SAMPLES[0]), library(drafter=Drafter(client_at(drafting))))
    assert not drafting.requests


def test_items_that_tell_nothing_are_dropped_by_what_was_seen_before(tmp_path: Path) -> None:
    seen = tmp_path / "seen.jsonl"
    rubrics = sample_rubrics()
    for group in range(5):  # all samples begin with a look: "looked" is always true
        what = sample_group().model_copy(update={"id": f"g{group}"})
        judged(answer, what, record=seen)
    assert read_hits([seen])["looked"].yes == 25
    with fake.FakeEndpoint(answer) as server:
        judge = RubricJudge(client_at(server), library=library(rubrics, hits=[seen]))
        run(judge, sample_group())
    statements = list(asked(server.requests[0]).values())
    assert "It looked at picture messages first." not in statements
    assert "It waited for the weather." in statements, "the next best takes its place"
    assert "It closed the case." in statements


def test_observations_of_two_writers_are_not_worth_a_verdict(tmp_path: Path) -> None:
    seen = tmp_path / "seen.jsonl"
    with Store(seen, Observation):
        verdict = judged(answer, record=seen)
    assert_right(verdict, sample_group())
    assert any("hits not recorded" in note for note in verdict.notes)
