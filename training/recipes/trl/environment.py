"""GRPO by TRL's own trainer and its own way of playing: our worlds as `environment_factory`.

    python training/recipes/trl/environment.py runs/main-seed0/warm --world tau2-telecom --steps 20

As grpo.py beside it, but TRL generates: with vLLM (`--vllm`, on a GPU) or transformers. Any model
folder will do whose chat template writes tools.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from telejudge_envs.registry import open_world
from telejudge_envs.slots import kinds_of
from telejudge_judges.protocol import Judge
from telejudge_judges.registry import open_judge
from telejudge_training.curriculum import training_tasks
from telejudge_training.judge_training.upstream import upstream
from telejudge_training.trl_environment import GroupJudge, OnGroup, environment_of, rows_of
from telejudge_training.trl_tools import readable


def trainer(
    model: Path,
    run_dir: Path,
    *,
    world: str = "base-station",
    judge: Judge | None = None,
    tasks: int = 200,
    steps: int = 20,
    group: int = 8,
    groups: int = 2,
    tokens: int = 1024,
    learning_rate: float = 2e-4,
    on_group: OnGroup | None = None,
    seed: int = 0,
    **arguments: Any,
) -> Any:
    """TRL's GRPOTrainer; `tokens` are of all that follows the prompt, `arguments` GRPOConfig's."""
    trl, transformers, datasets = map(upstream, ("trl", "transformers", "datasets"))
    here = open_world(world)
    split = {"tau2-telecom": "extra"}.get(world, "train")
    chosen = training_tasks(here, split)[:tasks]
    tokenizer = readable(transformers.AutoTokenizer.from_pretrained(model))
    return trl.GRPOTrainer(
        model=transformers.AutoModelForCausalLM.from_pretrained(model, dtype="float32"),
        processing_class=tokenizer,
        environment_factory=environment_of(here, kinds_of(tokenizer), split=split, seed=seed),
        reward_funcs=GroupJudge(judge or open_judge("verifier"), group, on_group).rewards,
        train_dataset=datasets.Dataset.from_list(rows_of(here, chosen)),
        args=trl.GRPOConfig(
            output_dir=str(run_dir),
            max_steps=steps,
            num_generations=group,
            per_device_train_batch_size=group * groups,
            max_completion_length=tokens,
            max_tool_calling_iterations=max(task.view.max_steps for task in chosen),
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
    parser.add_argument("--run-dir", type=Path, default=Path("runs/trl-environment"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vllm", action="store_true", help="generate with vLLM, on this GPU")
    given = parser.parse_args()
    made = trainer(
        given.model,
        given.run_dir,
        world=given.world,
        steps=given.steps,
        seed=given.seed,
        use_vllm=given.vllm,
    )
    made.train()
    made.save_model(str(given.run_dir / "model"))


if __name__ == "__main__":
    main()
