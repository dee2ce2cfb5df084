"""A tiny policy for the recipe cpu_smoke: a world's demonstrations in, a model folder out.

    python -m telejudge_training.verl_backend.tiny_policy runs/tiny-policy --demonstrations 200

The tokenizer is trained on the demonstrations and the weights are random, or learn from them for
`--epochs`. A warm start worth the name is in the run directory of the embedded trainer (`warm/`),
whose folders verl takes as they are.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from telejudge_envs.registry import open_world
from telejudge_judges.verifier import Verifier
from telejudge_training.crew import Crew
from telejudge_training.curriculum import training_tasks
from telejudge_training.files import read_json
from telejudge_training.journal import Journal
from telejudge_training.recipe import EmbeddedRecipe, load_recipe
from telejudge_training.tiny import model as tiny_model
from telejudge_training.warmstart import warm_start

DONE = "config.json"


def make_policy(recipe: EmbeddedRecipe, folder: Path, seed: int) -> dict[str, object]:
    """Run the embedded trainer's warm start alone; returns the model's configuration."""
    world = open_world(recipe.world)
    tasks = training_tasks(world, recipe.train_split, recipe.train_levels)
    with Crew(world, Verifier(lambda name: world), shares=recipe.shares) as crew:
        journal = Journal(folder.parent / f"{folder.name}-metrics.jsonl")
        warm_start(recipe, crew, tasks, folder, journal, seed=seed, emit=lambda event: None)
    tiny_model.load(folder)
    return read_json(folder / DONE)


def main() -> None:
    """The command above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--world", default="base-station")
    parser.add_argument("--demonstrations", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    recipe = load_recipe(None, given.world).with_(
        name="tiny-policy",
        demonstrations={"count": given.demonstrations},
        sft={"epochs": given.epochs},
    )
    made = make_policy(recipe, given.folder, given.seed)
    print(f"{given.folder}: hidden size {made['hidden_size']}, {made['vocab_size']} tokens")


if __name__ == "__main__":
    main()
