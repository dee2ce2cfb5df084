"""verl's agent loop over both worlds: its real base class, no Ray, no model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from verl_harness import (
    ScriptedServer,
    chatml_tokenizer,
    configuration,
    loops,
    needs_verl,
    row,
    tiny_tokenizer,
)

from telejudge_envs.registry import open_world

pytestmark = needs_verl

LOOK = {"base-station": "get_clock", "tau2-telecom": "check_network_status"}


def call_text(name: str, **arguments: Any) -> str:
    said = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{said}\n</tool_call>"


class Speech:
    """Says the same few turns in every episode; `said` are the very ids, by request."""

    def __init__(self, tokenizer: Any, *turns: str, ended: bool = True) -> None:
        self.tokenizer, self.turns, self.ended = tokenizer, turns, ended
        self.counts: dict[int, int] = {}
        self.said: list[list[int]] = []

    def __call__(self, prompt: Sequence[int], number: int) -> tuple[list[int], list[float]]:
        heard = self.tokenizer.decode(list(prompt))
        turn = sum(heard.count(mark) for mark in ("<tool_response>", "<|tool|>"))
        ids = self.tokenizer.encode(self.turns[min(turn, len(self.turns) - 1)])
        ids = ids + [self.tokenizer.eos_token_id] * self.ended
        self.said.append(ids)
        return ids, [-0.25] * len(ids)


def a_task(world: str) -> Any:
    here = open_world(world)
    return here.tasks("train" if "train" in here.splits else here.splits[0])[0]


def play(
    world: str, tokenizer: Any, server: ScriptedServer, model_type: str, **changes: Any
) -> list[Any]:
    split, loop = changes.pop("split", "train"), changes.pop("loop", {})
    config = configuration(Path("model"), {"world": world, **loop}, **changes)
    size = 4 if split == "train" else 2
    task = a_task(world)

    async def all_of_them() -> list[Any]:
        made = loops(config, tokenizer, server, size, model_type)
        runs = (one.run({}, **row(task, s, split=split)) for s, one in enumerate(made))
        outputs = await asyncio.wait_for(asyncio.gather(*runs, return_exceptions=True), 60)
        assert len(made[0].office.barrier) == 0
        return outputs

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("world", sorted(LOOK))
@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_only_the_agents_own_ids_carry_mask_and_logprob(world: str, family: str):
    tokenizer = tiny_tokenizer() if family == "llama" else chatml_tokenizer()
    speech = Speech(tokenizer, call_text(LOOK[world]), call_text("not_a_tool"), "I give up.")
    server = ScriptedServer(speech)
    outputs = play(
        world,
        tokenizer,
        server,
        family,
        **{"data.max_prompt_length": 200_000, "data.max_response_length": 4000},
    )
    for output in outputs:
        assert not isinstance(output, BaseException), output
        said = [i for i, m in zip(output.response_ids, output.response_mask, strict=True) if m]
        turns = [speech.tokenizer.encode(text) for text in speech.turns]
        expected = [i for turn in turns for i in [*turn, tokenizer.eos_token_id]]
        assert said == expected, "the very ids that the server gave, in order"
        for mask, logprob in zip(output.response_mask, output.response_logprobs, strict=True):
            assert logprob == (-0.25 if mask else 0.0)
        assert output.extra_fields["min_global_steps"] == 1
    prompts = [asked["prompt"] for asked in server.asked]
    whole = outputs[0].prompt_ids + outputs[0].response_ids
    grown = [p for p in prompts if p == whole[: len(p)]]
    assert len(grown) >= 3, "each turn's prompt is the tape so far, never text read again"
    if family == "qwen2":
        text = tokenizer.decode(whole)
        assert "</tool_call><|im_end|>\n<|im_start|>user\n<tool_response>" in text


def test_a_turn_that_was_cut_is_ended_outside_the_loss():
    tokenizer = chatml_tokenizer()
    server = ScriptedServer(Speech(tokenizer, call_text("get_clock") + "x" * 400))
    outputs = play(
        "base-station",
        tokenizer,
        server,
        "qwen2",
        loop={"turn_tokens": 60},
        **{"data.max_prompt_length": 200_000, "data.max_response_length": 3000},
    )
    output = outputs[0]
    assert {asked["max_tokens"] for asked in server.asked} <= {*range(1, 61)}
    ends = [k for k, i in enumerate(output.response_ids[:-1]) if i == tokenizer.eos_token_id]
    assert ends
    assert output.response_mask[60] == 0
    assert output.response_ids[60] == tokenizer.eos_token_id
    facts = output.extra_fields["reward_extra_info"]
    assert facts["cut_response"] + facts["cut_turn"] == 1.0
    assert len(output.response_ids) <= 3000


def test_a_prompt_that_is_too_long_is_told_and_not_cut():
    tokenizer = chatml_tokenizer()
    outputs = play("base-station", tokenizer, ScriptedServer(Speech(tokenizer, "hello")), "qwen2")
    assert all("allowed has 4,096" in str(output) for output in outputs)


def rewarded(world: str = "base-station", **changes: Any) -> tuple[list[Any], ScriptedServer]:
    """Four members: two look first, two give up at once."""
    tokenizer = tiny_tokenizer()
    say = Speech(tokenizer, call_text("get_clock"), "Done.")
    server = ScriptedServer(say)
    return play(world, tokenizer, server, "llama", **changes), server


def test_a_members_server_that_fails_masks_it_and_the_siblings_go_on():
    tokenizer = tiny_tokenizer()
    usual = Speech(tokenizer, call_text("get_clock"), "Done.")

    def failing(prompt: Sequence[int], number: int) -> tuple[list[int], list[float]]:
        if number == 2:
            raise RuntimeError("CUDA error")
        return usual(prompt, number)

    outputs = play("base-station", tokenizer, ScriptedServer(failing), "llama")
    masked = [o for o in outputs if not any(o.response_mask)]
    assert len(masked) == 1
    others = [o.reward_score for o in outputs if any(o.response_mask)]
    assert masked[0].reward_score == pytest.approx(sum(others) / 3)
    facts = masked[0].extra_fields["reward_extra_info"]
    assert (facts["masked"], facts["judge_reward"]) == (1.0, None)
    assert len(masked[0].response_ids) == len(masked[0].response_mask) >= 1


def test_a_group_whose_members_all_fail_is_lost_as_a_whole():
    def dead(prompt: Sequence[int], number: int) -> tuple[list[int], list[float]]:
        raise ConnectionError("no server")

    outputs = play("base-station", tiny_tokenizer(), ScriptedServer(dead), "llama")
    assert {type(output).__name__ for output in outputs} == {"GroupLostError"}


def test_validation_has_its_own_size_and_an_unknown_reward_is_no_number():
    def dead(prompt: Sequence[int], number: int) -> tuple[list[int], list[float]]:
        raise ConnectionError("no server")

    outputs, _ = rewarded(split="val")
    assert len(outputs) == 2
    assert all(output.reward_score == output.reward_score for output in outputs)
    outputs = play("base-station", tiny_tokenizer(), ScriptedServer(dead), "llama", split="val")
    assert all(output.reward_score != output.reward_score for output in outputs)
    assert all("acc" not in o.extra_fields["reward_extra_info"] for o in outputs)


def test_validation_can_be_scored_by_the_world():
    outputs, _ = rewarded(split="val", loop={"validate_with": "world"})
    assert [output.reward_score for output in outputs] == [0.0, 0.0]


def test_the_technician_is_part_of_the_world():
    tokenizer = tiny_tokenizer()
    server = ScriptedServer(Speech(tokenizer, "Please look at the lamps.", "Thank you."))
    outputs = play(
        "base-station",
        tokenizer,
        server,
        "llama",
        loop={"mode": "dual"},
        **{"data.max_response_length": 3000},
    )
    assert not isinstance(outputs[0], BaseException), outputs[0]
    text = tokenizer.decode(outputs[0].response_ids)
    assert "<|user|>" in text, "he answered"


def test_other_formats_are_read_by_verls_parser_of_that_name():
    tokenizer = chatml_tokenizer()
    call = "<tool_call>\n<function=get_clock>\n</function>\n</tool_call>"
    server = ScriptedServer(Speech(tokenizer, call, "Done."))
    outputs = play(
        "base-station",
        tokenizer,
        server,
        "qwen2",
        **{
            "data.max_prompt_length": 200_000,
            "data.max_response_length": 3000,
            "actor_rollout_ref.rollout.multi_turn.format": "qwen3_coder",
        },
    )
    assert not isinstance(outputs[0], BaseException), outputs[0]
    assert outputs[0].extra_fields["reward_extra_info"]["calls"] == 1


def test_an_error_of_our_own_is_never_the_policys_failure(monkeypatch: pytest.MonkeyPatch):
    from telejudge_training.verl_backend.continuous import ContinuousVoice

    async def broken(*_: Any) -> Any:
        raise KeyError("a bug")

    monkeypatch.setattr(ContinuousVoice, "hear", broken)
    outputs, _ = rewarded(split="val")
    facts = [output.extra_fields["reward_extra_info"] for output in outputs]
    assert all(fact["masked"] == 1.0 and fact["success"] is None for fact in facts)
