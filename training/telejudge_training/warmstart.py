"""A recipe, a world and training tasks in; a folder with a warm-started model out.

    warm_start(recipe, crew, tasks, run / "warm", journal, seed=0, emit=print)
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
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.task import Task
from telejudge_training.crew import Crew
from telejudge_training.curriculum import TaskMix
from telejudge_training.demonstrations import Demonstration, demonstrate_all
from telejudge_training.events import OnEvent, Progress
from telejudge_training.files import write_json
from telejudge_training.journal import Journal
from telejudge_training.recipe import EmbeddedRecipe
from telejudge_training.sft import encode_all, train_sft
from telejudge_training.tiny.model import new_model, save
from telejudge_training.tiny.tokenizer import train_tokenizer


def warm_start(
    recipe: EmbeddedRecipe,
    crew: Crew,
    tasks: Sequence[Task],
    folder: Path,
    journal: Journal,
    *,
    seed: int,
    emit: OnEvent,
) -> None:
    """Fill `folder`; it appears only when all is done, so a kill leaves nothing half-made."""
    demos = make_demonstrations(recipe, crew, tasks, seed=seed, emit=emit)
    conversations = [demo.messages for demo in demos]
    tokenizer = train_tokenizer(conversations, **recipe.tokenizer.model_dump())
    model = new_model(tokenizer, recipe.shape, seed=seed)
    if recipe.warm_start == "sft":
        journal.rewind(0)

        def on_step(step: int, steps: int, metrics: dict[str, float]) -> None:
            line = {"step": step, "phase": "sft", **metrics}
            journal.append(line)
            emit(Progress("sft", step, steps, line))

        crew.equip(model, tokenizer)
        examples = encode_all(tokenizer, conversations)
        train_sft(crew, examples, recipe.sft, seed=seed, on_step=on_step)
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    save(model, tokenizer, draft)
    solved = sum(demo.solved for demo in demos) / len(demos)
    write_json(draft / "demonstrations.json", {"count": len(demos), "solved": round(solved, 4)})
    draft.rename(folder)


def make_demonstrations(
    recipe: EmbeddedRecipe, crew: Crew, tasks: Sequence[Task], *, seed: int, emit: OnEvent
) -> list[Demonstration]:
    """The episodes of the world's expert on `tasks`, mixed by the recipe, with names in slots."""
    settings, world = recipe.demonstrations, crew.seat.world
    flaws = {"level": settings.mistakes, **settings.flaws}
    try:
        cast_of(world.name).imperfect(**flaws)
    except UsageError as error:
        raise UsageError(f"demonstrations.flaws: {error}") from error
    mix = TaskMix(world, tasks, recipe.mix, by_level=recipe.by_level)
    return demonstrate_all(
        crew,
        flaws,
        recipe.tokenizer.slots,
        mix.draw(settings.count, random.Random(f"demonstrations|{seed}")),
        seed=seed,
        on_demos=lambda i, n: emit(Progress("demonstrations", i, n, {})),
    )
