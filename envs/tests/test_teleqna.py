"""TeleQnA: read from a packed file like its own, and groups that give nothing away but content."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from statistics import fmean

import pytest
from teleqna_harness import pack, raw

from telejudge_envs.errors import DataError
from telejudge_envs.teleqna import Question, read_teleqna
from telejudge_envs.teleqna_groups import FORMS, WORDINGS, answer_group

pytest.importorskip("pyzipper")

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "TeleQnA.zip"
PACKED = Path(os.environ.get("TELEJUDGE_TELEQNA", BESIDE))
"""The published zip, for those who have it."""


def question(number: int = 0, wrong: int = 4) -> Question:
    return Question(
        number=number,
        text=f"Question {number}?",
        right=f"right {number}",
        wrong=tuple(f"wrong {number} {i}" for i in range(wrong)),
        category="Lexicon",
    )


def test_a_question_is_taken_apart(tmp_path):
    path = pack(
        tmp_path / "q.zip",
        {"question 7": raw("option 2: A radio  bearer.", "A", "A radio bearer.", "B")},
    )
    (read,) = read_teleqna(path)
    assert (read.number, read.id) == (7, "teleqna-7")
    assert (read.right, read.wrong) == ("A radio bearer", ("A", "B"))


@pytest.mark.parametrize(
    "fields",
    [
        raw("option 1: A", "A", "B", "a"),  # two equal options
        raw("option 1: another", "A", "B"),  # the answer is not its option
        raw("option 9: A", "A", "B"),
        raw("option 1: A", "A"),  # nothing is wrong
        raw("option 3: All of the above", "A", "B", "All of the above"),
        raw("option 1: A", "A", "B", "Both options"),
    ],
)
def test_what_cannot_be_taken_apart_is_left_out(tmp_path, fields):
    assert read_teleqna(pack(tmp_path / "q.zip", {"question 1": fields})) == ()


def test_other_files_are_explained(tmp_path):
    fine = {"question 1": raw("option 1: A", "A", "B")}
    with pytest.raises(DataError, match="cannot read"):
        read_teleqna(tmp_path / "missing.zip")
    (tmp_path / "text.zip").write_text("no zip")
    for path in (
        tmp_path / "text.zip",
        pack(tmp_path / "other.zip", fine, password="another"),
        pack(tmp_path / "words.zip", "no JSON"),
    ):
        with pytest.raises(DataError, match="not TeleQnA's zip"):
            read_teleqna(path)
    with pytest.raises(DataError, match="is no question"):
        read_teleqna(pack(tmp_path / "fields.zip", {"question 1": {"text": "?"}}))
    with pytest.raises(DataError, match="no JSON object"):
        read_teleqna(pack(tmp_path / "list.zip", "[1]"))


def test_parts_are_a_fifth_for_tests_and_of_the_rest_a_fifth_for_rl():
    parts = Counter(question(n).part for n in range(5000))
    assert parts["test"] / 5000 == pytest.approx(0.2, abs=0.02)
    assert parts["rl"] / 5000 == pytest.approx(0.16, abs=0.02)


def test_a_question_asked_twice_stays_in_one_part():
    one = question(1).model_copy(update={"text": "What is  NR?"})
    again = question(2).model_copy(update={"text": "what is NR"})
    assert one.part == again.part


GROUPS = [answer_group(question(n, wrong=1 + n % 4)) for n in range(3000)]


def test_a_group_is_the_same_for_the_same_seed():
    again = answer_group(question(5, wrong=2))
    assert again == GROUPS[5]
    assert any(answer_group(question(n, wrong=1 + n % 4), seed=1) != GROUPS[n] for n in range(9))


def test_what_a_form_promises():
    seen = Counter(form for _, _, form in GROUPS)
    assert set(seen) == set(FORMS)
    for group, right, form in GROUPS:
        count, size = sum(right.values()), len(right)
        assert set(right) == {t.id for t in group.trajectories}
        assert 2 <= size <= 5
        texts = [t.messages[-1].text for t in group.trajectories]
        doubles = size - len(set(texts))
        assert doubles == (form == "identical")
        if form in ("one", "several", "none", "all"):
            assert {"one": count == 1, "several": count >= 2, "none": count == 0}.get(
                form, count == size
            )


def test_texts_hold_the_option_that_makes_them_right_or_wrong():
    for group, right, _ in GROUPS[:500]:
        for t in group.trajectories:
            assert (f"right {group.task.id.split('-')[1]}" in t.messages[-1].text) == right[t.id]


def test_neither_length_nor_wording_nor_place_tells():
    lengths: dict[int, list[int]] = {0: [], 1: []}
    places: dict[int, list[int]] = {0: [], 1: []}
    styles: dict[int, Counter[int]] = {0: Counter(), 1: Counter()}
    for group, right, form in GROUPS:
        for place, t in enumerate(group.trajectories):
            text, truth = t.messages[-1].text, int(right[t.id])
            lengths[truth].append(len(text))
            if form == "one" and len(right) == 4:
                places[truth].append(place)
            fits = [i for i, w in enumerate(WORDINGS) if _fits(text, w)]
            styles[truth][fits[-1]] += 1
    assert fmean(lengths[1]) == pytest.approx(fmean(lengths[0]), rel=0.06)
    assert fmean(places[1]) == pytest.approx(1.5, abs=0.25)
    for i in range(len(WORDINGS)):
        shares = [styles[truth][i] / styles[truth].total() for truth in (0, 1)]
        assert shares[0] == pytest.approx(shares[1], abs=0.03)


def _fits(text: str, wording: str) -> bool:
    head, tail = wording.split("{}")
    return text.startswith(head) and text.endswith(tail)


@pytest.mark.skipif(not PACKED.exists(), reason="no TeleQnA.zip beside the checkout")
def test_the_published_file():
    questions = read_teleqna(PACKED)
    assert len(questions) == 8501
    assert Counter(q.part for q in questions) == {"judge": 5467, "rl": 1354, "test": 1680}
