"""Options that several commands share, with one name and one meaning everywhere."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from telejudge_envs.errors import UsageError

if TYPE_CHECKING:
    from telejudge_envs.endpoint import Endpoint, Prices
    from telejudge_judges.settings import JudgeSettings


class ModeName(StrEnum):
    solo = "solo"
    dual = "dual"


World = Annotated[str, typer.Option(help="The world, by name.")]
Split = Annotated[
    str, typer.Option(help="A split of the world's tasks; `telejudge tasks` shows them.")
]
Mode = Annotated[
    ModeName, typer.Option(help="solo: the agent owns all tools; dual: a user owns some.")
]
Seed = Annotated[int, typer.Option(help="Every random choice comes from it.")]
TicketFixes = Annotated[
    bool,
    typer.Option(
        "--ticket-fixes",
        help="tau2-telecom only: correct tickets that lack what their check wants.",
    ),
]
Concurrency = Annotated[int, typer.Option(min=1, help="How many at once.")]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        help="OpenAI-compatible endpoint, up to and including /v1.", rich_help_panel="Model"
    ),
]
Model = Annotated[
    str | None, typer.Option(help="The model's name at the endpoint.", rich_help_panel="Model")
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        help="Default: TELEJUDGE_API_KEY, then OPENAI_API_KEY, then none.", rich_help_panel="Model"
    ),
]
Sampling = Annotated[
    str | None,
    typer.Option(
        help="Sampling parameters as JSON, e.g. '{\"temperature\": 0.7}'.", rich_help_panel="Model"
    ),
]
Timeout = Annotated[
    float, typer.Option(min=0.1, help="Seconds for one request.", rich_help_panel="Model")
]
Retries = Annotated[
    int, typer.Option(min=0, help="Requests made again at most.", rich_help_panel="Model")
]
Out = Annotated[Path, typer.Option(help="The file to write.")]

Judge = Annotated[
    str | None,
    typer.Option(
        help="verifier (ground truth), pointwise, listwise, pairwise, scalar, consistency, rubric, "
        "ensemble, embedded, or one from another package. Default: the config's, or verifier."
    ),
]
JudgeConfig = Annotated[
    Path | None,
    typer.Option("--config", help="The judge's settings as YAML; flags go before it."),
]
JudgeSet = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="One setting of the judge, such as pairs=12 (JSON or text). May be repeated.",
    ),
]


def world_options(ticket_fixes: bool) -> dict[str, Any]:
    """Only what was asked for, so that a world without the option opens without it."""
    return {"ticket_fixes": True} if ticket_fixes else {}


def endpoint(
    base_url: str | None,
    model: str | None,
    api_key: str | None,
    sampling: str | None,
    timeout: float,
    retries: int,
    concurrency: int,
    **more: Any,
) -> Endpoint:
    """`more` are further settings of the Endpoint. Raises UsageError naming the option that is
    missing or wrong."""
    from pydantic import ValidationError

    from telejudge_envs.endpoint import Endpoint

    if base_url is None or model is None:
        raise UsageError(
            "a model at an endpoint is needed: give --base-url and --model, "
            "e.g. --base-url http://127.0.0.1:8000/v1 --model qwen3-8b"
        )
    try:
        return Endpoint(
            base_url=base_url,
            model=model,
            api_key=api_key,
            timeout_s=timeout,
            deadline_s=timeout * (retries + 1) + 60.0 * retries,
            max_retries=retries,
            concurrency=concurrency,
            sampling=json_object(sampling),
            **more,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f"{first['loc'][0]}: {first['msg']}") from error


def prices(given: str | None, model: str | None) -> Prices | None:
    """--prices: `0.15,0.60`, `0.15,0.60,0.075`, or a JSON file `{"model": {"prompt": 0.15, …}}`.

    Raises UsageError for what is neither, and for a file that does not know the model.
    """
    from pydantic import ValidationError

    from telejudge_envs.endpoint import Prices

    if given is None:
        return None
    try:
        numbers = [float(part) for part in given.split(",")]
    except ValueError:
        numbers = None
    try:
        if numbers is not None:
            return Prices(**dict(zip(("prompt", "completion", "cached"), numbers, strict=False)))
        return Prices.model_validate(json.loads(Path(given).read_text())[model])
    except (OSError, ValueError, ValidationError, KeyError, TypeError) as error:
        raise UsageError(f"--prices {given}: no prices for {model} ({error})") from error


def judge_settings(
    config: Path | None, assignments: list[str] | None, flags: dict[str, Any]
) -> JudgeSettings:
    """A judge's settings: flags that were given (not None), before --set, before the file.

    Settings that the judge they name never looks at are told on the terminal.
    """
    from telejudge_judges.registry import unread
    from telejudge_judges.settings import load_settings, parse_assignments

    given = {name: value for name, value in flags.items() if value is not None}
    settings = load_settings(config, {**parse_assignments(assignments or ()), **given})
    idle = unread(settings)
    if idle:
        typer.echo(f"note: judge {settings.judge} makes no use of {', '.join(idle)}", err=True)
    return settings


def json_object(text: str | None) -> dict[str, Any]:
    """--sampling as a dictionary; raises UsageError when it is no JSON object."""
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise UsageError(f"--sampling is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError("--sampling must be a JSON object")
    return value
