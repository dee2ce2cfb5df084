"""Our tasks for inspect_ai: a dataset, a solver that plays an episode, a scorer.

    from inspect_ai import eval
    eval(world_task(world="base-station", split="test", limit=10), model="openai/…")

    inspect eval PATH/TO/inspect_task.py@world_task -T world=base-station --model …   # this file

The solver asks the model, and hands its messages to the world as they are: no sandbox, no tool runs
in inspect. The scorer asks a judge (the verifier, or any by its name) about the trajectory that the
log keeps, so that `inspect score` can ask another one later. Where the judge abstains, all scores
are not-a-number and inspect leaves them out of its metrics.
"""

from __future__ import annotations

from typing import Any

from telejudge_envs.adapters.seat import Seat
from telejudge_envs.chat_format import clean, parse_arguments
from telejudge_envs.errors import MissingExtraError
from telejudge_envs.groups import groups_of
from telejudge_envs.nouns.base import Mode
from telejudge_envs.nouns.message import Message
from telejudge_envs.nouns.message import ToolCall as OurCall
from telejudge_envs.nouns.trajectory import Rollout, Trajectory
from telejudge_envs.offers import kind_of
from telejudge_envs.registry import open_world
from telejudge_eval.adapters.scoring import NO_SCORE, judge_for

try:
    from inspect_ai import Task, task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import (
        ChatMessage,
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageTool,
        ChatMessageUser,
        get_model,
    )
    from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
    from inspect_ai.solver import Generate, Solver, TaskState, solver
    from inspect_ai.tool import ToolCallError, ToolInfo, ToolParams
    from inspect_ai.util import LimitExceededError
except ImportError as error:
    raise MissingExtraError("inspect_ai", "inspect") from error

CLOCKS = ("time", "working")
"""Limits that say nothing of the agent: what they cut off is not scored."""
KEPT = "telejudge:trajectory"
"""Where the log keeps the record that is judged."""


@task
def world_task(
    world: str = "base-station",
    split: str = "test",
    mode: Mode = "solo",
    judge: str = "verifier",
    limit: int | None = None,
    **settings: Any,
) -> Task:
    """A world's tasks; `settings` are the judge's, such as base_url and model."""
    here = open_world(world)
    samples = [
        Sample(
            id=task.id,
            input=task.view.ticket,
            target="solved",
            metadata={"split": split, "level": task.view.level, "kind": kind_of(here, task.view)},
        )
        for task in here.tasks(split, mode)[:limit]
    ]
    return Task(
        name=f"telejudge_{world}_{split}_{mode}",
        dataset=MemoryDataset(samples, name=f"{world}-{split}"),
        solver=play_episode(world, mode),
        scorer=judged(world, judge, mode, **settings),
    )


@solver
def play_episode(world: str, mode: Mode = "solo") -> Solver:
    """The model plays the sample's task until the episode ends or one of inspect's limits does."""
    here = open_world(world)

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        seed = max(0, state.epoch - 1)
        player = str(state.model)
        seat = Seat(here, here.task(str(state.sample_id), mode), seed=seed, player=player)
        state.messages = [theirs(message) for message in seat.opening]
        tools = [_tool(spec.name, spec.description, spec.parameters) for spec in seat.tools]
        try:
            while seat.stop is None:
                state.output = await get_model().generate(state.messages, tools=tools)
                said = state.output.message
                state.messages.append(said)
                message, named = ours(said, turn=len(state.messages))
                state.messages.extend(theirs(answer, named) for answer in seat.act(message))
        except LimitExceededError as reached:
            seat.close("deadline" if reached.type in CLOCKS else "max_steps")
            raise
        finally:
            if seat.stop is not None:
                record = seat.rollout.trajectory.model_dump(mode="json")
                state.store.set(KEPT, record)
        state.completed = True
        return state

    return solve


@scorer(metrics={"*": [mean(), stderr()]})
def judged(world: str, judge: str = "verifier", mode: Mode = "solo", **settings: Any) -> Scorer:
    """`solved` (0 or 1), `tools` (how reasonable the calls were) and `reward` by a judge."""
    here = open_world(world)
    asked = judge_for(here, judge, **settings)

    async def score(state: TaskState, target: Target) -> Score:
        record = state.store.get(KEPT)
        if record is None:
            return _unscored("the episode did not end")
        view = here.task(str(state.sample_id), mode).view
        rollout = Rollout(task=view, trajectory=Trajectory.model_validate(record))
        (verdict,) = (await asked.judge(groups_of([rollout])[0])).verdicts
        if verdict.abstained is not None:
            return _unscored(verdict.abstained)
        return Score(
            value={"solved": verdict.answer, "tools": verdict.tools, "reward": verdict.reward},
            explanation="\n".join(f"{d.kind}: {d.reason}" for d in verdict.defects) or None,
            metadata={"verdict": verdict.model_dump(mode="json"), "stop": record["stop"]},
        )

    return score


def _unscored(why: str) -> Score:
    return Score(
        value={"solved": NO_SCORE, "tools": NO_SCORE, "reward": NO_SCORE},
        explanation=f"abstained: {why}",
    )


def ours(said: ChatMessageAssistant, turn: int) -> tuple[Message, dict[str, tuple[str, str]]]:
    """The model's message as ours, and for our call ids theirs with the tool's name."""
    calls: list[OurCall] = []
    named: dict[str, tuple[str, str]] = {}
    for n, call in enumerate(said.tool_calls or ()):
        own = f"t{turn}-{n}"
        named[own] = (call.id, call.function)
        arguments, raw = parse_arguments(call.arguments)
        raw = call.parse_error if call.parse_error is not None else raw
        calls.append(OurCall(id=own, name=clean(call.function), arguments=arguments, raw=raw))
    return Message(role="assistant", text=clean(said.text), tool_calls=tuple(calls)), named


def theirs(message: Message, named: dict[str, tuple[str, str]] | None = None) -> ChatMessage:
    """One of our messages as inspect has them."""
    if message.role == "system":
        return ChatMessageSystem(content=message.text)
    if message.role == "user":
        return ChatMessageUser(content=message.text)
    if message.role == "assistant":
        return ChatMessageAssistant(content=message.text)
    call_id, function = (named or {}).get(message.tool_call_id or "", (message.tool_call_id, None))
    error = ToolCallError("unknown", message.text) if message.error else None
    return ChatMessageTool(
        content=message.text, tool_call_id=call_id, function=function, error=error
    )


def _tool(name: str, description: str, parameters: dict[str, Any]) -> ToolInfo:
    return ToolInfo(
        name=name, description=description, parameters=ToolParams.model_validate(parameters)
    )
