"""verl without an accelerator, for tests and laptops: a platform and a rollout server."""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations


def install() -> None:
    """Patch verl and register both; called in every process of verl's by plugin.py."""
    from telejudge_training.verl_backend import patches

    patches.apply_cpu()

    from verl.workers.rollout.replica import RolloutReplicaRegistry

    import telejudge_training.verl_backend.cpu.platform  # noqa: F401  (registers itself)

    RolloutReplicaRegistry.register(patches.ROLLOUT, _replica)


def _replica() -> type:
    from telejudge_training.verl_backend.cpu.rollout import CpuReplica

    return CpuReplica
