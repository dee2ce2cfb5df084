"""GRPO by TRL's own trainer on our worlds: any transformers folder, one device.

    python training/recipes/trl/grpo.py runs/main-seed0/warm --world tau2-telecom --steps 20

The verifier judges; `open_judge` opens any other in its place.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from telejudge_envs.registry import open_world
from telejudge_judges.protocol import Judge
from telejudge_judges.registry import open_judge
from telejudge_training.curriculum import training_tasks
from telejudge_training.judge_training.upstream import upstream
from telejudge_training.speech import Budget
from telejudge_training.trl_rollouts import OnGroup, WorldRollouts


def trainer(
    model: Path,
    run_dir: Path,
    *,
    world: str = "base-station",
    judge: Judge | None = None,
    steps: int = 20,
    group: int = 8,
    groups: int = 2,
    learning_rate: float = 2e-4,
    budget: Budget | None = None,
    on_group: OnGroup | None = None,
    seed: int = 0,
    **arguments: Any,
) -> Any:
    """TRL's GRPOTrainer; `arguments` are GRPOConfig's own."""
    trl, transformers, datasets = map(upstream, ("trl", "transformers", "datasets"))
    here = open_world(world)
    rollouts = WorldRollouts(
        here, judge or open_judge("verifier"), budget or Budget(1024, 1024, 64), seed, 32, on_group
    )
    split = {"tau2-telecom": "extra"}.get(world, "train")
    rows = rollouts.rows(training_tasks(here, split))
    return trl.GRPOTrainer(
        model=transformers.AutoModelForCausalLM.from_pretrained(model, dtype="float32"),
        processing_class=transformers.AutoTokenizer.from_pretrained(model),
        reward_funcs=rollouts.rewards,
        rollout_func=rollouts,
        train_dataset=datasets.Dataset.from_list(rows),
        args=trl.GRPOConfig(
            output_dir=str(run_dir),
            max_steps=steps,
            num_generations=group,
            per_device_train_batch_size=group * groups,
            learning_rate=learning_rate,
            beta=0.0,
            loss_type="dr_grpo",
            scale_rewards="group",
            logging_steps=1,
            report_to="none",
            seed=seed,
            **{
                "bf16": False,
                "gradient_checkpointing": False,
                "dataloader_pin_memory": False,
                **arguments,
            },
        ),
    )


def main() -> None:
    """The command above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--world", default="base-station")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--run-dir", type=Path, default=Path("runs/trl"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    made = trainer(
        given.model, given.run_dir, world=given.world, steps=given.steps, seed=given.seed
    )
    made.train()
    made.save_model(str(given.run_dir / "model"))


if __name__ == "__main__":
    main()
