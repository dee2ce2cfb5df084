"""What we lean on inside verl, and the registries that we enter. Fails loudly when verl changes."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

from verl_harness import needs_verl

from telejudge_training.verl_backend import patches

pytestmark = needs_verl

LOOK = """
import verl
from telejudge_training.verl_backend import patches
from verl.experimental.agent_loop.agent_loop import _agent_loop_registry
from verl.trainer.ppo.core_algos import get_adv_estimator_fn
import verl.models.transformers.monkey_patch as monkey_patch
print(sorted(patches.fingerprints().items()))
print(_agent_loop_registry["telejudge"])
print(get_adv_estimator_fn("telejudge_grpo"), get_adv_estimator_fn("telejudge_grpo_rank"))
print(monkey_patch.is_trl_available())
if __import__("os").environ.get("VERL_PLATFORM") == "cpu":
    from verl.plugin.platform import get_platform
    from verl.workers.rollout.base import get_rollout_class
    from verl.workers.rollout.replica import get_rollout_replica_class
    import verl.utils.distributed as distributed
    print(get_platform().device_name, distributed.initialize_global_process_group_ray.keywords)
    print(get_rollout_class("telejudge_cpu", "async"), get_rollout_replica_class("telejudge_cpu"))
"""


def looked_at(**variables: str) -> list[str]:
    """In a fresh process, as Ray's workers are."""
    import os

    plugin = "telejudge_training.verl_backend.plugin"
    environment = {**os.environ, "VERL_USE_EXTERNAL_MODULES": plugin, **variables}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOK],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_verl_is_the_version_that_the_patches_are_for():
    assert metadata.version("verl") == patches.VERL, (
        "verl changed: run the slow test, look at what fingerprints differ, then raise patches.VERL"
    )


def test_what_is_patched_and_leant_on_reads_as_it_did():
    told = looked_at(VERL_PLATFORM="cpu", VERL_ENGINE_DEVICE="cuda")
    assert told[0] == str(sorted(patches.FINGERPRINTS.items())), (
        "verl's source changed where we lean on it (names in patches.leant_on): read the change"
    )
    assert "WorldAgentLoop" in told[1]
    assert "group_advantage" in told[2]
    assert told[3] == "False"
    assert told[4] == "cpu {'backend': 'gloo'}"
    assert "CpuRollout" in told[5]
    assert "CpuReplica" in told[5]


def test_without_the_cpu_platform_only_the_registries_and_one_patch_are_used():
    told = looked_at(VERL_PLATFORM="")
    assert len(told) == 4
    assert told[3] == "False"
