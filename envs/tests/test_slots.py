"""Slots: what is hidden comes back, and only what was hidden."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_envs.slots import Slots, kinds_of

KINDS = (
    (r"SP\d{3}(?!\d)", "SP{}", 100),
    (r"(?<![A-Za-z0-9-])[A-Z]\d{3}(?![0-9A-Za-z])", "A{}", 100),
    (r'(?<="tilt": )[\d.]+', "70{}", 10),
)


@given(st.lists(st.from_regex(r"SP[0-9]{3}|[A-Z][0-9]{3}", fullmatch=True), max_size=30))
def test_names_come_back(names):
    slots = Slots(KINDS)
    text = ", ".join(names)
    assert slots.show(slots.hide(text)) == text


PIECES = st.sampled_from(["SP517", "SP756", "K042", "Q412-C2", '"tilt": 4.5', '"tilt": ', "x", " "])


@given(st.lists(st.lists(PIECES, max_size=8).map("".join), max_size=6))
def test_a_text_cut_at_its_names_is_hidden_as_the_text_is(texts):
    """Also by other Slots than those that cut it."""
    cut = [Slots(KINDS).parts(text) for text in texts]
    one, other = Slots(KINDS), Slots(KINDS)
    assert [one.fill(parts) for parts in cut] == [other.hide(text) for text in texts]


def test_the_nth_name_always_looks_the_same():
    for first, second in (("SP517", "SP756"), ("SP101", "SP100")):
        assert Slots(KINDS).hide(f"{first} {second} {first}") == "SP100 SP101 SP100"


def test_slots_are_kept_through_the_conversation():
    slots = Slots(KINDS)
    assert slots.hide("Site: Q412") == "Site: A100"
    assert slots.hide("K042-C1 beside Q412-C2") == "A101-C1 beside A100-C2"
    assert slots.show("A100-C3, A101") == "Q412-C3, K042"


def test_a_slot_that_stands_for_nothing_stays():
    """So that an invented name is the model's invention, and refused by the world as such."""
    assert Slots(KINDS).show("replace with SP107") == "replace with SP107"


def test_numbers_in_arguments_come_back_as_numbers():
    slots = Slots(KINDS)
    slots.hide('{"tilt": 4.5}')
    said = Message(
        role="assistant",
        tool_calls=(ToolCall(id="1", name="set_ret_tilt", arguments={"tilt": 7010}),),
    )
    assert slots.show_message(said).tool_calls[0].arguments == {"tilt": 4.5}


def test_a_call_that_is_no_json_is_left_alone():
    call = ToolCall(id="1", name="", raw='{"spare": SP517')
    message = Message(role="assistant", tool_calls=(call,))
    assert Slots(KINDS).hide_message(message).tool_calls == (call,)


def test_ordinary_tokenizers_have_no_slots():
    assert list(kinds_of(object())) == []


def test_without_kinds_nothing_changes_not_even_an_empty_text():
    assert [Slots(()).hide(text) for text in ("", "SP517")] == ["", "SP517"]
    assert Slots(()).show("") == ""
