"""`telejudge rollout`: an agent plays tasks, in this process or on Ray."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from telejudge_envs.errors import UsageError
from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command
from telejudge_eval.cli.seating import NEEDS_ENDPOINT, Seating

USER_KEY = "TELEJUDGE_USER_API_KEY"
MODEL, USER, ENGINE = "Model", "User", "Engine"


class UserName(StrEnum):
    scripted = "scripted"
    model = "model"


class EngineName(StrEnum):
    local = "local"
    ray = "ray"


class ThinkingName(StrEnum):
    drop = "drop"
    turn = "turn"
    keep = "keep"


class FormName(StrEnum):
    field = "field"
    tags = "tags"


class OverflowName(StrEnum):
    stop = "stop"
    drop = "drop"


def _flag(name: str, told: str, panel: str) -> Any:
    return typer.Option(name, help=told, rich_help_panel=panel)


@long_command("rollout")
def rollout(
    out: opt.Out,
    agent: Annotated[
        str,
        typer.Option(
            help="A scripted agent by name, `chat` or `langgraph` (with --base-url, --model), or "
            "`local:FOLDER` for a transformers model."
        ),
    ] = "engineer",
    world: opt.World = "tau2-telecom",
    split: opt.Split = "test",
    mode: opt.Mode = opt.ModeName.solo,
    task: Annotated[list[str] | None, typer.Option(help="Only this task (repeatable).")] = None,
    rollouts: Annotated[int, typer.Option(min=1, help="Episodes a task.")] = 4,
    seed: opt.Seed = 0,
    ticket_fixes: opt.TicketFixes = False,
    concurrency: opt.Concurrency = 8,
    deadline: Annotated[float | None, typer.Option(help="Seconds for one episode.")] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Play again what an endpoint had failed.")
    ] = False,
    base_url: opt.BaseUrl = None,
    model: opt.Model = None,
    api_key: opt.ApiKey = None,
    sampling: opt.Sampling = None,
    timeout: opt.Timeout = 120.0,
    retries: opt.Retries = 4,
    stream: Annotated[bool, _flag("--stream", "Ask for answers as a stream.", MODEL)] = False,
    thinking: Annotated[
        ThinkingName,
        _flag("--thinking", "Which earlier thinking the model gets back.", MODEL),
    ] = ThinkingName.drop,
    thinking_as: Annotated[
        FormName, _flag("--thinking-as", "As reasoning_content, or as tags in the text.", MODEL)
    ] = FormName.field,
    overflow: Annotated[
        OverflowName,
        _flag("--overflow", "Context full: stop, or drop the oldest tool results.", MODEL),
    ] = OverflowName.stop,
    one_call: Annotated[bool, _flag("--one-call", "One tool call a turn.", MODEL)] = False,
    prices: Annotated[
        str | None,
        _flag(
            "--prices",
            "USD a million tokens: IN,OUT or IN,OUT,CACHED, or a JSON file by model name.",
            MODEL,
        ),
    ] = None,
    rpm: Annotated[float | None, _flag("--rpm", "Requests a minute at most.", MODEL)] = None,
    checkpoints: Annotated[
        Path | None,
        _flag("--checkpoints", "langgraph: a SQLite file to go on from after a restart.", MODEL),
    ] = None,
    user: Annotated[
        UserName, _flag("--user", "Who plays the user of --mode dual.", USER)
    ] = UserName.scripted,
    user_base_url: Annotated[
        str | None, _flag("--user-base-url", "His endpoint. Default: the agent's.", USER)
    ] = None,
    user_model: Annotated[
        str | None, _flag("--user-model", "His model. Default: the agent's.", USER)
    ] = None,
    user_sampling: Annotated[
        str | None, _flag("--user-sampling", "His sampling parameters as JSON.", USER)
    ] = None,
    user_prices: Annotated[
        str | None,
        _flag(
            "--user-prices", "Of his model. Default: --prices, where he is the agent's model.", USER
        ),
    ] = None,
    engine: Annotated[
        EngineName, _flag("--engine", "Where episodes are played.", ENGINE)
    ] = EngineName.local,
    ray_address: Annotated[
        str | None,
        _flag("--ray-address", "An existing Ray cluster. Default: one on this machine.", ENGINE),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Ray's. Default: its CPUs.", rich_help_panel=ENGINE)
    ] = None,
) -> None:
    """Let an agent play tasks; one episode a line. Run again, it goes on where it was.

    Example: `telejudge rollout --agent expert --split test --rollouts 8 --out rollouts.jsonl`
    """
    from telejudge_agents.progress import rollout_progress
    from telejudge_agents.runner import run
    from telejudge_eval.tables import cost_line, rollout_figures, rollout_table

    where = his = None
    limits = {"stream": stream, "requests_per_minute": rpm}
    if agent in NEEDS_ENDPOINT:
        cost = opt.prices(prices, model)
        where = opt.endpoint(
            *(base_url, model, api_key, sampling, timeout, retries, concurrency),
            **limits,
            prices=cost,
        )
    if user is UserName.model and mode is opt.ModeName.dual:
        key = os.environ.get(USER_KEY) or api_key
        url, name = user_base_url or base_url, user_model or model
        same = prices if (url, name) == (base_url, model) else None
        his = opt.endpoint(
            *(url, name, key, user_sampling, timeout, retries, concurrency),
            **limits,
            prices=opt.prices(user_prices or same, name),
        )
    if checkpoints is not None and engine is EngineName.ray:
        raise UsageError("--checkpoints is a file of one process; use it with --engine local")
    chat = {
        "thinking": thinking.value,
        "thinking_as": thinking_as.value,
        "overflow": overflow.value,
        "one_call": one_call,
    }
    if agent == "langgraph":
        _refuse_what_only_chat_does({**chat, "stream": stream, "prices": prices, "rpm": rpm})
    seating = Seating(
        world=world,
        agent=agent,
        mode=mode.value,
        world_options=opt.world_options(ticket_fixes),
        seed=seed,
        concurrency=concurrency,
        deadline_s=deadline,
        endpoint=where,
        user_endpoint=his,
        chat=chat,
        sampling={} if where else opt.json_object(sampling),
        checkpoints=checkpoints,
    )
    here = seating.open()
    chosen = (
        [here.world.task(i, mode.value) for i in task]
        if task
        else here.world.tasks(split, mode.value)
    )
    elsewhere = None
    if engine is EngineName.ray:
        from telejudge_agents.ray_engine import RayEngine

        elsewhere = RayEngine(
            seating.open, concurrency=concurrency, workers=workers, address=ray_address
        )
    record = begin(out, seed=seed)
    with rollout_progress(f"{here.factory.name} on {split}") as on_progress:
        played = run(
            here.world,
            chosen,
            here.factory,
            rollouts=rollouts,
            seed=seed,
            concurrency=concurrency,
            deadline_s=deadline,
            out=out,
            users=here.users,
            on_progress=on_progress,
            retry_failed=retry_failed,
            engine=elsewhere,
        )
    rollout_table(played)
    record.found(**rollout_figures(played))
    typer.echo(f"{len(played):,} episodes in {out}{cost_line(played)}")


UNSET = {
    "thinking": ThinkingName.drop,
    "thinking_as": FormName.field,
    "overflow": OverflowName.stop,
}


def _refuse_what_only_chat_does(given: Mapping[str, object]) -> None:
    """LangChain's model class sends the requests of `langgraph`, and knows nothing of these."""
    asked = [name for name, value in given.items() if value and value != UNSET.get(name)]
    if asked:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in asked)
        raise UsageError(f"{flags}: only --agent chat can do that, not langgraph")
