"""verl's whole trainer on two cores: a tiny model, three steps, a checkpoint. It learns next to
nothing; `python -m telejudge_training.verl_backend.tiny_policy` makes the model."""

from telejudge_training.verl_backend.recipe import base

GROUP, PROMPTS = 4, 2
ACTOR, ROLLOUT = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"

recipe = base("cpu_smoke").with_(
    loop={
        "world": "base-station",
        "judge": {"judge": "verifier"},
        "turn_tokens": 48,
        "record_groups_every": 1,
    },
    data={"train_levels": (1,), "train_tasks": 16, "val_levels": (1,), "val_tasks": 4},
    environment={
        "VERL_PLATFORM": "cpu",
        "VERL_ENGINE_DEVICE": "cuda",
        "GLOO_SOCKET_IFNAME": "lo",
        # Workers take turns on few cores: Ray shall not give up on one that is slow to come up.
        "RAY_worker_register_timeout_seconds": "600",
        "RAY_health_check_timeout_ms": "60000",
        "RAY_USAGE_STATS_ENABLED": "0",
    },
    verl={
        "actor_rollout_ref.model.path": "runs/tiny-policy",
        "data.train_batch_size": PROMPTS,
        "data.max_prompt_length": 256,
        "data.max_response_length": 512,
        "data.dataloader_num_workers": 0,
        "actor_rollout_ref.model.use_remove_padding": False,
        "+actor_rollout_ref.model.override_config.attn_implementation": "sdpa",
        f"{ACTOR}.strategy": "fsdp2",
        f"{ACTOR}.fsdp_config.strategy": "fsdp2",
        f"{ACTOR}.use_torch_compile": False,
        f"{ACTOR}.fsdp_config.use_torch_compile": False,
        f"+{ACTOR}.fsdp_config.mixed_precision.param_dtype": "fp32",
        f"+{ACTOR}.fsdp_config.mixed_precision.reduce_dtype": "fp32",
        f"{ACTOR}.ppo_mini_batch_size": PROMPTS,
        f"{ACTOR}.ppo_micro_batch_size_per_gpu": GROUP,
        f"{ACTOR}.use_kl_loss": False,
        f"{ACTOR}.optim.lr": 1e-3,
        f"{ROLLOUT}.name": "telejudge_cpu",
        f"{ROLLOUT}.n": GROUP,
        f"{ROLLOUT}.tensor_model_parallel_size": 1,
        f"{ROLLOUT}.log_prob_micro_batch_size_per_gpu": GROUP,
        f"{ROLLOUT}.val_kwargs.n": 2,
        f"{ROLLOUT}.val_kwargs.do_sample": True,
        f"{ROLLOUT}.val_kwargs.temperature": 1.0,
        f"{ROLLOUT}.agent.num_workers": 1,
        "reward.num_workers": 1,
        "transfer_queue.backend.SimpleStorage.num_data_storage_units": 1,
        "trainer.device": "cpu",
        "trainer.nnodes": 1,
        "trainer.n_gpus_per_node": 1,
        "trainer.total_training_steps": 3,
        "trainer.val_before_train": True,
        "trainer.test_freq": 3,
        "trainer.save_freq": 3,
        "ray_kwargs.ray_init.num_cpus": 16,
        "+ray_kwargs.ray_init.num_gpus": 1,  # verl counts GPUs; there is none
        "+ray_kwargs.ray_init.include_dashboard": False,
        "+ray_kwargs.ray_init.object_store_memory": 200_000_000,
    },
)
