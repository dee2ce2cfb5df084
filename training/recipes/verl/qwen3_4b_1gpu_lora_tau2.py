"""Qwen3-4B with LoRA on τ2-bench's telecom tickets: one 80 GB GPU, and a judge at an endpoint."""

from telejudge_training.verl_backend.recipe import gpu

ACTOR, ROLLOUT = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"

recipe = gpu("qwen3_4b_1gpu_lora_tau2").with_(
    loop={"world": "tau2-telecom", "turn_tokens": 1024},
    data={"train_split": "extra", "train_tasks": 512, "val_split": "test", "val_tasks": 40},
    verl={
        "actor_rollout_ref.model.path": "Qwen/Qwen3-4B",
        "actor_rollout_ref.model.lora_rank": 32,
        "actor_rollout_ref.model.lora_alpha": 64,
        "actor_rollout_ref.model.target_modules": "all-linear",
        "data.train_batch_size": 16,
        "data.max_prompt_length": 16_384,
        "data.max_response_length": 8_192,
        f"{ACTOR}.ppo_mini_batch_size": 8,
        f"{ACTOR}.ppo_max_token_len_per_gpu": 24_576,
        f"{ACTOR}.fsdp_config.param_offload": True,
        f"{ACTOR}.fsdp_config.optimizer_offload": True,
        f"{ACTOR}.optim.lr": 2e-5,
        f"{ROLLOUT}.n": 8,
        f"{ROLLOUT}.temperature": 1.0,
        f"{ROLLOUT}.tensor_model_parallel_size": 1,
        f"{ROLLOUT}.load_format": "safetensors",  # LoRA: vLLM loads the base model itself
        f"{ROLLOUT}.gpu_memory_utilization": 0.5,
        f"{ROLLOUT}.max_model_len": 24_576,
        f"{ROLLOUT}.log_prob_max_token_len_per_gpu": 24_576,
        f"{ROLLOUT}.agent.num_workers": 4,
        "trainer.n_gpus_per_node": 1,
        "trainer.total_epochs": 3,
    },
)
