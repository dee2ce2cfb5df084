"""What the tiny model reads of the base-station world: short, and nothing it must write is lost."""

from __future__ import annotations

import json
from statistics import fmean

import pytest

from telejudge_agents.scripted.base_station.engineer import engineer
from telejudge_envs.base_station.world import BaseStation
from telejudge_envs.nouns.message import Message
from telejudge_envs.slots import Slots
from telejudge_training.curriculum import select
from telejudge_training.demonstrations import Demonstration, demonstrate, in_slots
from telejudge_training.recipe import load_recipe
from telejudge_training.sft import encode
from telejudge_training.tiny.tokenizer import parse_reply, render_reply, train_tokenizer

VIEW = load_recipe(world="base-station").tokenizer


@pytest.fixture(scope="module")
def world() -> BaseStation:
    return BaseStation()


@pytest.fixture(scope="module")
def demos(world: BaseStation) -> list[Demonstration]:
    tasks = select(world.tasks("train"), levels=(1, 2), limit=150)
    return demonstrate(world, engineer(), tasks, seed=0)


@pytest.fixture(scope="module")
def tokenizer(demos: list[Demonstration]):
    shown = [in_slots(demo.messages, VIEW.slots) for demo in demos]
    return train_tokenizer(shown, **VIEW.model_dump())


def test_what_the_model_learns_to_write_means_what_the_expert_did(demos, tokenizer):
    """Hidden, cut, encoded, decoded and shown again, every call is the same: only the alarms that
    are left are not reported."""
    for demo in demos:
        slots = Slots(VIEW.slots)
        for message in demo.messages[1:]:
            hidden = slots.hide_message(message)
            if message.role == "assistant":
                ids = tokenizer.encode(render_reply(hidden), add_special_tokens=False)
                said = slots.show_message(parse_reply(tokenizer.decode(ids), "call"))
                assert _calls(said) == _calls(message), demo.task_id


def test_an_episode_is_short(demos, tokenizer):
    shown = [encode(tokenizer, in_slots(demo.messages, VIEW.slots)) for demo in demos]
    assert fmean(len(one.ids) for one in shown) < 250


def test_different_faults_look_different(world, demos, tokenizer):
    """The readings of different single faults are never the same tokens."""
    looks: dict[tuple[int, ...], str] = {}
    for demo in demos:
        atoms = world.task(demo.task_id).hidden["spec"]["atoms"]
        if len(atoms) > 1:
            continue
        heard = [m for m in in_slots(demo.messages, VIEW.slots) if m.role == "tool"]
        ids = tuple(encode(tokenizer, heard).ids)
        assert looks.setdefault(ids, atoms[0][:2]) == atoms[0][:2]


def _calls(message: Message) -> list[tuple[str, str]]:
    found = []
    for call in message.tool_calls:
        arguments = {k: v for k, v in call.arguments.items() if k != "residual_alarms"}
        found.append((call.name, json.dumps(arguments, sort_keys=True)))
    return found
