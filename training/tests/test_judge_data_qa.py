"""Questions and groups of answers: no leaks, the asked-for shares, no signal but the content."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict

import pytest
from judge_data_harness import SHARED, answer_groups, question_file
from teleqna_harness import pack, raw

from telejudge_envs.teleqna import read_all, read_teleqna
from telejudge_training.judge_data.files import read_rows, write_rows
from telejudge_training.judge_data.near import clusters, near_pairs
from telejudge_training.judge_data.qa_groups import Shares, write_answer_groups
from telejudge_training.judge_data.questions import read_questions, write_questions
from telejudge_training.judge_data.rows import GroupRow, Provenance, QuestionRow
from telejudge_training.judge_data.template_teacher import template_words
from telejudge_training.judge_data.texts import Distractor

NOBODY = dict.fromkeys(("one", "several", "none", "all", "identical", "lengths"), 0.0)


def test_near_duplicates_have_alike_words_and_the_same_answer():
    texts = [
        "What does the acronym AMF stand for?",
        "What does the acronym SMF stand for?",
        "What is the purpose of offline charging? [3GPP Release 18]",
        "What is the purpose of an offline charging? [3GPP Release 17]",
        "What is the purpose of online charging?",
    ]
    answers = [
        "Access and Mobility Management Function",
        "Session Management Function",
        "To write CDRs for bills",
        "To write CDRs for the bills",
        "To check credit before a service is given",
    ]
    found = near_pairs(texts, answers)
    assert found.pairs == [(2, 3)]
    assert clusters(5, found.pairs) == [0, 1, 2, 2, 4]
    assert clusters(5, [(0, 4), (2, 3), (3, 4)]) == [0, 1, 0, 0, 0]


def test_near_duplicates_are_found_across_blocks_of_rows():
    texts = [f"{hashlib.sha256(str(i).encode()).hexdigest()} {i}" for i in range(1100)]
    texts[1050] = texts[3]
    found = near_pairs(texts, ["the same"] * len(texts))
    assert found.pairs == [(3, 1050)]


@pytest.fixture
def packed(tmp_path):
    names = [hashlib.sha256(str(n).encode()).hexdigest()[:20] for n in range(200)]
    questions = {
        f"question {n}": raw("option 1: Fibre", "Fibre", "Radio", text=f"Is {name} a carrier?")
        for n, name in enumerate(names)
    }
    twins = [f"question {n}" for n in range(200, 220)]
    for n, name in enumerate(twins):
        text = questions[f"question {n}"]["question"].replace("a carrier", "the carrier")
        questions[name] = raw("option 1: Fibre", "Fibre", "Radio", text=text)
    points = "All of the above"
    questions["question 300"] = raw(f"option 3: {points}", "Fibre", "Radio", points, text="Which?")
    questions["question 301"] = raw("option 1: Fibre", "Fibre", "fibre", text="Equal?")
    questions["question 302"] = raw("option 1: Copper", "Fibre", "Radio", text="No key?")
    return pack(tmp_path / "q.zip", questions)


def test_questions_are_split_with_their_near_duplicates(packed, tmp_path):
    out = tmp_path / "q.jsonl"
    card = write_questions(packed, out)
    rows = {row.id: row for row in read_rows(out, QuestionRow)}
    assert card.counts["as it is in the file"] == {
        "equal_options": 1, "no_key": 1, "pointing": 1, "sound": 220,
    }  # fmt: skip
    assert card.counts["near duplicates"]["pairs"] == 20
    assert card.counts["near duplicates"]["pairs in different splits now"] == 0
    assert card.counts["near duplicates"]["pairs in different splits by the words alone"] > 0
    for n in range(20):
        one, twin = rows[f"teleqna-{n}"], rows[f"teleqna-{n + 200}"]
        assert (one.split, one.cluster) == (twin.split, twin.cluster)
    assert rows["teleqna-300"].pointing == ("All of the above",)
    tested = {q.id for q in read_teleqna(packed) if q.part == "test"}
    assert tested <= {row.id for row in rows.values() if row.split == "test"}
    assert {row.provenance.licence for row in rows.values()} == {"MIT"}
    again = tmp_path / "again.jsonl"
    write_questions(packed, again)
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.skipif(not SHARED.exists(), reason="needs TeleQnA.zip")
def test_teleqna_itself_is_split_as_the_reports_did():
    questions = read_all(SHARED)
    assert Counter(q.flaw or "sound" for q in questions) == {
        "sound": 8501, "pointing": 1476, "equal_options": 18, "no_key": 5,
    }  # fmt: skip
    parts = Counter(q.part for q in questions)
    assert parts["test"] / 10_000 == pytest.approx(0.20, abs=0.01)
    assert parts["judge"] / (parts["judge"] + parts["rl"]) == pytest.approx(0.80, abs=0.01)


def test_every_form_is_what_it_says(tmp_path):
    wanted = {
        "one": lambda right, n: right == 1,
        "several": lambda right, n: right >= 2,
        "none": lambda right, n: right == 0,
        "all": lambda right, n: right == n,
    }
    for form, test in wanted.items():
        shares = Shares.model_validate({**NOBODY, form: 1})
        rows = answer_groups(tmp_path, shares)
        assert {row.form for row in rows} == {form}
        assert all(test(sum(t.answer for t in r.truths.values()), len(r.truths)) for r in rows)
        for row in rows:
            texts = [t.messages[-1].text for t in row.group.trajectories]
            assert len(set(texts)) == len(texts)
            assert 2 <= len(texts) <= 5
    for row in answer_groups(tmp_path, Shares.model_validate({**NOBODY, "identical": 1})):
        texts = [t.messages[-1].text for t in row.group.trajectories]
        assert len(set(texts)) == len(texts) - 1


def test_lengths_say_the_same_in_few_words_and_in_many(tmp_path):
    for row in answer_groups(tmp_path, Shares.model_validate({**NOBODY, "lengths": 1})):
        sizes = defaultdict(list)
        for one in row.group.trajectories:
            sizes[row.truths[one.id].origin].append(len(one.messages[-1].text))
        for pair in sizes.values():
            assert len(pair) == 2
            assert max(pair) - min(pair) > 40
        answers = {t.origin: t.answer for t in row.truths.values()}
        assert all(answers[t.origin] == t.answer for t in row.truths.values())


def test_shares_decide_how_often_a_form_is_drawn(tmp_path):
    shares = Shares.model_validate({**NOBODY, "one": 1, "none": 3, "per_question": 40})
    forms = Counter(row.form for row in answer_groups(tmp_path, shares))
    assert forms["none"] / forms.total() == pytest.approx(0.75, abs=0.03)


def test_neither_length_nor_place_tells_right_from_wrong(tmp_path):
    shares = Shares(per_question=60)
    lengths, places = defaultdict(list), defaultdict(list)
    for row in answer_groups(tmp_path, shares):
        for place, one in enumerate(row.group.trajectories):
            answer = row.truths[one.id].answer
            lengths[answer].append(len(one.messages[-1].text))
            places[answer].append(place / (len(row.truths) - 1))
    mean = {answer: sum(found) / len(found) for answer, found in lengths.items()}
    assert mean[0] == pytest.approx(mean[1], rel=0.06)
    where = {answer: sum(found) / len(found) for answer, found in places.items()}
    assert where[0] == pytest.approx(where[1], abs=0.03)


def test_pointing_questions_and_other_splits_are_in_no_group(tmp_path):
    questions = {q.id: q for q in read_questions(question_file(tmp_path))}
    rows = answer_groups(tmp_path)
    assert {row.split for row in rows} == {"train", "dev", "test"}
    used = {row.group.task.id for row in rows}
    assert used == {q.id for q in questions.values() if not q.pointing and q.split != "rl"}
    assert all(
        row.group.task.split == row.split == questions[row.group.task.id].split for row in rows
    )


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    made = []
    for seed in (0, 0, 1):
        answer_groups(tmp_path, seed=seed)
        made.append((tmp_path / f"answers-{seed}.jsonl").read_bytes())
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_distractors_and_paraphrases_take_part(tmp_path):
    plain = tmp_path / "plain.jsonl"
    lines = [
        {"question": f"Who is number {n}?", "answer": f"person {n}", "more": 1} for n in range(30)
    ]
    plain.write_text("\n".join(map(json.dumps, lines)) + "\n")
    names = [q.id for q in read_questions(plain)]
    own = Provenance(source="made up", licence="MIT", made_by="test")
    made = [
        Distractor.model_validate(
            {"id": f"{kind}-{name}-{i}", "question_id": name, "kind": kind, "kept": kept,
             "text": f"{kind} {name} {i}", "model": "m", "provenance": own}
        )
        for name in names
        for i, (kind, kept) in enumerate(
            [("wrong", True), ("wrong", True), ("wrong", False), ("paraphrase", True)]
        )
    ]  # fmt: skip
    write_rows(tmp_path / "d.jsonl", made, Distractor)
    out = tmp_path / "g.jsonl"
    none = write_answer_groups(plain, out, Shares())
    assert none.rows == 0
    assert none.counts["left out"]["no wrong answer"] > 0
    write_answer_groups(plain, out, Shares(per_question=5), distractors=[tmp_path / "d.jsonl"])
    said = {
        (t.messages[-1].text, row.truths[t.id].answer)
        for row in read_rows(out, GroupRow)
        for t in row.group.trajectories
    }
    assert any("paraphrase" in text for text, answer in said)
    for text, answer in said:
        assert answer == int("paraphrase" in text or "person" in text)
        assert not (text.rstrip(".").endswith(" 2") and "wrong " in text)


def test_the_keys_words_are_true_and_tell_equal_contents(tmp_path):
    shares = Shares.model_validate({**NOBODY, "lengths": 1, "per_question": 3})
    for row in answer_groups(tmp_path, shares):
        words = template_words(row, seed=0)
        for name, truth in row.truths.items():
            wrong = "wrong" in words.appraisals[name] or "not" in words.appraisals[name]
            assert wrong == (truth.answer == 0)
            assert truth.reason in words.appraisals[name]
        assert "same" in words.comparison or "equal" in words.comparison
        only = list(row.truths)[:1]
        assert list(template_words(row, 0, only).appraisals) == only
