"""All that we change in verl behind its back, and the version it was written for.

`FINGERPRINTS` are of the source of what is replaced or leant on: tests/test_verl_patches.py fails
when verl changes it.

| what | where | why |
|---|---|---|
| `monkey_patch.is_trl_available` says no | everywhere | it imports from TRL what TRL 1.16 lacks |
| the process group's backend is `gloo` | CPU | torch refuses verl's `cpu:gloo,cpu:gloo` |
| `CPUOffloadPolicy(pin_memory=False)` | CPU | pinning memory needs an accelerator |
| `_ROLLOUT_REGISTRY["telejudge_cpu", "async"]` | CPU | only servers have a public registry |
"""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

import functools
import hashlib
import inspect
from importlib import import_module
from typing import Any

VERL = "0.9.1"
"""The version of verl that the patches and the tests are for."""

ROLLOUT = "telejudge_cpu"
"""Our rollout backend's name (`rollout.name`)."""


def apply() -> None:
    """Patch this process, as every run needs it. May be called again.

    With TRL installed, verl's FSDP engine imports TRL's value-head model, which TRL 1.16 no longer
    has. Only PPO's critic would use it, and GRPO has none.
    """
    monkey_patch: Any = import_module("verl.models.transformers.monkey_patch")
    monkey_patch.is_trl_available = _no


def _no() -> bool:
    return False


def apply_cpu() -> None:
    """Patch this process for a run without an accelerator. May be called again."""
    distributed: Any = import_module("verl.utils.distributed")
    fsdp: Any = import_module("verl.utils.fsdp_utils")
    rollout: Any = import_module("verl.workers.rollout.base")

    whole: Any = distributed.initialize_global_process_group_ray
    if not isinstance(whole, functools.partial):
        distributed.initialize_global_process_group_ray = functools.partial(whole, backend="gloo")
    policy: Any = fsdp.CPUOffloadPolicy
    if not isinstance(policy, functools.partial):
        fsdp.CPUOffloadPolicy = functools.partial(_unpinned, policy)
    rollout._ROLLOUT_REGISTRY[(ROLLOUT, "async")] = (
        "telejudge_training.verl_backend.cpu.rollout.CpuRollout"
    )


def _unpinned(policy: Any, pin_memory: bool = False) -> Any:
    return policy(pin_memory=False)


def leant_on() -> dict[str, Any]:
    """What of verl's we replace, or use although it is not documented, by name."""
    import verl.experimental.agent_loop.agent_loop as loop
    import verl.models.transformers.monkey_patch as monkey_patch
    import verl.trainer.ppo.v1.agent_loop_tq as tq
    import verl.utils.distributed as distributed
    import verl.workers.rollout.base as rollout

    patched: Any = distributed.initialize_global_process_group_ray
    worker: Any = tq.AgentLoopWorkerTQ
    worker = getattr(worker, "__ray_metadata__").modified_class  # noqa: B009
    return {
        "model patches": monkey_patch.apply_monkey_patch,
        "process group": getattr(patched, "func", patched),
        "rollout clients": rollout.get_rollout_class,
        "n sessions of a prompt in one event loop": worker._run_prompt,
        "an episode's arguments": loop.AgentLoopWorker._run_agent_loop,
        "reward as the last token's": loop.AgentLoopOutput.as_dict,
        "merging of a turn": loop.AgentLoopBase.ct_merge_assistant_token,
        "merging of answers": loop.AgentLoopBase.ct_merge_context_msg,
    }


def fingerprints() -> dict[str, str]:
    """Of the installed verl's source, to be compared with FINGERPRINTS."""
    return {
        name: hashlib.sha256(inspect.getsource(what).encode()).hexdigest()[:12]
        for name, what in leant_on().items()
    }


FINGERPRINTS = {
    "model patches": "26dc9abe507b",
    "process group": "761a94d1a2e0",
    "rollout clients": "d0be5827f121",
    "n sessions of a prompt in one event loop": "3d9bca6b0ea5",
    "an episode's arguments": "32c3d607c5d4",
    "reward as the last token's": "1d98e658b0e8",
    "merging of a turn": "d8cbb98f7358",
    "merging of answers": "c53f0db3904b",
}
"""Of verl VERL; when one differs, look at what changed there before writing the new one here."""
