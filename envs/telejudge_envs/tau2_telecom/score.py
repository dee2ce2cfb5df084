"""tau2's outcome without building two more environments: its own checks on the live state.

tau2's evaluator constructs an environment, replays the whole trajectory in it, builds a gold
environment beside it, and then runs the same assertions that are run here on the state at hand.
The reward is the product over the task's `reward_basis`, and 0 unless agent or user ended the
episode (tau2.evaluator.evaluator). Telecom tasks use ENV_ASSERTION and ACTION only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telejudge_envs.errors import DataError
from telejudge_envs.nouns.message import ToolCall
from telejudge_envs.nouns.trajectory import Check, Outcome, StopReason
from telejudge_envs.tau2_telecom.upstream import Tau2Call, Tau2Task

ENDED_WELL: frozenset[StopReason] = frozenset({"agent_stop", "user_stop"})
_SUPPORTED = {"ENV_ASSERTION", "ACTION"}


def assertion_checks(env: Any, task: Tau2Task) -> tuple[Check, ...]:
    """Each of the task's assertions on the environment as it is now."""
    criteria = task.evaluation_criteria
    assertions = (criteria.env_assertions if criteria else None) or []
    return tuple(
        Check(
            name=f"{a.func_name}({', '.join(f'{k}={v}' for k, v in a.arguments.items())})",
            passed=env.run_env_assertion(a, raise_assertion_error=False),
        )
        for a in assertions
    )


def action_checks(task: Tau2Task, calls: Sequence[ToolCall]) -> tuple[Check, ...]:
    """Whether each gold action was called, by tau2's own comparison (failed calls count)."""
    criteria = task.evaluation_criteria
    made = [
        Tau2Call(id=c.id, name=c.name, arguments=c.arguments, requestor="assistant") for c in calls
    ]
    return tuple(
        Check(name=f"called {a.name}", passed=any(a.compare_with_tool_call(c) for c in made))
        for a in (criteria.actions if criteria else None) or []
    )


def outcome(
    env: Any, task: Tau2Task, calls: Sequence[ToolCall], stop: StopReason | None
) -> Outcome:
    """tau2's reward for an episode that stopped for `stop` after `calls`.

    Raises DataError for a task whose reward basis is none that the telecom domain uses.
    """
    criteria = task.evaluation_criteria
    basis = {b.value for b in criteria.reward_basis} if criteria else set()
    if unknown := basis - _SUPPORTED:
        raise DataError(
            f"task {task.id} is rewarded by {', '.join(sorted(unknown))}; "
            f"only {', '.join(sorted(_SUPPORTED))} are supported"
        )
    checks: tuple[Check, ...] = ()
    if "ENV_ASSERTION" in basis:
        checks += assertion_checks(env, task)
    if "ACTION" in basis:
        checks += action_checks(task, calls)
    good = stop in ENDED_WELL and all(c.passed for c in checks)
    return Outcome(answer=1 if good else 0, checks=checks, world_reward=float(good))
