"""Qwen3-8B learns to repair base stations: eight H100 for the policy, a listwise judge beside it.

The judge's server has its own GPUs (docs/verl.md has both commands); 512 rollouts a step.
"""

from telejudge_training.verl_backend.recipe import gpu

ACTOR, ROLLOUT = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"

recipe = gpu("qwen3_8b_8xh100_basestation").with_(
    loop={"world": "base-station", "turn_tokens": 2048},
    data={"train_levels": (1, 2, 3), "val_split": "dev", "val_tasks": 64},
    verl={
        "actor_rollout_ref.model.path": "Qwen/Qwen3-8B",
        "data.train_batch_size": 64,
        "data.max_prompt_length": 20_480,
        "data.max_response_length": 12_288,
        f"{ACTOR}.ppo_mini_batch_size": 32,
        f"{ACTOR}.ppo_max_token_len_per_gpu": 32_768,
        f"{ACTOR}.ulysses_sequence_parallel_size": 2,
        f"{ACTOR}.optim.lr": 1e-6,
        f"{ROLLOUT}.n": 8,
        f"{ROLLOUT}.temperature": 1.0,
        f"{ROLLOUT}.tensor_model_parallel_size": 2,
        f"{ROLLOUT}.gpu_memory_utilization": 0.6,
        f"{ROLLOUT}.max_model_len": 32_768,
        f"{ROLLOUT}.log_prob_max_token_len_per_gpu": 32_768,
        f"{ROLLOUT}.agent.num_workers": 8,
        "trainer.n_gpus_per_node": 8,
        "trainer.total_epochs": 4,
    },
)
