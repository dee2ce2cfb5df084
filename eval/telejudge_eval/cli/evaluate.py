"""`telejudge eval judge, compare, table, admission`: how far a judge can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from telejudge_envs.errors import MissingExtraError
from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, command_line, long_command

Results = Annotated[
    list[Path], typer.Argument(help="Folders of `telejudge eval judge`, or their result.json.")
]


@long_command("eval judge")
def eval_judge(
    out: Annotated[Path, typer.Option(help="Folder for result.json, judged.jsonl, verdicts.")],
    judge: opt.Judge = None,
    config: opt.JudgeConfig = None,
    set_: opt.JudgeSet = None,
    rollouts: Annotated[
        list[Path] | None, typer.Option(help="Rollouts with recorded outcome. May be repeated.")
    ] = None,
    corruptions: Annotated[
        list[Path] | None,
        typer.Option(help="From `telejudge data corruptions`. May be repeated."),
    ] = None,
    trajectories: Annotated[
        list[Path] | None,
        typer.Option(help="From `telejudge data trajectories`: its test split. May be repeated."),
    ] = None,
    teleqna: Annotated[
        Path | None, typer.Option(help="TeleQnA's zip as published; it stays packed.")
    ] = None,
    groups: Annotated[
        int | None, typer.Option(min=1, help="Groups of each file at most; default: all.")
    ] = None,
    size: Annotated[int, typer.Option(min=1, help="Candidates of a group at most.")] = 8,
    padding: Annotated[
        int,
        typer.Option(
            min=0, help="Groups of each source judged again with padded texts (length bias)."
        ),
    ] = 20,
    attacks: Annotated[
        int, typer.Option(min=0, help="Wrong candidates that each of the attacks is tried on.")
    ] = 1,
    bootstrap: Annotated[int, typer.Option(min=100, help="Bootstrap samples.")] = 2000,
    label: Annotated[str, typer.Option(help="What tables call it; default: the judge.")] = "",
    seed: Annotated[
        int | None, typer.Option(help="Of the sample, the changes and the judge; default 0.")
    ] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="How many at once.")] = None,
    base_url: opt.BaseUrl = None,
    model: opt.Model = None,
    api_key: opt.ApiKey = None,
    sampling: opt.Sampling = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder in which replies are kept.", rich_help_panel="Model")
    ] = None,
) -> None:
    """Judge groups whose truth is known and say how right, steady, fair and costly the judge is.

    Example: `telejudge eval judge --judge verifier --rollouts rollouts.jsonl --out eval/verifier`

    Called again with the same folder, it goes on where it was.
    """
    from rich.console import Console

    from telejudge_judges.registry import open_judge

    _need_numpy()
    from telejudge_eval.judge_eval.run import Files, Plan, evaluate, gather
    from telejudge_eval.judge_eval.sheets import sheets
    from telejudge_eval.judge_eval.show import print_sheets

    settings = opt.judge_settings(
        config,
        set_,
        {
            "judge": judge,
            "seed": seed,
            "concurrency": concurrency,
            "base_url": base_url,
            "model": model,
            "api_key": api_key,
            "sampling": None if sampling is None else opt.json_object(sampling),
            "cache": cache,
        },
    )
    chosen = open_judge(None, settings)
    files = Files(
        tuple(rollouts or ()), tuple(corruptions or ()), tuple(trajectories or ()), teleqna
    )
    exams, samples = gather(files, groups=groups, seed=settings.seed, size=size)
    plan = Plan(
        padding=padding,
        attacks=attacks,
        bootstrap=bootstrap,
        concurrency=settings.concurrency,
        seed=settings.seed,
    )
    asked = settings.model_dump(mode="json", exclude_unset=True)
    record = begin(out, folder=True, seed=settings.seed, config=asked)
    result = evaluate(
        chosen,
        exams,
        samples,
        out,
        plan,
        model=settings.model or "",
        label=label,
        command=command_line(),
        settings=asked,
    )
    print_sheets(sheets([result]), Console())
    overall = next(iter(result.measures.values()), {})  # of all sources, or of the only one
    record.found(**{name: measure.value for name, measure in overall.items()})
    typer.echo(f"result in {out / 'result.json'}, groups for a report in {out / 'judged.jsonl'}")


def eval_compare(
    first: Annotated[Path, typer.Argument(help="Folder or result.json of one judge.")],
    second: Annotated[Path, typer.Argument(help="The same of another, on the same groups.")],
    bootstrap: Annotated[int, typer.Option(min=100, help="Samples of both tests.")] = 2000,
    seed: opt.Seed = 0,
) -> None:
    """Differences of two judges on the same groups, with intervals and paired tests.

    Example: `telejudge eval compare eval/pointwise eval/listwise`
    """
    from rich.console import Console

    _need_numpy()
    from telejudge_eval.judge_eval.admission import read_result
    from telejudge_eval.judge_eval.compare import compare
    from telejudge_eval.judge_eval.sheets import labels
    from telejudge_eval.judge_eval.show import print_comparison

    both = [read_result(_result(path)) for path in (first, second)]
    comparison = compare(both[0], both[1], samples=bootstrap, seed=seed)
    print_comparison(comparison, labels(both), Console())


def eval_table(
    results: Results,
    out: Annotated[Path | None, typer.Option(help="The Markdown file; default: print it.")] = None,
    title: Annotated[str, typer.Option(help="Its title.")] = "Judges, evaluated",
) -> None:
    """Render stored results as a Markdown document, a column a judge.

    Example: `telejudge eval table eval/pointwise eval/listwise --out judges.md`
    """
    from telejudge_eval.judge_eval.admission import read_result
    from telejudge_eval.judge_eval.show import markdown

    text = markdown([read_result(_result(path)) for path in results], title)
    if out is None:
        typer.echo(text, nl=False)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    typer.echo(f"{len(results)} judges in {out}")


def eval_admission(
    result: Annotated[Path, typer.Argument(help="A folder of `telejudge eval judge`.")],
    thresholds: Annotated[
        Path | None, typer.Option(help="Limits as TOML or YAML; default: those that ship.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The record for training; default: beside the result.")
    ] = None,
) -> None:
    """Say whether a judge may be used as a reward, and why not. Exits with 1 when it may not.

    Example: `telejudge eval admission eval/listwise`
    """
    from rich.console import Console

    from telejudge_eval.judge_eval.admission import admit
    from telejudge_eval.judge_eval.show import print_admission

    path = _result(result)
    admission = admit(path, thresholds)
    out = out or path.with_name("admission.json")
    out.write_text(admission.model_dump_json(indent=1) + "\n", encoding="utf-8")
    print_admission(admission, Console())
    typer.echo(f"record in {out}")
    raise typer.Exit(0 if admission.passed else 1)


def _result(path: Path) -> Path:
    return path / "result.json" if path.is_dir() else path


def _need_numpy() -> None:
    try:
        import numpy  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("numpy", "measure") from error
