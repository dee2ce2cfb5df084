"""What verifiers imports for the id `telejudge-verifiers`: it takes a top-level module only.

vf-eval telejudge-verifiers --env.taskset.world base-station -m MODEL
"""

from telejudge_eval.adapters.verifiers_env import WorldEnv, WorldTaskset, load_environment

__all__ = ["WorldEnv", "WorldTaskset", "load_environment"]
