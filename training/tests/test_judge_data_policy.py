"""Problems, questions and traces as rows for the agent's model."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import pytest
from judge_data_harness import question_file

from telejudge_envs.errors import DataError
from telejudge_training.judge_data.files import read_rows
from telejudge_training.judge_data.numeric import numeric_reward, quantity_in, wanted_unit
from telejudge_training.judge_data.policy_rows import PolicySettings, write_policy_rows
from telejudge_training.judge_data.problems import our_problems, read_problems
from telejudge_training.judge_data.questions import read_questions
from telejudge_training.judge_data.reasoning import write_traces
from telejudge_training.judge_data.reer import LocalModel, Search, SearchSettings, says
from telejudge_training.judge_data.rows import PolicyRow
from telejudge_training.judge_data.texts import Trace


def erlang_b(load: float, channels: int) -> float:
    terms = [load**k / math.factorial(k) for k in range(channels + 1)]
    return terms[-1] / sum(terms)


def test_our_problems_are_right():
    """Worked out again, in the order of the file."""
    worked = [
        46 - 2 + 17,
        20 * math.log10(4 * math.pi * 1000 * 2e9 / 3e8),
        20e6 * math.log2(1 + 100) / 1e6,
        -174 + 10 * math.log10(10e6) + 5,
        120 * 90 / 3600,
        erlang_b(3, 5),
        1e6 / 15e3,
        3.5e9 * (120 / 3.6) / 3e8,
        1e3 / (1000 - 800),
        10 * math.log10(math.sqrt(3 * 7) ** 4 / 6),
        6.02 * 10 + 1.76,
        12 / (12 + 2 * 24),
    ]
    problems = our_problems()
    assert len(problems) == len(worked) == 12
    for problem, answer in zip(problems, worked, strict=True):
        assert float(problem.answer) == pytest.approx(answer, rel=1e-3), problem.question
        assert problem.category
        assert problem.difficulty in ("basic", "advanced")


@pytest.mark.parametrize(
    ("reply", "answer", "question", "reward"),
    [
        (r"so \boxed{61}", "61", "What is the EIRP in dBm?", 1),
        (r"\boxed{61.2} dBm", "61", "What is the EIRP in dBm?", 1),
        (r"\boxed{62} dBm", "61", "What is the EIRP in dBm?", 0),
        (r"\boxed{-99}", "-99", "", 1),
        (r"\boxed{−99}", "-99", "", 1),
        (r"\boxed{99}", "-99", "", 0),
        ("First 7, then 133.2 Mbit/s.", "133.16", "the capacity in Mbit/s?", 1),
        ("133160 kbit/s", "133.16", "the capacity in Mbit/s?", 1),
        ("0.13316 Gbps", "133.16", "the capacity in Mbit/s?", 1),
        ("133.16 dB", "133.16", "the capacity in Mbit/s?", 0),
        ("133.16 kbit/s", "133.16", "the capacity in Mbit/s?", 0),
        ("66.667 µs", "66.667", "its useful part in microseconds?", 1),
        ("0.066667 ms", "66.667", "its useful part in microseconds?", 1),
        ("1.1e-1", "0.11005", "", 1),
        ("1,234.5", "1234.5", "", 1),
        ("I do not know", "0", "", 0),
        ("0", "0", "", 1),
        ("", "3", "", 0),
        (r"3 or \boxed{}", "3", "", 0),
    ],
)
def test_the_numeric_reward(reply: str, answer: str, question: str, reward: float):
    assert numeric_reward(reply, answer, question) == reward


def test_units_are_read():
    assert wanted_unit("How long is it in microseconds?") == "us"
    assert wanted_unit("What happens in Madrid?") == ""
    found = quantity_in("x = 3, so \\boxed{4.5\\text{ MHz}}")
    assert found is not None
    assert (found.value, found.unit) == (4.5, "MHz")


@pytest.mark.parametrize("form", ["json", "jsonl", "parquet"])
def test_telemath_is_read_as_it_is_published(tmp_path, form: str):
    given = [
        {"question": "How many?", "answer": 3.5, "category": "C", "tags": ["a", "b"],
         "difficulty": "basic", "id": 9},
        {"question": "How far?", "answer": 1e-7, "category": "C", "tags": [], "difficulty": "x",
         "id": 10},
    ]  # fmt: skip
    path = tmp_path / f"telemath.{form}"
    if form == "parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(given), path)
    else:
        lines = "\n".join(map(json.dumps, given))
        path.write_text(json.dumps(given) if form == "json" else lines)
    assert [p.answer for p in read_problems(path)] == [3.5, 1e-7]
    out = tmp_path / "rows.parquet"
    write_policy_rows(out, PolicySettings(licence="MIT"), problems=path)
    rows = list(read_rows(out, PolicyRow))
    assert [row.completion[0].content for row in rows] == [r"\boxed{3.5}", r"\boxed{1e-07}"]
    assert rows[0].tags == ("a", "b")
    assert {row.provenance.licence for row in rows} == {"MIT"}
    assert all(numeric_reward(row.completion[0].content, row.answer) == 1 for row in rows)


def test_a_broken_problem_is_named(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"question": "a", "answer": 1}\n{"question": "b"}\n')
    with pytest.raises(DataError, match="problem 2: answer"):
        read_problems(path)
    path.write_text("[1,")
    with pytest.raises(DataError, match="neither JSON nor"):
        read_problems(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_multiple_choice_is_exact_in_every_split(tmp_path, share: float):
    questions = question_file(tmp_path, 200)
    out = tmp_path / "rows.jsonl"
    write_policy_rows(out, PolicySettings(mcq=share), questions=questions)
    rows = list(read_rows(out, PolicyRow))
    pointing = {q.text for q in read_questions(questions) if q.pointing}
    forms = Counter((row.split, row.form) for row in rows)
    for split in ("train", "dev", "test", "rl"):
        here = sum(q.split == split and bool(q.pointing) for q in read_questions(questions))
        assert forms[split, "mcq"] == max(round(share * 50), here)
    for row in rows:
        asked = row.prompt[1].content
        if row.form == "mcq":
            right = row.options.index(row.answer) + 1
            assert (
                row.completion[0].content == f"The correct answer is option {right}: {row.answer}"
            )
            assert f"option {right}: {row.answer}" in asked
        else:
            assert asked not in pointing
            assert row.completion[0].content == row.answer
    shuffled = {row.options.index(row.answer) for row in rows if row.form == "mcq"}
    assert len(shuffled) > 1 or share == 0.0


# -- traces


class Teller:
    """A model that likes traces about its subject: the more of its words, the surer it is."""

    words = ("carrier", "bandwidth", "noise", "banana", "and so the answer is 42")

    def __init__(self) -> None:
        self.written = 0

    def perplexity(self, question: str, trace: str, answer: str) -> float:
        good = sum(trace.count(word) for word in self.words[:3])
        return 10.0 / (1 + good) + trace.count("banana")

    def write(self, question, begun, count, tokens, heat, seed) -> list[str]:
        self.written += 1
        return [f"{self.words[(seed + i) % 5]}. And more." for i in range(count)]


def test_the_search_lowers_the_perplexity_and_never_says_the_answer():
    search = Search(Teller(), SearchSettings(rounds=4, candidates=3, segments=5))
    found = search.find("What is it?", "42", seed="q")
    assert list(found.curve) == sorted(found.curve, reverse=True)
    assert found.curve[-1] < found.curve[0]
    assert found.curve[-1] == Teller().perplexity("", found.trace, "")
    assert "banana" not in found.trace
    assert not says(found.trace, "42")
    assert found.accepted > 0
    assert found == Search(Teller(), search.settings).find("What is it?", "42", seed="q")
    assert found != Search(Teller(), search.settings).find("What is it?", "42", seed="r")


def test_an_answer_is_found_in_words_not_in_parts_of_them():
    assert says("it is  61 dBm then", "61 dBm.")
    assert not says("it is 261 dBm then", "61 dBm")
    assert not says("it is", "")


def test_traces_resume_and_become_demonstrations(tmp_path):
    questions, out = question_file(tmp_path), tmp_path / "t.jsonl"
    settings = SearchSettings(rounds=1, candidates=2, segments=2)
    made: list[Teller] = []

    def model() -> Teller:
        made.append(Teller())
        return made[-1]

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    own: dict[str, Any] = {"name": "teller", "most": 4, "licence": "CC0-1.0"}
    with pytest.raises(KeyboardInterrupt):
        write_traces(questions, out, settings, model, on_question=stop, **own)
    write_traces(questions, out, settings, model, **own)
    assert made[1].written == made[0].written
    whole = tmp_path / "whole.jsonl"
    write_traces(questions, whole, settings, model, **own)
    assert whole.read_bytes() == out.read_bytes()
    write_traces(questions, out, settings, model, **own)
    assert len(made) == 3
    rows = tmp_path / "rows.jsonl"
    write_policy_rows(rows, PolicySettings(), traces=out)
    traces = {trace.question: trace for trace in read_rows(out, Trace)}
    for row in read_rows(rows, PolicyRow):
        trace = traces[row.prompt[1].content]
        assert row.completion[0].content == f"<think>\n{trace.trace}\n</think>\n{trace.answer}"
        assert row.provenance.licence == "MIT AND CC0-1.0"


@pytest.fixture(scope="module")
def tiny() -> LocalModel:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    torch.manual_seed(0)
    letters = {chr(code): code - 32 for code in range(32, 127)} | {"\n": 95, "<unk>": 96}
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(letters, unk_token="<unk>"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="<unk>")
    shape = transformers.LlamaConfig(
        vocab_size=97, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=1024,
    )  # fmt: skip
    return LocalModel(transformers.LlamaForCausalLM(shape), tokenizer)


def test_a_local_models_perplexity_is_that_of_the_answers_tokens(tiny):
    import torch

    before = tiny._ids(f"{tiny._opening('Why?')}Because.\nAnswer: ")
    told = tiny._ids("yes")
    assert len(told) == 3
    total = 0.0
    for n, token in enumerate(told):
        ids = torch.tensor([[*before, *told[:n]]])
        with torch.inference_mode():
            logits = tiny._model(ids).logits[0, -1]
        total -= float(torch.log_softmax(logits, -1)[token])
    assert tiny.perplexity("Why?", "Because.", "yes") == pytest.approx(
        math.exp(total / 3), rel=1e-4
    )


def test_a_local_model_searches_the_same_way_twice(tiny):
    settings = SearchSettings(rounds=1, candidates=2, segments=2, segment_tokens=8)
    one, other = (Search(tiny, settings).find("Why?", "yes", seed="q") for _ in range(2))
    assert one == other
    assert one.curve[-1] <= one.curve[0]
    assert one.trace
