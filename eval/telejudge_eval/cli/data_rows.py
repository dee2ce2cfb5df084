"""`telejudge data rows`, `math`, `preview`: rows for trainers, and a look at them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from telejudge_envs.progress import progress
from telejudge_eval.cli import options as opt
from telejudge_eval.cli.data_options import Force, Groups, opt_splits, show
from telejudge_eval.cli.long_command import begin, long_command


class What(StrEnum):
    listwise = "listwise"
    pointwise = "pointwise"
    pairs = "pairs"
    ranked = "ranked"


class JudgeKind(StrEnum):
    listwise = "listwise"
    pointwise = "pointwise"


class CodecName(StrEnum):
    json = "json"
    boxed = "boxed"
    tuple = "tuple"


class Form(StrEnum):
    rows = "rows"
    chat = "chat"
    alpaca = "alpaca"


@long_command("data rows", resumes=False)
def rows(
    groups: Groups,
    out: opt.Out,
    what: Annotated[
        What, typer.Option("--for", help="The trainer's kind of rows.")
    ] = What.listwise,
    codec: Annotated[CodecName, typer.Option(help="Verdict format.")] = CodecName.json,
    language: Annotated[str, typer.Option(help="Of the prompt: en or zh.")] = "en",
    prompt: Annotated[
        Path | None, typer.Option(help="A judge's prompt template in place of the shipped one.")
    ] = None,
    orders: Annotated[int, typer.Option(min=1, help="listwise: orders of a group.")] = 2,
    budget: Annotated[int, typer.Option(min=64, help="Tokens of evidence a prompt.")] = 24_000,
    annotations: Annotated[
        Path | None, typer.Option(help="A teacher's words (data annotate). Default: templates.")
    ] = None,
    only_annotated: Annotated[
        bool, typer.Option("--only-annotated", help="Leave out what has no annotation.")
    ] = False,
    words: Annotated[bool, typer.Option(help="Words before the verdicts.")] = True,
    replies: Annotated[bool, typer.Option(help="--no-replies: prompts alone, for GRPO.")] = True,
    one_against_one: Annotated[
        bool, typer.Option("--one-against-one", help="Ablation: one right and one wrong only.")
    ] = False,
    reserved: Annotated[bool, typer.Option(help="--no-reserved: without what tests hold.")] = True,
    split: Annotated[
        list[str] | None, typer.Option(help="May be repeated. Default: train, dev, test.")
    ] = None,
    world: Annotated[list[str] | None, typer.Option(help="May be repeated. Default: all.")] = None,
    pairs: Annotated[int, typer.Option(min=1, help="pairs: at most so many of a group.")] = 4,
    most_tokens: Annotated[
        int, typer.Option(min=0, help="Leave out longer rows (estimate); 0: none.")
    ] = 0,
    form: Annotated[
        Form, typer.Option(help="rows: everything; chat, alpaca: for other trainers.")
    ] = Form.rows,
    seed: opt.Seed = 0,
    force: Force = False,
) -> None:
    """Make rows for one kind of trainer from groups: .parquet or .jsonl, by the ending of --out.

    The prompts are those that the judges themselves send, byte by byte.

    Example: `telejudge data rows groups.jsonl --for listwise --codec boxed --out rows.parquet`
    """
    from telejudge_training.judge_data.making_rows import RowSettings, write_judge_data

    settings = RowSettings(
        what=what.value,
        codec=codec.value,
        language=language,
        prompt=prompt,
        orders=orders,
        budget=budget,
        words=words,
        replies=replies,
        only_annotated=only_annotated,
        one_against_one=one_against_one,
        include_reserved=reserved,
        splits=opt_splits(split),
        worlds=tuple(world or ()),
        pairs=pairs,
        most_tokens=most_tokens,
        form=form.value,
        seed=seed,
    )
    record = begin(out, seed=seed)
    with progress("groups") as update:
        card = write_judge_data(
            groups, out, settings, annotations=annotations, on_group=update, force=force
        )
    record.found(rows=card.rows)
    show(card, out)


@long_command("data math", resumes=False)
def math(
    out: opt.Out,
    problems: Annotated[
        Path | None,
        typer.Option(help="TeleMath's file, or one of its form: JSON, JSON lines or parquet."),
    ] = None,
    own_problems: Annotated[
        bool, typer.Option("--own-problems", help="The dozen of our own, to try things with.")
    ] = False,
    questions: Annotated[Path | None, typer.Option(help="Of `data teleqna`.")] = None,
    traces: Annotated[Path | None, typer.Option(help="Of `data reer`.")] = None,
    mcq: Annotated[
        float, typer.Option(min=0, max=1, help="Share of multiple choice among the questions.")
    ] = 0.3,
    split: Annotated[
        list[str] | None, typer.Option(help="May be repeated. Default: train, dev, test, rl.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Of the problems, as an SPDX id.")] = "unknown",
    seed: opt.Seed = 0,
    force: Force = False,
) -> None:
    """Make rows for training the agent's model: numeric problems, multiple choice, open questions.

    Example: `telejudge data math --own-problems --questions questions.jsonl --out policy.parquet`
    """
    from telejudge_training.judge_data.policy_rows import PolicySettings, write_policy_rows

    splits = opt_splits(split or ["train", "dev", "test", "rl"])
    record = begin(out, seed=seed)
    card = write_policy_rows(
        out,
        PolicySettings(mcq=mcq, splits=splits, licence=licence, seed=seed),
        problems=problems,
        own_problems=own_problems,
        questions=questions,
        traces=traces,
        force=force,
    )
    record.found(rows=card.rows)
    show(card, out)


def preview(
    file: Annotated[Path, typer.Argument(help="A file that `telejudge data` made.")],
    count: Annotated[int, typer.Option(min=1, help="Rows to show.")] = 2,
    start: Annotated[int, typer.Option(min=0, help="The first one.")] = 0,
    width: Annotated[int, typer.Option(min=20, help="Characters of a text.")] = 1200,
) -> None:
    """Show a few rows readably: who is right, what is asked, what reply is wanted.

    Example: `telejudge data preview rows.parquet --count 3`
    """
    from telejudge_training.judge_data.preview import pages

    for page in pages(file, start, count, width):
        typer.echo(page)
