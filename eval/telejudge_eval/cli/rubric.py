"""`telejudge rubric`: see rubric items, index them, search the indexes, count hits."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command

if TYPE_CHECKING:
    from telejudge_judges.rubric.embed import Embedder
    from telejudge_judges.rubric.index import RubricIndex
    from telejudge_judges.rubric.items import RubricSet

rubric_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

Files = Annotated[
    list[Path] | None,
    typer.Option("--rubrics", help="A YAML file of rubrics; may be given several times."),
]
Starter = Annotated[
    bool, typer.Option("--starter/--no-starter", help="With the rubrics that ship with telejudge.")
]
Index = Annotated[
    Path | None, typer.Option(help="Folder of an index; default: the starter rubrics, anew.")
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        help="OpenAI-compatible endpoint for embeddings, up to and including /v1; default: "
        "all-MiniLM-L6-v2 in this process.",
        rich_help_panel="Model",
    ),
]


@rubric_app.callback()
def rubric() -> None:
    """Rubrics for the rubric judge.

    Example: `telejudge rubric search "Speed tests are poor here." --world base-station`
    """


@rubric_app.command("list")
def list_items(
    rubrics: Files = None,
    starter: Starter = True,
    world: Annotated[str | None, typer.Option(help="Only items for this world.")] = None,
) -> None:
    """Show rubric items: what is asked, which label it informs, what failing it costs.

    Example: `telejudge rubric list --world base-station`
    """
    from rich.console import Console

    from telejudge_eval.rubric_tables import items_table

    chosen = _rubrics(rubrics, starter)
    chosen = chosen.of_world(world) if world else chosen
    Console().print(items_table(chosen.items))
    typer.echo(f"{len(chosen.items)} items, {len(chosen.cases)} cases")


@rubric_app.command("index")
@long_command("rubric index", resumes=False)
def index(
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    rubrics: Files = None,
    starter: Starter = True,
    base_url: BaseUrl = None,
    model: opt.Model = None,
    api_key: opt.ApiKey = None,
    timeout: opt.Timeout = 120.0,
    retries: opt.Retries = 4,
) -> None:
    """Embed rubrics and keep both vector indexes in a folder.

    Example: `telejudge rubric index --rubrics mine.yaml --out rubrics.index`
    """
    from telejudge_judges.rubric.index import RubricIndex

    chosen = _rubrics(rubrics, starter)
    embedder = _embedder(base_url, model, api_key, timeout, retries)
    record = begin(out, folder=True, config={"embedder": embedder.name})
    asyncio.run(RubricIndex.build(chosen, embedder, out))
    record.found(items=len(chosen.items), cases=len(chosen.cases))
    typer.echo(f"{len(chosen.items)} items and {len(chosen.cases)} cases in {out}")


@rubric_app.command("search")
def search(
    ticket: Annotated[str, typer.Argument(help="The text of a ticket.")],
    world: opt.World = "base-station",
    index: Index = None,
    count: Annotated[int, typer.Option(min=1, help="Items besides the core ones.")] = 12,
    base_url: BaseUrl = None,
    model: opt.Model = None,
    api_key: opt.ApiKey = None,
    timeout: opt.Timeout = 120.0,
    retries: opt.Retries = 4,
) -> None:
    """Show what both indexes find for a ticket, as the judge finds it.

    Example: `telejudge rubric search "Uploads fail." --world base-station --index rubrics.index`
    """
    from rich.console import Console

    from telejudge_envs.nouns.task import TaskView
    from telejudge_eval.rubric_tables import cases_table, items_table
    from telejudge_judges.rubric.retrieve import retrieve

    embedder = _embedder(base_url, model, api_key, timeout, retries)
    task = TaskView(id="search", world=world, split="", level=0, ticket=ticket)

    async def look() -> None:
        opened = await _opened(index, embedder)
        found = await retrieve(opened, task, count)
        Console().print(cases_table(found.cases))
        Console().print(items_table(found.items))

    asyncio.run(look())


@rubric_app.command("hits")
def hits(
    files: Annotated[list[Path], typer.Argument(help="Observations that judges recorded.")],
    rubrics: Files = None,
    starter: Starter = True,
    least: Annotated[float, typer.Option(min=0, max=1, help="Drop items hit more rarely.")] = 0.02,
    most: Annotated[float, typer.Option(min=0, max=1, help="Drop items hit more often.")] = 0.98,
    seen: Annotated[int, typer.Option(min=1, help="Candidates before an item is judged.")] = 20,
) -> None:
    """Show how often each item was true, and which items a judge with these limits drops.

    Example: `telejudge rubric hits observed.jsonl --most 0.95`
    """
    from rich.console import Console

    from telejudge_eval.rubric_tables import hits_table
    from telejudge_judges.rubric.hits import HitRule, read_hits

    rule = HitRule(least=least, most=most, seen=seen)
    Console().print(hits_table(read_hits(files), _rubrics(rubrics, starter), rule))


def _rubrics(files: list[Path] | None, starter: bool) -> RubricSet:
    from telejudge_envs.errors import UsageError
    from telejudge_judges.rubric.items import load_set, merge, starter_sets

    if not files and not starter:
        raise UsageError("no rubrics: give --rubrics FILE, or leave --no-starter out")
    return merge([*([starter_sets()] if starter else []), *(load_set(f) for f in files or ())])


def _embedder(
    base_url: str | None, model: str | None, api_key: str | None, timeout: float, retries: int
) -> Embedder:
    from telejudge_judges.rubric.embed import EndpointEmbedder, MiniLM

    if base_url is None and model is None:
        return MiniLM()
    return EndpointEmbedder(
        opt.endpoint(base_url, model, api_key, None, timeout, retries, concurrency=1)
    )


async def _opened(folder: Path | None, embedder: Embedder) -> RubricIndex:
    from telejudge_judges.rubric.index import RubricIndex
    from telejudge_judges.rubric.items import starter_sets

    if folder is not None:
        return RubricIndex.open(folder, embedder)
    return await RubricIndex.build(starter_sets(), embedder)
