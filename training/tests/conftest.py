"""A real world, real demonstrations, and a tiny model trained on them for a moment."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pytest

from telejudge_agents.scripted.expert import expert
from telejudge_envs.tau2_telecom.world import Tau2Telecom
from telejudge_judges.verifier import Verifier
from telejudge_training.curriculum import TaskMix, training_tasks
from telejudge_training.demonstrations import Demonstration, demonstrate


@dataclass(frozen=True)
class Bench:
    """What most tests of the trainer need."""

    world: Tau2Telecom
    judge: Verifier
    mix: TaskMix
    demos: list[Demonstration]
    tokenizer: Any
    model: Any


@pytest.fixture(scope="session")
def bench() -> Bench:
    import torch

    from telejudge_training.crew import Crew
    from telejudge_training.settings import SftSettings, ShapeSettings
    from telejudge_training.sft import encode_all, train_sft
    from telejudge_training.tiny.model import new_model
    from telejudge_training.tiny.tokenizer import train_tokenizer

    torch.set_num_threads(1)
    world = Tau2Telecom()
    mix = TaskMix(world, training_tasks(world, "extra"), {"mms": 1, "data": 1, "service": 1})
    demos = demonstrate(world, expert(), mix.draw(120, random.Random(0)), seed=0)
    tokenizer = train_tokenizer([d.messages for d in demos])
    model = new_model(tokenizer, ShapeSettings(hidden=64, intermediate=128), seed=0)
    judge = Verifier(lambda name: world)
    with Crew(world, judge) as crew:
        crew.equip(model, tokenizer)
        messages = [d.messages for d in demos]
        train_sft(crew, encode_all(tokenizer, messages), SftSettings(epochs=5), seed=0)
    return Bench(world, judge, mix, demos, tokenizer, model)
