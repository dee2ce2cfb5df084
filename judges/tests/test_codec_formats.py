"""The verdict formats: what is written is read again, and what models tend to send is read right.

The corpus was written by hand after failures that users of judges report; it is not collected.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.verdict import Defect
from telejudge_judges.codec import Codec, Entry, codec_named
from telejudge_judges.codecs.numbers import as_number
from telejudge_judges.codecs.tolerant import objects
from telejudge_judges.prompting import FormatWords
from telejudge_judges.questioner import KINDS

NAMES = ("json", "boxed", "tuple")
CALLS = {"k7qm": 5, "p3xd": 0, "w9zt": 2}
CORPUS = json.loads((Path(__file__).parent / "malformed_replies.json").read_text(encoding="utf-8"))


# -- the corpus


def test_the_corpus_is_large_and_names_are_unique() -> None:
    assert len(CORPUS) >= 60
    assert len({(c["codec"], c["name"]) for c in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("case", CORPUS, ids=lambda c: f"{c['codec']}: {c['name']}")
def test_replies_of_the_kinds_that_models_send(case: dict[str, Any]) -> None:
    reading = codec_named(case["codec"]).read(case["reply"], CALLS)
    entries = {name: [e.answer, pytest.approx(e.tools)] for name, e in reading.entries.items()}
    assert entries == case["entries"], reading.problems
    assert [p.kind for p in reading.problems] == case["problems"], reading.problems


# -- round trips

ids = st.lists(st.from_regex(r"[bcdfgh][a-z2-9]{3}", fullmatch=True), min_size=1, max_size=6)
words = st.text(max_size=30) | st.sampled_from([r"\boxed{1,0}", "(k7qm, 1, 1)", '{"verdicts": {}}'])


@st.composite
def groups(draw: st.DrawFn) -> tuple[dict[str, int], dict[str, Entry]]:
    shown = {name: draw(st.integers(0, 5)) for name in dict.fromkeys(draw(ids))}
    return shown, {name: _entry(draw, calls) for name, calls in shown.items()}


def _entry(draw: st.DrawFn, calls: int) -> Entry:
    defects = tuple(
        Defect(
            step=draw(st.none() | st.integers(0, calls - 1)) if calls else None,
            kind=draw(st.sampled_from(KINDS)),
            severity=draw(st.sampled_from(["soft", "hard", "safety"])),
            reason=draw(st.text(max_size=20)),
        )
        for _ in range(draw(st.integers(0, 2)))
    )
    return Entry(draw(st.sampled_from([0, 1])), draw(st.floats(0, 1)), defects)


@settings(max_examples=150)
@given(st.sampled_from(NAMES), groups(), words, words)
def test_what_is_written_is_read_again(
    name: str, group: tuple[dict[str, int], dict[str, Entry]], said: str, compared: str
) -> None:
    shown, entries = group
    codec = codec_named(name)
    text = codec.write(entries, dict.fromkeys(entries, said), compared)
    reading = codec.read(text, shown)
    assert reading.problems == []
    assert list(reading.entries) == list(entries)
    for one, read in zip(entries.values(), reading.entries.values(), strict=True):
        assert read.answer == one.answer
        if name != "boxed" or any(shown.values()):
            assert read.tools == pytest.approx(one.tools, abs=1e-12)
        else:
            assert read.tools == 1.0, "without calls there is no second box to read"
        assert read.defects == (one.defects if name == "json" else ())


@settings(max_examples=200)
@given(
    st.sampled_from(NAMES),
    st.lists(
        st.sampled_from(
            [
                *(*CALLS, "(", ")", "\uff08", ",", "\uff0c", " ", "\n", "1", "0", "0.5", "7"),
                *("one", "maybe", r"\boxed{", "}", "{", '"', "“", ":", "[", "]", "verdicts"),
                *("answer", "tools", "-"),
            ]
        ),
        max_size=40,
    ).map("".join),
)
def test_no_reply_raises_or_yields_anything_unsound(name: str, text: str) -> None:
    reading = codec_named(name).read(text, CALLS)
    assert set(reading.entries) <= set(CALLS)
    assert all(e.answer in (0, 1) and 0 <= e.tools <= 1 for e in reading.entries.values())
    assert reading.problems or set(reading.entries) == set(CALLS)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text",
    ["{'a':" * 80_000, "\\boxed{" * 60_000, "(a,1," * 80_000, "“" * 400_000, "<think>" * 60_000],
)
def test_hostile_replies_are_read_in_bounded_time(name: str, text: str) -> None:
    assert codec_named(name).read(text, CALLS).entries == {}


# -- pieces


@pytest.mark.parametrize(
    ("spelt", "number"),
    [
        (1, 1.0), (0.25, 0.25), ("0.8", 0.8), ("\uff10\uff0e\uff18", 0.8), (" 1 ", 1.0),
        ("80%", 0.8), ("80\uff05", 0.8), ("8/10", 0.8), ("one", 1.0), ("zero point eight", 0.8),
        ("point five", 0.5),
        ("零点八", 0.8), ("一", 1.0), ("〇", 0.0), ("true", 1.0), (True, 1.0),
        ("**0.7**", 0.7),
        ("high", None), ("", None), ("1,0", None), ("1/0", None), ("0.8.1", None), ("点", None),
        ("one two", None), (None, None), ([], None), ("1e400", None), (10**400, None),
    ],
)  # fmt: skip
def test_numbers(spelt: object, number: float | None) -> None:
    assert as_number(spelt) == number


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(0, 1)
    | st.text("ab'\"\\\n:,“\uff0c"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab“'"), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=3) | st.dictionaries(st.text("ab"), json_values, max_size=3))
def test_sound_json_is_read_as_it_is_and_slightly_broken_json_too(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    (read,) = objects(f"Well:\n{text}\nThat is it.")
    assert read == value
    if value:
        (broken,) = objects(f"{text[:-1]},{text[-1]}")
        assert broken == value


# -- the words


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_format_is_asked_for_in_both_languages(name: str, language: str) -> None:
    words = FormatWords.load(name, language)
    said = words.values(CALLS, KINDS)
    assert "k7qm" in said["again"]
    assert "w9zt" in said["again"]
    if name == "boxed":
        assert said["instruction"].index("k7qm") < said["instruction"].index("p3xd")
    assert "tools" in said["instruction"]
    without = words.values({"k7qm": 0}, KINDS)
    assert "tools" not in without["instruction"] + without["again"]
    assert "defects" not in without["instruction"]


def test_without_calls_a_json_entry_is_the_answer_alone() -> None:
    codec, shown = codec_named("json"), {"k7qm": 0, "p3xd": 0}
    schema = codec.schema(shown, KINDS)
    assert schema is not None
    entry = schema["properties"]["verdicts"]["properties"]["k7qm"]
    assert entry["required"] == ["answer"]
    entries = {"k7qm": Entry(1, 1.0), "p3xd": Entry(0, 1.0)}
    written = codec.write(entries, {}, "", with_tools=False)
    assert "tools" not in written
    assert codec.read(written, shown).entries == entries
    assert codec.read(written, CALLS).entries == {}, "with calls the tools are missed"


def test_the_schema_holds_exactly_the_ids() -> None:
    schema = codec_named("json").schema(CALLS, KINDS)
    assert schema is not None
    assert schema["properties"]["verdicts"]["required"] == list(CALLS)
    assert not schema["properties"]["verdicts"]["additionalProperties"]
    others: list[Codec] = [codec_named("boxed"), codec_named("tuple")]
    assert [codec.schema(CALLS, KINDS) for codec in others] == [None, None]


def test_an_unknown_format_explains_itself() -> None:
    with pytest.raises(UsageError, match="choose json, boxed, tuple"):
        codec_named("xml")
