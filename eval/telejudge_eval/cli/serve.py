"""`telejudge serve`: a world for the programs of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from telejudge_eval.cli import options as opt

if TYPE_CHECKING:
    from telejudge_envs.adapters.hosting import Limits

serve_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

Host = Annotated[str, typer.Option(help="Any but a loopback address needs a token.")]
Port = Annotated[int, typer.Option(min=0, max=65535)]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="TELEJUDGE_SERVE_TOKEN",
        help="Clients send it as `Authorization: Bearer …`; better from the environment.",
    ),
]
Most = Annotated[int, typer.Option(min=1, help="Sessions at once.")]
Idle = Annotated[float, typer.Option(min=0.1, help="Seconds until an unused session is closed.")]
Body = Annotated[int, typer.Option(min=1, help="Bytes of one request.")]


@serve_app.callback()
def serving() -> None:
    """Offer a world to the programs of others.

    Example: `telejudge serve mcp --world base-station --task bs-dev-0000`
    """


@serve_app.command("mcp")
def mcp(
    task: Annotated[
        str, typer.Option(help="A task's id (`telejudge tasks` lists them), or SPLIT:N.")
    ] = "test:0",
    world: opt.World = "tau2-telecom",
    mode: opt.Mode = opt.ModeName.solo,
    seed: opt.Seed = 0,
    judge: Annotated[str, typer.Option(help="Who judges at the end.")] = "verifier",
    http: Annotated[bool, typer.Option("--http", help="Over HTTP, not stdin and stdout.")] = False,
    host: Host = "127.0.0.1",
    port: Port = 8765,
    token: Token = None,
    sessions: Most = 32,
    idle: Idle = 900.0,
    body: Body = 1_000_000,
) -> None:
    """Offer one task's tools to any MCP client.

    Example: `telejudge serve mcp --world base-station --task bs-dev-0000 --http`
    """
    import asyncio

    from telejudge_envs.adapters.mcp_server import Table, serve_http, serve_stdio
    from telejudge_envs.adapters.seat import find_task
    from telejudge_envs.registry import open_world
    from telejudge_eval.adapters.scoring import judge_for, score_by

    here = open_world(world)
    table = Table(
        here,
        find_task(here, task, mode.value),
        seed=seed,
        score=score_by(judge_for(here, judge)),
        limits=_limits(sessions, idle, body),
    )
    if not http:
        asyncio.run(serve_stdio(table))
        return
    typer.echo(f"MCP at http://{host}:{port}/mcp/NAME, an episode for each name", err=True)
    serve_http(table, host=host, port=port, token=token)


@serve_app.command("openenv")
def openenv(
    world: opt.World = "base-station",
    split: opt.Split = "train",
    mode: opt.Mode = opt.ModeName.solo,
    judge: Annotated[str, typer.Option(help="Whose reward comes at the end.")] = "verifier",
    host: Host = "127.0.0.1",
    port: Port = 8000,
    token: Token = None,
    sessions: Most = 32,
    idle: Idle = 900.0,
    body: Body = 1_000_000,
) -> None:
    """Offer a split of a world as an OpenEnv environment, to train or to try an agent.

    Example: `telejudge serve openenv --world base-station --split train`
    """
    from telejudge_envs.adapters.openenv_env import openenv_app, serve_openenv
    from telejudge_envs.registry import open_world
    from telejudge_eval.adapters.scoring import judge_for, score_by

    here = open_world(world)
    limits = _limits(sessions, idle, body)
    app = openenv_app(
        here,
        here.tasks(split, mode.value),
        score_by(judge_for(here, judge)),
        mode=mode.value,
        host=host,
        token=token,
        limits=limits,
    )
    typer.echo(f"OpenEnv at http://{host}:{port}", err=True)
    serve_openenv(app, host=host, port=port, limits=limits)


def _limits(sessions: int, idle: float, body: int) -> Limits:
    from telejudge_envs.adapters.hosting import Limits

    return Limits(sessions=sessions, idle_s=idle, body_bytes=body)
