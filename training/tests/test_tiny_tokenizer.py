from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from telejudge_envs.nouns.message import Message, ToolCall
from telejudge_training.sft import encode
from telejudge_training.tiny.model import load, save
from telejudge_training.tiny.phrases import find_phrases, split_fields
from telejudge_training.tiny.tokenizer import SPECIAL, parse_reply, render_reply, train_tokenizer

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.text())
def test_fields_join_to_the_text(text):
    assert "".join(split_fields(text)) == text


def test_phrases_keep_what_varies_apart():
    on, off = "Mode: ON\nSIM: active\nWi-Fi: OFF", "Mode: OFF\nSIM: active\nWi-Fi: OFF"
    phrases = find_phrases([on, off] * 5, min_count=2)
    assert phrases == ["Mode: OFF\n", "Mode: ON\n", "SIM: active\nWi-Fi: OFF"]


def test_rare_phrases_are_left_to_bytes():
    assert find_phrases(["once\n", "twice\n", "twice\n"], min_count=2) == ["twice\n"]


@settings(max_examples=200, deadline=None)
@given(text=st.text())
def test_any_text_survives_the_tokenizer(bench, text):
    if any(token in text for token in SPECIAL):
        return
    ids = bench.tokenizer.encode(text, add_special_tokens=False)
    assert bench.tokenizer.decode(ids) == text


def test_demonstrations_survive_and_are_short(bench):
    lengths = []
    for demo in bench.demos:
        example = encode(bench.tokenizer, demo.messages)
        lengths.append(len(example.ids))
        own = [i for i, m in zip(example.ids, example.mask, strict=True) if m]
        said = bench.tokenizer.decode(own)
        turns = [render_reply(m) for m in demo.messages if m.role == "assistant"]
        assert said == "".join(f"{turn}<|im_end|>" for turn in turns)
    assert sum(lengths) / len(lengths) < 250


def test_template_and_encoder_agree_on_ids_and_mask(bench):
    for demo in bench.demos[:20]:
        chat = [as_chat(m) for m in demo.messages]
        rendered = bench.tokenizer.apply_chat_template(
            chat, return_dict=True, return_assistant_tokens_mask=True
        )
        example = encode(bench.tokenizer, demo.messages)
        assert tuple(rendered["input_ids"]) == example.ids
        assert tuple(rendered["assistant_masks"]) == example.mask


def test_a_saved_folder_is_an_ordinary_one(bench, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    save(bench.model, bench.tokenizer, tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    text = "<|user|>The user has been unable to send MMS messages<|assistant|>"
    assert tokenizer.encode(text) == bench.tokenizer.encode(text)
    assert tokenizer.chat_template == bench.tokenizer.chat_template
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    ours, _ = load(tmp_path / "model")
    for name, weight in bench.model.state_dict().items():
        assert weight.equal(model.state_dict()[name])
        assert weight.equal(ours.state_dict()[name])


@given(
    name=st.text(st.characters(codec="ascii", categories=["L"]), min_size=1),
    arguments=st.dictionaries(st.text(), JSON_VALUES, max_size=3),
)
def test_a_rendered_call_is_read_back(name, arguments):
    arguments = json.loads(json.dumps(arguments).replace("tool_call", "x"))
    said = Message(
        role="assistant", tool_calls=(ToolCall(id="call_1", name=name, arguments=arguments),)
    )
    assert parse_reply(render_reply(said), "call_1") == said


@given(st.text())
def test_any_reply_can_be_read(text):
    parse_reply(text, "c")
    parse_reply(f"<tool_call>{text}</tool_call>", "c")


def test_broken_calls_keep_their_text():
    reply = parse_reply('<tool_call>{"name": "toggle_data", "arguments": 3}</tool_call>', "c")
    assert reply.tool_calls == (ToolCall(id="c", name="toggle_data", raw="3"),)
    reply = parse_reply("<tool_call>toggle</tool_call><tool_call>[]</tool_call>ok", "c")
    assert [(call.id, call.raw) for call in reply.tool_calls] == [("c", "toggle"), ("c.1", "[]")]
    assert reply.text == "ok"


def test_equal_demonstrations_give_an_equal_tokenizer(bench):
    again = train_tokenizer([demo.messages for demo in bench.demos])
    assert again.get_vocab() == bench.tokenizer.get_vocab()


def as_chat(message: Message) -> dict:
    calls = [{"function": {"name": c.name, "arguments": c.arguments}} for c in message.tool_calls]
    return {"role": message.role, "content": message.text, "tool_calls": calls}
