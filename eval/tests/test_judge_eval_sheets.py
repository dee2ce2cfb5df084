"""Tables of stored results: every number with what it is of, and nothing that Markdown breaks."""

from __future__ import annotations

from typing import Any

from judge_eval_harness import group, mark

from telejudge_eval.judge_eval.measure import measures
from telejudge_eval.judge_eval.records import Measure, Probe, Result
from telejudge_eval.judge_eval.sheets import labels, sheets, shown
from telejudge_eval.judge_eval.show import markdown


def result(*groups, judge="a", **fields: Any) -> Result:
    made = measures(groups, samples=100)
    return Result(judge=judge, judge_version="1", groups=groups, measures=made, **fields)


BOTH = group(mark(1, 1, reward=0.9, true_reward=1.0), mark(0, 0, reward=0.1, true_reward=0.1))
HALF = group(mark(1, 1, reward=0.9, true_reward=1.0), mark(0, true_reward=0.1))


def rows(results, title):
    return {row[0]: row[1:] for s in sheets(results) if s.title == title for row in s.rows}


def test_a_value_comes_with_its_interval():
    assert shown("accuracy", Measure(value=0.5, low=0.25, high=0.75)) == "50.0% (25.0% to 75.0%)"
    assert shown("ece", Measure(value=0.5)) == "0.500"
    assert shown("tokens", Measure(value=12345.6, low=1.0, high=2.0)) == "12,346 (1 to 2)"
    assert shown("ece", None) == "–"


def test_judges_that_abstain_have_fewer_of_some_things():
    table = rows([result(BOTH), result(HALF, judge="b")], "Measures")
    assert table["Acc (abstained: not right)"][0] == "2 candidates"
    assert table["Acc where judged"][0] == "1 to 2 candidates"
    assert table["pairs in the right order"] == ("1 pairs", "100.0%", "–")


def test_what_cost_nothing_has_no_row():
    assert "tokens a group" not in rows([result(BOTH)], "Measures")
    paid = BOTH.model_copy(update={"prompt_tokens": 5})
    assert rows([result(BOTH), result(paid, judge="b")], "Measures")["tokens a group"][1:] == (
        "0",
        "5",
    )


def test_strata_stand_in_order_and_all_last():
    groups = [group(*[mark(int(i < k), 1) for i in range(12)], name=str(k)) for k in range(13)]
    table = rows([result(*groups)], "Acc by number of right candidates")
    assert list(table) == [*(f"{k} right" for k in range(12)), "all right"]


def test_attacks_are_counted_by_family_and_place():
    def probe(place, after, touched=True):
        return Probe(
            name="x", family="f", place=place, trajectory_id="t", truth=0, touched=touched,
            answer_before=0, answer_after=after, reward_before=0.1, reward_after=0.1,
        )  # fmt: skip

    attacked = (probe("answer", 1), probe("arguments", 0), probe("answer", 1, touched=False))
    table = rows(
        [result(BOTH.model_copy(update={"attacked": attacked}))],
        "Attacks that turned a wrong 0 into 1",
    )
    assert table == {
        "all": ("1 of 2",),
        "family f": ("1 of 2",),
        "place answer": ("1 of 1",),
        "place arguments": ("0 of 1",),
    }


def test_names_differ():
    one, other = Result(judge="a", judge_version="1"), Result(judge="a", judge_version="2")
    assert labels([one, other]) == ["a (1)", "a (2)"]
    assert labels([one, one]) == ["a (1) #1", "a (1) #2"]
    assert labels([one, other.model_copy(update={"label": "b"})]) == ["a", "b"]


def test_markdown_survives_any_name():
    text = markdown([result(BOTH, label="a | b\nc", command="telejudge eval judge --out x")])
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert "| a \\| b c |" in " ".join(lines)
    assert "telejudge eval judge --out x" in text
    widths = {line.replace("\\|", "").count("|") for line in lines if "Acc" in line}
    assert widths == {4}
