"""A rollout server for verl on transformers: token ids in, token ids with logprobs out.

`CpuServer` is a Ray actor with the model; `CpuRollout` sits in the trainer's process and sends it
the new weights; `CpuReplica` starts the one and is what verl finds by `rollout.name`. Requests that
wait together are generated in one batch (telejudge_agents/batching.py).
"""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from typing import Any

import ray
import torch
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, TokenOutput

from telejudge_agents.batching import BatchedModel, Sampling
from telejudge_training.verl_backend.settings import loop_settings

WEIGHTS = "weights.jsonl"
"""In the record folder: for each set of weights that arrived its step and how far it moved."""


class CpuServer:
    """The model that plays. One actor; its methods are called by verl's client."""

    def __init__(self, config: Any, model_config: Any) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        path = model_config.get("local_path") or model_config.path
        self._model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
        tokenizer = AutoTokenizer.from_pretrained(path)
        self._end_id, pad = int(tokenizer.eos_token_id), tokenizer.pad_token_id
        self._pad_id = self._end_id if pad is None else int(pad)
        self._seed, self._most = config.seed, config.response_length
        self._engines: dict[tuple[float, float, int], BatchedModel] = {}
        self._asked: Counter[str] = Counter()
        self._step: int | None = None
        record = loop_settings(config.custom).record
        self._log = record / WEIGHTS if record else None

    def load_weights(self, weights: dict[str, torch.Tensor], step: int | None) -> None:
        """Take the trainer's weights; raises RuntimeError when one is missing."""
        own = self._model.state_dict()
        tied = self._model.config.tie_word_embeddings
        missing = [k for k in own if k not in weights and not (tied and k == "lm_head.weight")]
        if missing:
            raise RuntimeError(f"the trainer sent no {missing[:3]}")
        moved = sum(float((own[k] - v).abs().sum()) for k, v in weights.items() if k in own)
        self._model.load_state_dict(weights, strict=False)
        self._step = step
        self._asked.clear()
        if self._log is not None:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, "moved": moved}) + "\n")

    async def generate(
        self, prompt_ids: list[int], sampling_params: dict[str, Any], request_id: str, **_: Any
    ) -> TokenOutput:
        """Go on from `prompt_ids`; `max_tokens` is honoured."""
        most = sampling_params.get("max_tokens") or self._most
        reply = await self._engine(sampling_params).complete(
            prompt_ids, seed=self._seed_of(prompt_ids), most=most
        )
        ended = reply.ids[-1] == self._end_id
        return TokenOutput(
            token_ids=reply.ids,
            log_probs=reply.logprobs if sampling_params.get("logprobs") else None,
            stop_reason="completed",
            extra_fields={
                "global_steps": self._step,
                "min_global_steps": self._step,
                "max_global_steps": self._step,
                "finish_reason": "stop" if ended else "length",
            },
        )

    def _engine(self, wanted: dict[str, Any]) -> BatchedModel:
        """One for each way of sampling: training and validation differ."""
        key = (
            float(wanted.get("temperature", 1.0)),
            float(wanted.get("top_p", 1.0)),
            max(0, int(wanted.get("top_k", 0))),
        )
        if key not in self._engines:
            self._engines[key] = BatchedModel(
                self._model,
                end_ids=[self._end_id],
                pad_id=self._pad_id,
                sampling=Sampling(*key, max_new_tokens=self._most),
                max_batch=64,
            )
        return self._engines[key]

    def _seed_of(self, prompt_ids: list[int]) -> int:
        """The same in every run: from the weights' step, the prompt, and how often it came."""
        prompt = hashlib.sha256(json.dumps(prompt_ids).encode()).hexdigest()
        self._asked[prompt] += 1
        text = f"{self._seed}|{self._step}|{prompt}|{self._asked[prompt]}"
        return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)

    async def nothing(self, *_: Any, **__: Any) -> None:
        """There is no cache to free and nothing to wake."""

    wake_up = sleep = abort_all_requests = resume_generation = clear_kv_cache = nothing
    release_kv_cache = resume_kv_cache = start_profile = stop_profile = nothing


class CpuRollout(BaseRollout):
    """Lives in the trainer's worker."""

    def __init__(
        self, config: Any, model_config: Any, device_mesh: Any, replica_rank: int = -1, **_: Any
    ) -> None:
        super().__init__(config, model_config, device_mesh)
        size = self.config.tensor_model_parallel_size * self.config.data_parallel_size
        rank = int(os.environ["RANK"])
        self.replica_rank = rank // size if replica_rank == -1 else replica_rank
        self.rollout_rank = rank % size

    async def resume(self, tags: list[str]) -> None:
        """Nothing was released."""

    async def release(self) -> None:
        """Nothing to release."""

    async def update_weights(
        self, weights: Any, wire_format: str = "named_tensors", global_steps: Any = None, **_: Any
    ) -> None:
        """Send (name, tensor) pairs to the server. Raises ValueError for another format."""
        if wire_format != "named_tensors":
            raise ValueError(f"weights come as {wire_format}, not as named tensors")
        copies = {n: t.detach().to("cpu", torch.float32).clone() for n, t in weights}
        if self.rollout_rank == 0:
            server: Any = ray.get_actor(_server_name(self.replica_rank))
            await server.load_weights.remote(copies, global_steps)


class CpuReplica(RolloutReplica):
    """Starts the server."""

    async def launch_servers(self) -> None:
        actor: Any = ray.remote(CpuServer)
        server = actor.options(
            name=_server_name(self.replica_rank), num_cpus=0, max_concurrency=256
        ).remote(self.config, self.model_config)
        self.servers = [server]
        self._server_handle = server
        self._server_address = f"telejudge_cpu:{self.replica_rank}"


def _server_name(rank: int) -> str:
    return f"telejudge_cpu_{rank}"
