"""`telejudge data annotate`, `distractors`, `reer`: what models say, for judges to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telejudge_envs.progress import progress
from telejudge_eval.cli import options as opt
from telejudge_eval.cli.data_options import Force, Groups, opt_splits, show
from telejudge_eval.cli.data_rows import JudgeKind
from telejudge_eval.cli.long_command import begin, long_command

if TYPE_CHECKING:
    from telejudge_training.judge_data.distracting import Compared

Licence = Annotated[
    str, typer.Option(help="Of the model's words, as an SPDX id; recorded in every row.")
]
SplitsOfJudges = Annotated[
    list[str] | None, typer.Option("--split", help="May be repeated. Default: train, dev.")
]
Most = Annotated[int, typer.Option(min=0, help="At most so many; 0: all.")]


@long_command("data annotate")
def annotate(
    groups: Groups,
    out: opt.Out,
    judge: Annotated[
        JudgeKind, typer.Option(help="Whose prompts the teacher sees.")
    ] = JudgeKind.listwise,
    language: Annotated[str, typer.Option(help="Of the prompt: en or zh.")] = "en",
    budget: Annotated[int, typer.Option(min=64, help="Tokens of evidence a prompt.")] = 24_000,
    split: SplitsOfJudges = None,
    most: Most = 0,
    oracle: Annotated[
        bool, typer.Option("--oracle", help="Give the right answers beforehand.")
    ] = False,
    tell_which: Annotated[
        bool, typer.Option(help="After a wrong verdict, tell which answers are wrong.")
    ] = True,
    price_in: Annotated[float, typer.Option(min=0, help="USD a million prompt tokens.")] = 0.0,
    price_out: Annotated[float, typer.Option(min=0, help="USD a million reply tokens.")] = 0.0,
    licence: Licence = "unknown",
    base_url: opt.BaseUrl = None,
    model: opt.Model = None,
    api_key: opt.ApiKey = None,
    sampling: opt.Sampling = None,
    timeout: opt.Timeout = 120.0,
    retries: opt.Retries = 4,
    concurrency: opt.Concurrency = 8,
    seed: opt.Seed = 0,
    force: Force = False,
) -> None:
    """Let a teacher explain the verdicts that a judge is to learn.

    With --base-url and --model a model judges; when it is wrong it is told so and judges again;
    who is wrong twice is dropped and counted. Without them the truth itself is the teacher: the
    verifier's verdicts and reasons, worded by templates.

    Example: `telejudge data annotate groups.jsonl --out annotations.jsonl`
    """
    from telejudge_training.judge_data.annotate import Asked
    from telejudge_training.judge_data.annotate import annotate as by_model
    from telejudge_training.judge_data.annotate import annotate_by_truth as by_truth

    asked = Asked(
        judge=judge.value,
        language=language,
        budget=budget,
        splits=opt_splits(split or ["train", "dev"]),
        most=most,
    )
    record = begin(out, seed=seed)
    by_itself = base_url is None and model is None
    with progress("groups" if by_itself else "prompts") as update:
        if by_itself:
            record.resumes = False
            card = by_truth(groups, out, asked, seed=seed, on_group=update, force=force)
        else:
            from telejudge_envs.client import ChatClient
            from telejudge_training.judge_data.teacher import TeacherSettings

            where = opt.endpoint(base_url, model, api_key, sampling, timeout, retries, concurrency)
            settings = TeacherSettings(
                oracle=oracle,
                tell_which=tell_which,
                language=language,
                price_in=price_in,
                price_out=price_out,
                licence=licence,
                seed=seed,
            )
            client = ChatClient(where, seed=seed)
            card = by_model(groups, out, asked, client, settings, on_page=update, force=force)
    record.found(rows=card.rows)
    show(card, out)


@long_command("data distractors")
def distractors(
    questions: Annotated[
        Path,
        typer.Argument(help="Of `data teleqna`, or JSON lines with `question` and `answer`."),
    ],
    out: opt.Out,
    generate: Annotated[int, typer.Option(min=1, help="Wrong answers written.")] = 6,
    keep: Annotated[int, typer.Option(min=1, help="Of them kept, the most believed ones.")] = 3,
    votes: Annotated[int, typer.Option(min=1, help="Replies of the solver a question.")] = 4,
    paraphrases: Annotated[
        int, typer.Option(min=0, help="Other wordings of the right answer to write.")
    ] = 0,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare them with the questions' own options.")
    ] = False,
    split: SplitsOfJudges = None,
    most: Most = 0,
    licence: Licence = "unknown",
    solver_model: Annotated[
        str | None,
        typer.Option(
            help="Model that solves; default: the one that writes.", rich_help_panel="Model"
        ),
    ] = None,
    base_url: opt.BaseUrl = None,
    model: opt.Model = None,
    api_key: opt.ApiKey = None,
    sampling: opt.Sampling = None,
    timeout: opt.Timeout = 120.0,
    retries: opt.Retries = 4,
    concurrency: opt.Concurrency = 8,
    seed: opt.Seed = 0,
    force: Force = False,
) -> None:
    """Write wrong answers that are believed: generate, rank by a solver's confidence, check.

    Example: `telejudge data distractors questions.jsonl --compare --most 100 --base-url URL
    --model NAME --out distractors.jsonl`
    """
    from telejudge_envs.client import ChatClient
    from telejudge_training.judge_data.distracting import comparison, write_distractors
    from telejudge_training.judge_data.distractors import DistractorSettings
    from telejudge_training.judge_data.files import read_rows
    from telejudge_training.judge_data.questions import read_questions
    from telejudge_training.judge_data.texts import Distractor

    where = opt.endpoint(base_url, model, api_key, sampling, timeout, retries, concurrency)
    writer = ChatClient(where, seed=seed)
    solver = writer
    if solver_model is not None:
        own = where.model_copy(update={"model": solver_model})
        solver = ChatClient(own, seed=seed)
    settings = DistractorSettings(
        generate=generate,
        keep=keep,
        votes=votes,
        paraphrases=paraphrases,
        compare=compare,
        licence=licence,
        seed=seed,
    )
    record = begin(out, seed=seed)
    with progress("questions") as update:
        card = write_distractors(
            questions,
            out,
            settings,
            writer,
            solver,
            most=most,
            splits=opt_splits(split or ["train", "dev"]),
            on_question=update,
            force=force,
        )
    record.found(rows=card.rows)
    show(card, out)
    if compare:
        known = {question.id: question for question in read_questions(questions)}
        _show_comparison(comparison(read_rows(out, Distractor), known))


def _show_comparison(lines: Sequence[Compared]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Wrong answers on the same questions", title_justify="left")
    heads = ("", "options", "believed", "fooled", "like the key", "length")
    for head in heads:
        table.add_column(head, justify="right" if head else "left")
    for line in lines:
        table.add_row(
            line.what,
            f"{line.options:,}",
            f"{line.believed:.1%}",
            f"{line.fooled:.1%}",
            f"{line.like_the_key:.0f}%",
            f"{line.length:.2f}",
        )
    Console().print(table)
    typer.echo(
        "believed: mean share of the solver's replies that chose such an option; fooled: share of "
        "questions on which one was chosen; length: relative to the right answer's"
    )


@long_command("data reer")
def reer(
    questions: Annotated[
        Path,
        typer.Argument(help="Of `data teleqna`, or JSON lines with `question` and `answer`."),
    ],
    out: opt.Out,
    model: Annotated[
        Path, typer.Option(help="Folder of a causal transformers model.", show_default=False)
    ],
    rounds: Annotated[int, typer.Option(min=1, help="Rounds over a trace at most.")] = 3,
    candidates: Annotated[int, typer.Option(min=1, help="Versions tried of a segment.")] = 4,
    segments: Annotated[int, typer.Option(min=1, help="Segments of a trace.")] = 6,
    segment_tokens: Annotated[int, typer.Option(min=4, help="Tokens of a segment.")] = 40,
    temperature: Annotated[float, typer.Option(min=0.05, help="Of the versions.")] = 0.9,
    split: SplitsOfJudges = None,
    most: Most = 0,
    licence: Licence = "unknown",
    seed: opt.Seed = 0,
    force: Force = False,
) -> None:
    """Find reasoning traces for known answers: segments are written anew while the perplexity of
    the answer falls. `telejudge data math --traces` makes rows of them.

    Example: `telejudge data reer questions.jsonl --model FOLDER --most 20 --out traces.jsonl`
    """
    from telejudge_training.judge_data.reasoning import write_traces
    from telejudge_training.judge_data.reer import LocalModel, SearchSettings

    settings = SearchSettings(
        rounds=rounds,
        candidates=candidates,
        segments=segments,
        segment_tokens=segment_tokens,
        temperature=temperature,
        seed=seed,
    )
    record = begin(out, seed=seed)
    with progress("questions") as update:
        card = write_traces(
            questions,
            out,
            settings,
            lambda: LocalModel.load(model),
            name=model.name,
            most=most,
            splits=opt_splits(split or ["train", "dev"]),
            licence=licence,
            on_question=update,
            force=force,
        )
    record.found(rows=card.rows)
    show(card, out)
