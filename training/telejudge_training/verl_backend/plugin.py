"""What verl loads in each of its processes: VERL_USE_EXTERNAL_MODULES names this module.

Registered, each through verl's own registry: the agent loop `telejudge` and the advantage
estimators `telejudge_grpo`, `telejudge_grpo_rank`. With VERL_PLATFORM=cpu also the platform `cpu`
and the rollout backend `telejudge_cpu`. Whatever is not registered but patched is in patches.py.
"""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

import os

if os.environ.get("VERL_PLATFORM", "").strip().lower() == "cpu":
    from telejudge_training.verl_backend.cpu import install

    install()  # first: what follows imports modules that keep what is patched

from verl.experimental.agent_loop.agent_loop import register
from verl.trainer.ppo.core_algos import register_adv_est

from telejudge_training.verl_backend import advantage, patches
from telejudge_training.verl_backend.loop import WorldAgentLoop
from telejudge_training.verl_backend.settings import LOOP_NAME

patches.apply()
register_adv_est(advantage.STD_OR_MEAN)(advantage.group_advantage)
register_adv_est(advantage.RANK)(advantage.group_rank_advantage)
register(LOOP_NAME)(WorldAgentLoop)
