"""A warm-started tiny model goes on learning base stations with verl, on a laptop: 40 steps.

The embedded trainer makes the warm start (`warm/` in its run directory); its numbers are taken
over where verl has them (no discount for negative advantages, one thread).
"""

from telejudge_training.verl_backend.recipe import load_recipe

ACTOR, ROLLOUT = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"

recipe = load_recipe("cpu_smoke").with_(
    name="cpu_basestation",
    loop={"record_groups_every": 10},
    data={
        "train_levels": (1,),
        "train_tasks": 0,
        "val_split": "test",
        "val_levels": (1,),
        "val_tasks": 40,
    },
    verl={
        "actor_rollout_ref.model.path": "runs/basestation-seed0/warm",
        "data.train_batch_size": 4,
        "algorithm.norm_adv_by_std_in_grpo": False,
        f"{ACTOR}.ppo_mini_batch_size": 4,
        f"{ACTOR}.ppo_micro_batch_size_per_gpu": 16,
        f"{ACTOR}.ppo_epochs": 2,
        f"{ACTOR}.optim.lr": 2e-4,
        f"{ROLLOUT}.n": 8,
        f"{ROLLOUT}.temperature": 0.7,
        f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu": 16,
        f"{ROLLOUT}.val_kwargs.n": 4,
        f"{ROLLOUT}.val_kwargs.temperature": 0.7,
        "trainer.total_training_steps": 40,
        "trainer.test_freq": 40,
        "trainer.save_freq": 20,
    },
)
