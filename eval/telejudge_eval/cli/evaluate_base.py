"""`telejudge eval base`: one model on questions, problems and episodes; its table and page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command

PANEL = "Sizes of samples (0 leaves a section out)"
JUDGE = "Judge of open answers"


@long_command("eval base")
def eval_base(
    where: Annotated[
        str, typer.Argument(help="A transformers folder, a .gguf file, or http://…/v1.")
    ],
    out: Annotated[Path, typer.Option(help="The run's folder; called again, it goes on there.")],
    teleqna: Annotated[Path | None, typer.Option(help="TeleQnA.zip, as published.")] = None,
    telemath: Annotated[
        Path | None, typer.Option(help="Problems in TeleMath's form; default: our dozen.")
    ] = None,
    choices: Annotated[int, typer.Option(min=0, rich_help_panel=PANEL)] = 500,
    open_: Annotated[int, typer.Option("--open", min=0, rich_help_panel=PANEL)] = 100,
    problems: Annotated[int, typer.Option(min=0, rich_help_panel=PANEL)] = 500,
    tau2: Annotated[int, typer.Option(min=0, rich_help_panel=PANEL)] = 40,
    base_station: Annotated[int, typer.Option(min=0, rich_help_panel=PANEL)] = 60,
    samples: Annotated[int, typer.Option(min=1, help="Replies to a problem.")] = 1,
    open_tokens: Annotated[int, typer.Option(min=1, help="Tokens of an open answer.")] = 256,
    problem_tokens: Annotated[int, typer.Option(min=1, help="Tokens of a solution.")] = 1024,
    turn_tokens: Annotated[int, typer.Option(min=1, help="Tokens of an agent's message.")] = 512,
    max_steps: Annotated[int, typer.Option(min=1, help="Messages of an episode.")] = 50,
    deadline: Annotated[float | None, typer.Option(help="Seconds of an episode.")] = None,
    seed: opt.Seed = 0,
    concurrency: opt.Concurrency = 4,
    name: Annotated[str | None, typer.Option(help="The model's name in tables.")] = None,
    model: opt.Model = None,
    api_key: opt.ApiKey = None,
    timeout: opt.Timeout = 120.0,
    judge_url: Annotated[str | None, typer.Option(rich_help_panel=JUDGE)] = None,
    judge_model: Annotated[str | None, typer.Option(rich_help_panel=JUDGE)] = None,
    judge_prompt: Annotated[
        Path | None, typer.Option(help="A template in place of ours.", rich_help_panel=JUDGE)
    ] = None,
) -> None:
    """Measure a model on TeleQnA (choice and open), numeric problems, τ2 and base stations.

    Example: `telejudge eval base models/small --teleqna TeleQnA.zip --out base/small`
    """
    from contextlib import ExitStack

    from telejudge_envs.client import ChatClient
    from telejudge_envs.progress import Update, progress

    _need_numpy()
    from telejudge_eval.base.document import markdown, page
    from telejudge_eval.base.run import Data, measure
    from telejudge_eval.base.settings import BaseSettings
    from telejudge_eval.base.speakers import open_speaker

    settings = BaseSettings(
        seed=seed,
        choices=choices,
        open=open_,
        open_tokens=open_tokens,
        problems=problems,
        samples=samples,
        problem_tokens=problem_tokens,
        tau2=tau2,
        base_station=base_station,
        max_steps=max_steps,
        turn_tokens=turn_tokens,
        deadline=deadline,
    )
    judge = None
    if judge_url is not None or judge_model is not None:
        sampling = '{"temperature": 0, "max_tokens": 400}'
        asked = opt.endpoint(judge_url, judge_model, api_key, sampling, timeout, 1, concurrency)
        judge = ChatClient(asked)
    speaker = open_speaker(
        where, model=model, api_key=api_key, timeout=timeout, seed=seed, name=name
    )
    data = Data(teleqna=teleqna, problems=telemath, judge=judge, judge_prompt=judge_prompt)
    record = begin(out, folder=True, seed=seed, config=settings.model_dump(mode="json"))
    with ExitStack() as shown:
        updates: dict[str, Update] = {}

        def tell(section: str, done: int, total: int) -> None:
            if section not in updates:
                shown.close()  # one section after the other
                updates[section] = shown.enter_context(progress(section))
            updates[section](done, total)

        result = measure(speaker, data, settings, out, concurrency=concurrency, on_progress=tell)
    for section in result.sections:
        scores = [item.score for item in section.items if item.score is not None]
        record.found(**{section.name: sum(scores) / len(scores) if scores else None})
    title = f"Base measurements of {result.model}"
    text = markdown([result], title)
    (out / "table.md").write_text(text, encoding="utf-8")
    (out / "page.html").write_text(page([result], title), encoding="utf-8")
    typer.echo(text)
    typer.echo(f"result.json, table.md and page.html in {out}")


def eval_base_table(
    results: Annotated[list[Path], typer.Argument(help="Folders of `eval base`, or results.")],
    out: Annotated[Path, typer.Option(help="The Markdown file.")],
    html: Annotated[Path | None, typer.Option(help="Also one HTML page.")] = None,
    introduction: Annotated[
        Path | None, typer.Option(help="Markdown to stand below the title.")
    ] = None,
    title: Annotated[str, typer.Option(help="Its title.")] = "Base measurements",
) -> None:
    """Render stored results as one table a section, a row a model.

    Example: `telejudge eval base-table base/small base/large --out base.md`
    """
    _need_numpy()
    from telejudge_eval.base.document import markdown, page, read_results

    read = read_results([p / "result.json" if p.is_dir() else p for p in results])
    words = introduction.read_text(encoding="utf-8") if introduction else ""
    out.write_text(markdown(read, title, words), encoding="utf-8")
    if html is not None:
        html.write_text(page(read, title), encoding="utf-8")
    typer.echo(f"{len(read)} models in {out}")


def lm_eval_tasks() -> None:
    """Print the folder of our tasks for lm-evaluation-harness (`lm_eval --include_path`).

    Example: `lm_eval --include_path "$(telejudge eval lm-eval-tasks)" --tasks teleqna …`
    """
    folder = Path(__file__).parents[1] / "lm_eval_tasks"
    if not folder.is_dir():
        raise UsageError(f"{folder} is missing: install telejudge from a wheel or its repository")
    typer.echo(folder)


def _need_numpy() -> None:
    try:
        import numpy  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("numpy", "measure") from error
