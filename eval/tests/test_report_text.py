"""Foreign texts: cut in the open, printable, kept once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telejudge_eval.report.text import TEXT_LIMIT, Texts, arguments, digest, printable, shorten

ANYTHING = st.text(st.characters(codec=None))


def test_a_long_text_says_how_much_is_left_out() -> None:
    shown = shorten("x" * 1_000_000, TEXT_LIMIT)
    assert shown == "x" * 2000 + "… 998,000 characters left out"


def test_invisible_and_reordering_characters_become_visible() -> None:
    assert printable("a\x00b\u202ec\ud800d\r\ne\tf") == "a⟨0000⟩b⟨202E⟩c⟨D800⟩d\ne\tf"


@given(ANYTHING)
def test_whatever_is_shown_can_be_written(text: str) -> None:
    for shown in (printable(text), shorten(text, 20), digest(text, 20)):
        shown.encode()
        assert "\x00" not in shown
        assert "\u202e" not in shown


@given(ANYTHING, st.integers(1, 50))
def test_a_digest_is_one_short_line(text: str, limit: int) -> None:
    shown = digest(text, limit)
    assert "\n" not in shown
    assert len(shown) <= 6 * limit + 1  # a character may become its code, as in ⟨202E⟩


@given(st.text(st.characters(codec="utf-8", categories=["L", "N"]), max_size=40))
def test_a_digest_of_a_short_plain_text_is_the_text(text: str) -> None:
    assert digest(text, 40) == text


@given(st.lists(ANYTHING, max_size=8))
def test_equal_texts_are_kept_once(given_texts: list[str]) -> None:
    texts = Texts()
    ids = [texts.add(text) for text in given_texts]
    assert [texts.shown[i] for i in ids] == [shorten(t, TEXT_LIMIT) for t in given_texts]
    assert len(set(texts.shown)) == len(texts.shown)
    texts.forget_after(1)
    assert texts.size == sum(len(shown.encode()) for shown in texts.shown)
    assert len(texts.shown) <= 1


def test_arguments_read_like_a_call() -> None:
    assert arguments({"line_id": "L1002", "gb": 2.0, "now": True}) == (
        'line_id="L1002", gb=2.0, now=true'
    )
