"""Recipes for verl: a few numbers of ours, and verl's own configuration where it differs.

    recipe = gpu("mine").with_(loop={"turn_tokens": 512}, verl={"trainer.nnodes": 2})
    load_recipe("cpu_smoke")                 # or a file that defines `recipe`

`verl` holds dotted names of verl's configuration; one with a `+` adds what verl's schema does not
list (in dictionaries that it leaves open). Shipped recipes are files in training/recipes/verl/.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from telejudge_training.settings import Recipe, Settings, recipe_of_file
from telejudge_training.verl_backend.settings import CUSTOM, LOOP_NAME, LoopSettings

_HERE = Path(__file__).parent
SHIPPED = next(
    (path for path in (_HERE / "recipes", _HERE.parents[1] / "recipes" / "verl") if path.is_dir()),
    _HERE,
)
"""Beside this file in an installed package, training/recipes/verl in a checkout."""

PLUGIN = "telejudge_training.verl_backend.plugin"


class DataSettings(Settings):
    """Which tasks; 0 takes all, otherwise so many at even distances."""

    train_split: str = "train"
    train_levels: tuple[int, ...] = ()
    train_tasks: int = Field(default=0, ge=0)
    val_split: str = "dev"
    val_levels: tuple[int, ...] = ()
    val_tasks: int = Field(default=64, ge=0)


class VerlRecipe(Recipe):
    """What `telejudge train agent --backend verl` does."""

    loop: LoopSettings = LoopSettings()
    data: DataSettings = DataSettings()
    verl: dict[str, Any] = Field(default_factory=dict)
    """Of verl's configuration, by dotted names."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables of the trainer's process and of all of verl's workers."""

    @property
    def model(self) -> str | None:
        """The policy to begin with: a folder, or a name at a model hub."""
        return self.verl.get(MODEL)

    def overrides(self, data: Path, run_dir: Path, seed: int) -> dict[str, Any]:
        """All that differs from verl's defaults, with the paths of a run."""
        loop = self.loop.model_copy(
            update={"record": self.loop.record or run_dir / "record", "seed": seed}
        )
        return {
            "data.train_files": str(data / "train.parquet"),
            "data.val_files": str(data / "val.parquet"),
            "data.seed": seed,
            "actor_rollout_ref.rollout.seed": seed,
            "actor_rollout_ref.actor.data_loader_seed": seed,
            "trainer.default_local_dir": str(run_dir / "checkpoints"),
            "trainer.experiment_name": f"{self.name}-seed{seed}",
            f"+actor_rollout_ref.rollout.custom.{CUSTOM}": loop.model_dump(mode="json"),
            "+ray_kwargs.ray_init.runtime_env.env_vars": self.variables(run_dir),
            **self.verl,
        }

    def variables(self, run_dir: Path) -> dict[str, str]:
        """The environment that verl's processes need, on every node."""
        return {
            "VERL_USE_EXTERNAL_MODULES": PLUGIN,
            "TENSORBOARD_DIR": str(run_dir / "tensorboard"),
            **self.environment,
        }


MODEL = "actor_rollout_ref.model.path"


def base(name: str) -> VerlRecipe:
    """What all our recipes share: GRPO by our groups, the V1 trainer, our agent loop."""
    return VerlRecipe(
        name=name,
        verl={
            "algorithm.adv_estimator": "telejudge_grpo",
            "algorithm.use_kl_in_reward": False,
            "data.return_raw_chat": True,
            "data.filter_overlong_prompts": False,  # the prompt is written in the loop
            "data.truncation": "error",
            "actor_rollout_ref.rollout.calculate_log_probs": True,
            "actor_rollout_ref.rollout.multi_turn.enable": True,
            "actor_rollout_ref.rollout.agent.default_agent_loop": LOOP_NAME,
            "trainer.use_v1": True,
            "trainer.v1.trainer_mode": "sync",
            "trainer.project_name": "telejudge",
            "trainer.resume_mode": "auto",
            "trainer.logger": ["console", "tensorboard"],
        },
    )


def gpu(name: str) -> VerlRecipe:
    """GPUs with vLLM: a listwise judge at a second server, clip-higher, a little KL, and no steps
    spent on groups whose rewards are all equal."""
    return base(name).with_(
        loop={
            "judge": {
                "judge": "listwise",
                "base_url": "http://127.0.0.1:8100/v1",
                "model": "judge",
                "orders": 2,
                "budget": 48_000,
                "concurrency": 32,
                "sampling": {"temperature": 0.0, "max_tokens": 4096},
            },
        },
        verl={
            "algorithm.filter_groups.enable": True,
            "algorithm.filter_groups.metric": "reward",
            "actor_rollout_ref.model.use_remove_padding": True,
            "actor_rollout_ref.model.enable_gradient_checkpointing": True,
            "actor_rollout_ref.actor.strategy": "fsdp2",
            "actor_rollout_ref.actor.fsdp_config.strategy": "fsdp2",
            "actor_rollout_ref.actor.use_dynamic_bsz": True,
            "actor_rollout_ref.actor.clip_ratio_low": 0.2,
            "actor_rollout_ref.actor.clip_ratio_high": 0.28,
            "actor_rollout_ref.actor.use_kl_loss": True,
            "actor_rollout_ref.actor.kl_loss_coef": 0.001,
            "actor_rollout_ref.actor.kl_loss_type": "low_var_kl",
            "actor_rollout_ref.actor.loss_agg_mode": "token-mean",
            "actor_rollout_ref.rollout.name": "vllm",
            "actor_rollout_ref.rollout.multi_turn.format": "hermes",
            "actor_rollout_ref.rollout.val_kwargs.do_sample": True,
            "actor_rollout_ref.rollout.val_kwargs.temperature": 0.7,
            "actor_rollout_ref.rollout.val_kwargs.n": 4,
            "trainer.nnodes": 1,
            "trainer.save_freq": 20,
            "trainer.test_freq": 10,
            "trainer.max_actor_ckpt_to_keep": 2,
        },
    )


def shipped() -> tuple[str, ...]:
    """Names of the recipes that come with the repository."""
    return tuple(sorted(file.stem for file in SHIPPED.glob("*.py")))


def load_recipe(name: str) -> VerlRecipe:
    """A shipped recipe by name, or the `recipe` of a Python file.

    Raises UsageError naming the choices.
    """
    path = SHIPPED / f"{name}.py" if name in shipped() else Path(name)
    return recipe_of_file(path, VerlRecipe, ", ".join(shipped()))
