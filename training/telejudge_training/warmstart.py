"""A recipe, a world and training tasks in; a folder with a warm-started model out.

    warm_start(recipe, world, tasks, run / "warm", journal, seed=0, emit=print)
    model, tokenizer = load(run / "warm")

Demonstrations of the imperfect expert are made, the tokenizer is trained on them, and then the
model. Nothing pre-trained goes in. With `warm_start="none"` the demonstrations only give the
tokenizer its vocabulary (a model cannot speak without one) and the weights stay random.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path

from telejudge_agents.scripted.registry import cast_of
from telejudge_agents.slots import Kinds, Slots
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import Task
from telejudge_envs.protocol import World
from telejudge_training.curriculum import TaskMix
from telejudge_training.demonstrations import Demonstration, demonstrate
from telejudge_training.events import OnEvent, Progress
from telejudge_training.files import write_json
from telejudge_training.journal import Journal
from telejudge_training.recipe import EmbeddedRecipe
from telejudge_training.sft import encode, train_sft
from telejudge_training.tiny.model import new_model, save
from telejudge_training.tiny.tokenizer import train_tokenizer


def warm_start(
    recipe: EmbeddedRecipe,
    world: World,
    tasks: Sequence[Task],
    folder: Path,
    journal: Journal,
    *,
    seed: int,
    emit: OnEvent,
) -> None:
    """Fill `folder`; it appears only when all is done, so a kill leaves nothing half-made."""
    demos = make_demonstrations(recipe, world, tasks, seed=seed, emit=emit)
    conversations = [in_slots(demo.messages, recipe.tokenizer.slots) for demo in demos]
    tokenizer = train_tokenizer(conversations, **recipe.tokenizer.model_dump())
    model = new_model(tokenizer, recipe.shape, seed=seed)
    if recipe.warm_start == "sft":
        journal.rewind(0)

        def on_step(step: int, steps: int, metrics: dict[str, float]) -> None:
            line = {"step": step, "phase": "sft", **metrics}
            journal.append(line)
            emit(Progress("sft", step, steps, line))

        examples = [encode(tokenizer, conversation) for conversation in conversations]
        train_sft(model, examples, recipe.sft, seed=seed, on_step=on_step)
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    save(model, tokenizer, draft)
    solved = sum(demo.solved for demo in demos) / len(demos)
    write_json(draft / "demonstrations.json", {"count": len(demos), "solved": round(solved, 4)})
    draft.rename(folder)


def make_demonstrations(
    recipe: EmbeddedRecipe, world: World, tasks: Sequence[Task], *, seed: int, emit: OnEvent
) -> list[Demonstration]:
    """The episodes of the world's expert on `tasks`, mixed by the recipe."""
    settings = recipe.demonstrations
    cast = cast_of(world.name)
    try:
        expert = cast.imperfect(**{"level": settings.mistakes, **settings.flaws})
    except UsageError as error:
        raise UsageError(f"demonstrations.flaws: {error}") from error
    mix = TaskMix(world, tasks, recipe.mix, by_level=recipe.by_level)
    return demonstrate(
        world,
        expert,
        mix.draw(settings.count, random.Random(f"demonstrations|{seed}")),
        seed=seed,
        on_demo=lambda i, n: emit(Progress("demonstrations", i, n, {})),
    )


def in_slots(messages: Sequence[Message], kinds: Kinds) -> tuple[Message, ...]:
    """A conversation as the tiny model sees it; the system message, which it never sees, is out."""
    if not kinds:
        return tuple(messages)
    slots = Slots(kinds)
    return tuple(slots.hide_message(m) for m in messages if m.role != "system")
