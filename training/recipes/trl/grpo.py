"""GRPO by TRL's own trainer on our worlds: any transformers folder, one device.

    python training/recipes/trl/grpo.py runs/main-seed0/warm --world tau2-telecom --steps 20

Our loop plays (`rollout_func`); or TRL itself with `--by environment` (`environment_factory`), and
may then generate with vLLM (`--vllm`, on a GPU). The verifier judges; `open_judge` opens any other
in its place.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from telejudge_envs.nouns.task import Task
from telejudge_envs.protocol import World
from telejudge_envs.registry import open_world
from telejudge_envs.slots import kinds_of
from telejudge_judges.protocol import Judge
from telejudge_judges.registry import open_judge
from telejudge_training.curriculum import select, training_tasks
from telejudge_training.judge_training.upstream import upstream
from telejudge_training.speech import Budget
from telejudge_training.trl_environment import GroupJudge, OnGroup, environment_of, rows_of
from telejudge_training.trl_rollouts import WorldRollouts
from telejudge_training.trl_tools import readable

SPLITS = {"tau2-telecom": "extra"}
"""Where a world's training tasks are, if not in `train`."""

Parts = dict[str, Any]
"""Arguments of GRPOTrainer's, and GRPOConfig's under `args`."""


def by_rollouts(
    world: World,
    tasks: Sequence[Task],
    judge: Judge,
    *,
    budget: Budget | None = None,
    on_group: OnGroup | None = None,
    seed: int = 0,
    **_: Any,
) -> Parts:
    """Our loop plays with the trainer's model, in solo or dual mode."""
    budget = budget or Budget(1024, 1024, 64)
    rollouts = WorldRollouts(world, judge, budget, seed, 32, on_group)
    return {
        "rollout_func": rollouts,
        "reward_funcs": rollouts.rewards,
        "rows": rollouts.rows(tasks),
        "args": {},
    }


def by_environment(
    world: World,
    tasks: Sequence[Task],
    judge: Judge,
    *,
    tokenizer: Any,
    group: int,
    tokens: int = 1024,
    on_group: OnGroup | None = None,
    seed: int = 0,
) -> Parts:
    """TRL plays; `tokens` are of all that follows the prompt. Solo mode only."""
    kinds = kinds_of(readable(tokenizer))
    return {
        "environment_factory": environment_of(world, kinds, split=tasks[0].view.split, seed=seed),
        "reward_funcs": GroupJudge(judge, group, on_group).rewards,
        "rows": rows_of(world, tasks),
        "args": {
            "max_completion_length": tokens,
            "max_tool_calling_iterations": max(task.view.max_steps for task in tasks),
        },
    }


def trainer(
    model: Path,
    run_dir: Path,
    *,
    world: str = "base-station",
    by: Callable[..., Parts] = by_rollouts,
    judge: Judge | None = None,
    tasks: int = 256,
    steps: int = 20,
    group: int = 8,
    groups: int = 2,
    learning_rate: float = 2e-4,
    options: dict[str, Any] | None = None,
    seed: int = 0,
    **arguments: Any,
) -> Any:
    """TRL's GRPOTrainer; `tasks` at even distances (0: all), `options` are those of `by`,
    `arguments` GRPOConfig's own."""
    trl, transformers, datasets = map(upstream, ("trl", "transformers", "datasets"))
    here = open_world(world)
    chosen = select(training_tasks(here, SPLITS.get(world, "train")), limit=tasks)
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    given = {"tokenizer": tokenizer, "group": group, "seed": seed, **(options or {})}
    parts = by(here, chosen, judge or open_judge("verifier"), **given)
    rows, settings = parts.pop("rows"), parts.pop("args")
    return trl.GRPOTrainer(
        model=transformers.AutoModelForCausalLM.from_pretrained(model, dtype="float32"),
        processing_class=tokenizer,
        train_dataset=datasets.Dataset.from_list(rows),
        **parts,
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
                **settings,
                **arguments,
            },
        ),
    )


def main() -> None:
    """The command above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--world", default="base-station")
    parser.add_argument("--by", choices=("rollouts", "environment"), default="rollouts")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--run-dir", type=Path, default=Path("runs/trl"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vllm", action="store_true", help="--by environment: TRL's own vLLM")
    given = parser.parse_args()
    made = trainer(
        given.model,
        given.run_dir,
        world=given.world,
        by=by_environment if given.by == "environment" else by_rollouts,
        steps=given.steps,
        seed=given.seed,
        use_vllm=given.vllm,
    )
    made.train()
    made.save_model(str(given.run_dir / "model"))


if __name__ == "__main__":
    main()
