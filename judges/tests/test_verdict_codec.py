"""Reading verdicts: everything sound is read, nothing unsound is guessed."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.aggregate import Votes, flip_rate, verdict
from telejudge_judges.codec import Entry, codec_named

parse_reply = codec_named("json").read
CALLS = {"k7qm": 5, "p3xd": 0, "w9zt": 2}
SOUND = {"answer": 1, "tools": 0.5}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*CALLS, "verdicts", "answer", "tools", "defects", "step", "severity", "id", "zz"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(anything | st.text(), st.text(max_size=10), st.text(max_size=10))
def test_nothing_raises_and_nothing_unsound_gets_through(
    value: Any, before: str, after: str
) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    reading = parse_reply(f"{before}{text}{after}", CALLS)
    assert set(reading.entries) <= set(CALLS)
    for name, entry in reading.entries.items():
        assert entry.answer in (0, 1)
        assert 0 <= entry.tools <= 1
        assert not math.isnan(entry.tools)
        for defect in entry.defects:
            assert defect.step is None or 0 <= defect.step < CALLS[name]
    if set(reading.entries) != set(CALLS):
        assert reading.problems, "something is missing, but nothing says what"


entries = st.fixed_dictionaries(
    {"answer": st.sampled_from([0, 1]), "tools": st.floats(0, 1)},
    optional={
        "defects": st.lists(
            st.fixed_dictionaries(
                {
                    "step": st.none(),
                    "kind": st.sampled_from(["other", "wandering"]),
                    "severity": st.sampled_from(["soft", "hard", "safety"]),
                    "reason": st.text(max_size=20),
                }
            ),
            max_size=2,
        )
    },
)


@given(st.fixed_dictionaries(dict.fromkeys(CALLS, entries)), st.booleans(), st.booleans())
def test_sound_verdicts_are_read_in_every_form(
    given_entries: dict[str, Any], outer: bool, as_list: bool
) -> None:
    body: Any = given_entries
    if as_list:
        body = [{"id": name, **entry} for name, entry in given_entries.items()]
    text = json.dumps({"appraisals": {}, "verdicts": body} if outer else body)
    reading = parse_reply(f"```json\n{text}\n```", CALLS)
    assert reading.problems == []
    for name, entry in given_entries.items():
        read = reading.entries[name]
        assert (read.answer, read.tools) == (entry["answer"], entry["tools"])
        assert len(read.defects) == len(entry.get("defects", ()))


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"k7qm": SOUND, "p3xd": SOUND}, "missing", '"w9zt" has no entry'),
        ({**dict.fromkeys(CALLS, SOUND), "abcd": SOUND}, "extra", '"abcd" is no candidate'),
        ({**dict.fromkeys(CALLS, SOUND), "p3xd": {"answer": 1}}, "missing", 'no "tools"'),
        (
            {**dict.fromkeys(CALLS, SOUND), "p3xd": {"answer": 1, "tools": True}},
            "wrong_type",
            "got true",
        ),
        (
            {**dict.fromkeys(CALLS, SOUND), "p3xd": {"answer": -1, "tools": 1}},
            "out_of_range",
            "got -1",
        ),
        (
            {**dict.fromkeys(CALLS, SOUND), "p3xd": {**SOUND, "defects": {}}},
            "wrong_type",
            "must be a list",
        ),
        (
            {
                **dict.fromkeys(CALLS, SOUND),
                "p3xd": {
                    **SOUND,
                    "defects": [{"step": 0, "kind": "x", "severity": "soft", "reason": ""}],
                },
            },
            "out_of_range",
            "none, so null",
        ),
    ],
)
def test_problems_are_precise(body: dict[str, Any], kind: str, words: str) -> None:
    (problem,) = parse_reply(json.dumps({"verdicts": body}), CALLS).problems
    assert problem.kind == kind
    assert words in str(problem)


def test_the_last_verdicts_count_and_thinking_does_not() -> None:
    wrong = json.dumps({"verdicts": {name: {"answer": 0, "tools": 0} for name in CALLS}})
    right = json.dumps({"verdicts": dict.fromkeys(CALLS, SOUND)})
    for text in (f"<think>{wrong}</think>{right}", f"{wrong}\nNo, rather:\n{right}"):
        assert {e.answer for e in parse_reply(text, CALLS).entries.values()} == {1}
    assert parse_reply(f"<think>{right}", CALLS).entries == {}, "an unfinished thought is no reply"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["{" * 300_000, '{"a":' * 100_000, "[" * 300_000 + "]" * 300_000])
def test_a_hostile_reply_is_read_in_bounded_time(text: str) -> None:
    assert parse_reply(text, CALLS).entries == {}


# -- votes


def votes(*answers: int, asked: int | None = None, grave: str | None = None) -> Votes:
    defect = Defect(step=0, kind="other", severity=grave, reason="r") if grave else None  # type: ignore[arg-type]
    entries_ = [
        Entry(1 if a else 0, 0.5, (defect,) if defect and i == 0 else ())
        for i, a in enumerate(answers)
    ]
    return Votes(asked=asked or len(answers), entries=entries_)


def test_majority_confidence_and_ties() -> None:
    assert verdict("t", votes(1, 1)).confidence == 1.0
    split = verdict("t", votes(1, 0, 1))
    assert (split.answer, split.confidence) == (1, pytest.approx(2 / 3))
    assert verdict("t", votes(1, 0)).abstained == "orders_disagree"
    assert verdict("t", votes(1, asked=2)).confidence == 0.5
    assert verdict("t", Votes(asked=2, causes=["timeout", "missing", "timeout"])).abstained == (
        "timeout"
    )


def test_grave_defects_need_a_majority() -> None:
    assert votes(1, 1, grave="hard").undecided
    assert verdict("t", votes(1, 1, 1, grave="safety")).defects == ()
    alone = verdict("t", votes(1, grave="safety"))
    assert alone.reward == 0.0
    assert len(alone.defects) == 1
    soft = verdict("t", votes(1, 1, grave="soft"))
    assert len(soft.defects) == 1, "soft defects are united"


def test_flip_rate_counts_only_who_was_judged_twice() -> None:
    assert flip_rate({"a": votes(1, 0), "b": votes(1, 1), "c": votes(1)}) == 0.5
    assert flip_rate({"c": votes(1)}) is None
