"""Teachers and writers at a scripted endpoint: two rounds, oracle, costs, restarts, distractors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from judge_data_harness import answer_groups, question_file

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_judges.settings import JudgeSettings
from telejudge_training.judge_data.annotate import Asked, annotate, annotate_by_truth
from telejudge_training.judge_data.annotations import read_words
from telejudge_training.judge_data.cards import Making
from telejudge_training.judge_data.distracting import comparison, write_distractors
from telejudge_training.judge_data.distractors import DistractorSettings
from telejudge_training.judge_data.files import read_rows, write_rows
from telejudge_training.judge_data.judge_rows import RowMaker
from telejudge_training.judge_data.questions import read_questions
from telejudge_training.judge_data.rows import GroupRow, JudgeRow
from telejudge_training.judge_data.teacher import TeacherSettings
from telejudge_training.judge_data.texts import Annotation, Distractor

ASKED = Asked(most=6)


@pytest.fixture
def group_path(tmp_path) -> Path:
    path = tmp_path / "g.jsonl"
    write_rows(path, answer_groups(tmp_path), GroupRow)
    return path


def client_at(server: fake.FakeEndpoint) -> ChatClient:
    return ChatClient(
        Endpoint(
            base_url=server.base_url, model="teacher-1", timeout_s=10, deadline_s=20,
            max_retries=0, breaker_after=0,
        )
    )  # fmt: skip


def told_by(truth: Callable[[str], int], words: str = "It fits.") -> fake.Script:
    """A teacher who knows from a candidate's text whether it is right. `truth`: of that text."""

    def script(request: dict[str, Any], n: int) -> fake.Reply:
        evidence = request["messages"][1]["content"]
        found = re.findall(r" candidate (\w+)>.*?agent says:\n(.*?)\nended", evidence, re.DOTALL)
        verdicts = {
            name: {"answer": truth(text), "tools": 1, "defects": []} for name, text in found
        }
        body = {
            "appraisals": {name: f"{name} says: {words}" for name, _ in found},
            "comparison": f"{found[0][0]} came first.",
            "verdicts": verdicts,
        }
        return fake.say(json.dumps(body))

    return script


def right(text: str) -> int:
    return int("alpha" in text)


def made(group_path: Path, script: fake.Script, **settings: Any):
    out = group_path.with_name("a.jsonl")
    with fake.FakeEndpoint(script) as server:
        card = annotate(
            [group_path], out, ASKED, client_at(server), TeacherSettings(**settings), force=True
        )
        return list(read_rows(out, Annotation)), card, server.requests


def test_a_teacher_who_is_right_is_asked_once(group_path):
    found, card, requests = made(group_path, told_by(right), price_in=2.0, price_out=8.0)
    assert [one.outcome for one in found] == ["first"] * 6
    assert len(requests) == 6
    for one in found:
        assert set(one.appraisals) == set(one.members)
        assert all(f"«{name}» says" in text for name, text in one.appraisals.items())
        assert (one.calls, one.prompt_tokens) == (1, 10)
        cost = (10 * 2.0 + one.completion_tokens * 8.0) / 1e6
        assert one.cost_usd == pytest.approx(cost)
    assert card.counts["outcome"] == {"first": 6}
    assert card.notes[0].startswith("6 calls, 60 prompt and")


@pytest.mark.parametrize("tell", [True, False])
def test_who_was_wrong_is_told_so_and_asked_again(group_path, tell):
    """In the first round everybody is called right; the second is true."""

    def script(request: dict[str, Any], n: int) -> fake.Reply:
        first = len(request["messages"]) == 2
        return told_by((lambda _text: 1) if first else right)(request, n)

    found, _, requests = made(group_path, script, tell_which=tell)
    rows = {row.id: row for row in read_rows(group_path, GroupRow)}
    for one in found:
        everybody = all(t.answer for t in rows[one.group_id].truths.values())
        assert one.outcome == ("first" if everybody else "second")
        assert one.calls == (1 if everybody else 2)
    second = [r["messages"] for r in requests if len(r["messages"]) == 4]
    assert second
    for messages in second:
        wish = messages[3]["content"]
        evidence = messages[1]["content"]
        names = re.findall(r" candidate (\w+)>", evidence)
        named = {name for name in names if re.search(rf"\b{name}\b", wish)}
        wrong = re.findall(r" candidate (\w+)>\ncalls: 0\nagent says:\n(?!.*alpha)", evidence)
        assert named == (set(wrong) if tell else set())


def test_who_is_wrong_twice_is_dropped_and_counted(group_path):
    found, card, _ = made(group_path, told_by(lambda text: 1 - right(text)))
    assert {one.outcome for one in found} == {"wrong"}
    assert not any(one.appraisals for one in found)
    assert card.counts["outcome"] == {"wrong": 6}
    assert read_words(group_path.with_name("a.jsonl"), "listwise") == {}


def test_an_unreadable_teacher_is_dropped_with_the_reason(group_path):
    found, _, _ = made(group_path, lambda request, n: fake.say("I would rather not say."))
    assert {one.outcome for one in found} == {"wrong"}
    assert all(one.detail.startswith("unreadable") for one in found)


def test_the_oracle_gives_the_answers_and_wants_no_word_of_it(group_path):
    found, _, requests = made(group_path, told_by(right), oracle=True)
    assert {one.outcome for one in found} == {"oracle"}
    assert all("The right answers are known" in r["messages"][1]["content"] for r in requests)
    found, _, _ = made(group_path, told_by(right, "I was given the answer."), oracle=True)
    assert {(one.outcome, one.detail) for one in found} == {
        ("wrong", "it speaks of what it was told")
    }


def test_what_failed_is_asked_again_and_nothing_else(group_path):
    out = group_path.with_name("a.jsonl")

    def broken(request: dict[str, Any], n: int) -> fake.Reply:
        return fake.fail(400) if n % 2 else told_by(right)(request, n)

    with fake.FakeEndpoint(broken) as server:
        card = annotate([group_path], out, ASKED, client_at(server), TeacherSettings())
    assert card.counts["outcome"] == {"failed": 3, "first": 3}
    with fake.FakeEndpoint(told_by(right)) as server:
        card = annotate([group_path], out, ASKED, client_at(server), TeacherSettings(), force=True)
        assert len(server.requests) == 3
    assert card.counts["outcome"] == {"first": 6}
    with fake.FakeEndpoint(told_by(right)) as server:
        annotate([group_path], out, ASKED, client_at(server), TeacherSettings())
        assert not server.requests
    assert not out.with_name("a.jsonl.work.jsonl").exists()


def test_rows_use_the_teachers_words_under_the_names_of_their_own_order(group_path):
    made(group_path, told_by(right), licence="CC-BY-4.0")
    words = read_words(group_path.with_name("a.jsonl"), "listwise")
    making = Making("rows", 0, {})
    maker = RowMaker("listwise", JudgeSettings(orders=2), making, words, only_annotated=True)
    rows: list[JudgeRow] = []
    for group in read_rows(group_path, GroupRow):
        rows += maker.rows(group)
    assert len({row.cohort for row in rows}) == 6
    for row in rows:
        told = json.loads(row.completion[0].content)
        names = {one.name for one in row.shown}
        assert told["appraisals"] == {name: f"{name} says: It fits." for name in names}
        assert told["comparison"].split()[0] in names
        assert row.teacher == "teacher-1"
        assert row.provenance.licence == "MIT AND CC-BY-4.0"
    firsts = {json.loads(r.completion[0].content)["comparison"] for r in rows if r.order == 0}
    assert len(firsts) > 1


def test_the_truth_teaches_without_an_endpoint(group_path):
    out = group_path.with_name("t.jsonl")
    card = annotate_by_truth([group_path], out, Asked(judge="pointwise"), seed=3)
    found = list(read_rows(out, Annotation))
    assert {one.outcome for one in found} == {"template"}
    assert {one.teacher for one in found} == {"key"}
    assert all(len(one.members) == 1 and one.appraisals for one in found)
    assert card.licences == {"MIT": len(found)}
    assert len({text for one in found for text in one.appraisals.values()}) > 10


# -- distractors


def writer(request: dict[str, Any], n: int) -> fake.Reply:
    """Writes three wrong answers, a right one and two that are known; solves by the longest."""
    asked = request["messages"][1]["content"]
    key = re.search(r"(?:Right answer|known to be right): (.*)", asked)
    if "wrong answers to this question" in asked:
        assert key
        answers = [
            "near miss",
            "a much longer near miss",
            "nonsense",
            "true too",
            key[1],
            "nonsense",
        ]
        return fake.say(f"Here: {json.dumps({'answers': answers})}")
    if "other wordings" in asked:
        assert key
        return fake.say(json.dumps({"answers": [f"that is {key[1]}", "something else"]}))
    if "Which answer is right?" in asked:
        options = re.findall(r"^(\d+)\. (.*)$", asked, re.MULTILINE)
        return fake.say(f"{max(options, key=lambda o: len(o[1]))[0]}.")
    assert "Would an expert accept" in asked
    answer = re.search(r"Another answer: (.*)", asked)
    assert answer
    return fake.say("1" if answer[1].startswith(("true", "that is")) else "0")


def test_distractors_are_ranked_checked_and_compared(tmp_path):
    questions, out = question_file(tmp_path), tmp_path / "d.jsonl"
    settings = DistractorSettings(keep=2, votes=2, paraphrases=2, compare=True, licence="CC0-1.0")
    with fake.FakeEndpoint(writer) as server:
        client = client_at(server)
        card = write_distractors(questions, out, settings, client, client, most=3)
    rows = list(read_rows(out, Distractor))
    first = [row for row in rows if row.question_id == rows[0].question_id]
    wrong = {row.text: row for row in first if row.kind == "wrong"}
    assert [(row.text, row.confidence) for row in first if row.kind == "wrong" and row.kept] == [
        ("a much longer near miss", 1.0),
        ("near miss", 0.0),
    ]
    assert wrong["nonsense"].detail == "ranked too low"
    assert wrong["true too"].detail == "right after all"
    assert sum(row.detail == "like a known answer" for row in wrong.values()) == 1
    kept = [row.text for row in first if row.kind == "paraphrase" and row.kept]
    assert len(kept) == 1
    assert kept[0].startswith("that is ")
    assert {row.provenance.licence for row in rows if row.kind == "wrong"} == {"MIT AND CC0-1.0"}
    assert card.counts["questions"] == {"done": 3}
    known = {question.id: question for question in read_questions(questions)}
    lines = {line.what: line for line in comparison(rows, known)}
    assert lines["kept"].believed == pytest.approx(0.5)
    assert lines["kept"].options == 6
    assert lines["real"].options == 9
    assert 0 <= lines["real"].believed <= 0.5


def test_distractors_go_on_where_they_were(tmp_path):
    questions, out = question_file(tmp_path), tmp_path / "d.jsonl"
    settings = DistractorSettings(votes=1)

    def broken(request: dict[str, Any], n: int) -> fake.Reply:
        asked = request["messages"][1]["content"]
        return fake.fail(400) if "paging" in asked else writer(request, n)

    with fake.FakeEndpoint(broken) as server:
        client = client_at(server)
        card = write_distractors(questions, out, settings, client, client, most=4)
    assert card.counts["questions"] == {"done": 3, "failed: bad_request": 1}
    with fake.FakeEndpoint(writer) as server:
        client = client_at(server)
        card = write_distractors(questions, out, settings, client, client, most=4, force=True)
        assert all("paging" in r["messages"][1]["content"] for r in server.requests)
    assert card.counts["questions"] == {"done": 4}
