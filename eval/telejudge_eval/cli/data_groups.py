"""`telejudge data teleqna`, `groups`, `trajectories`: groups of known truth."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from telejudge_envs.progress import progress
from telejudge_eval.cli import options as opt
from telejudge_eval.cli.data_options import Force, Processes, opt_splits, show
from telejudge_eval.cli.long_command import begin, long_command

WORLDS = ("base-station", "tau2-telecom")


class SplitName(StrEnum):
    train = "train"
    dev = "dev"
    test = "test"


@long_command("data teleqna", resumes=False)
def teleqna(
    packed: Annotated[Path, typer.Argument(help="TeleQnA.zip as its authors publish it.")],
    out: opt.Out,
    seed: opt.Seed = 0,
    force: Force = False,
) -> None:
    """Split TeleQnA's questions: a fifth for tests, of the rest four fifths for judges, one for RL.

    Near duplicates are found and kept together; questions with "all of the above" are counted.

    Example: `telejudge data teleqna TeleQnA.zip --out questions.jsonl`
    """
    from telejudge_training.judge_data.questions import write_questions

    record = begin(out, seed=seed)
    with progress("questions compared") as update:
        card = write_questions(packed, out, seed=seed, on_row=update, force=force)
    record.found(rows=card.rows)
    show(card, out)


@long_command("data groups", resumes=False)
def groups(
    questions: Annotated[
        Path,
        typer.Argument(help="Of `data teleqna`, or JSON lines with `question` and `answer`."),
    ],
    out: opt.Out,
    distractors: Annotated[
        list[Path] | None, typer.Option(help="Of `data distractors`; may be repeated.")
    ] = None,
    one: Annotated[float, typer.Option(min=0, help="Share: one right.")] = 8,
    several: Annotated[float, typer.Option(min=0, help="Share: several right.")] = 4,
    none: Annotated[float, typer.Option(min=0, help="Share: nobody right.")] = 3,
    everyone: Annotated[float, typer.Option("--all", min=0, help="Share: everybody right.")] = 2,
    identical: Annotated[float, typer.Option(min=0, help="Share: two the same text.")] = 3,
    lengths: Annotated[
        float, typer.Option(min=0, help="Share: the same contents in few words and in many.")
    ] = 3,
    smallest: Annotated[int, typer.Option(min=2, help="Candidates at least.")] = 2,
    largest: Annotated[int, typer.Option(min=2, max=8, help="Candidates at most.")] = 5,
    per_question: Annotated[int, typer.Option(min=1, help="Groups of a question.")] = 1,
    split: Annotated[
        list[str] | None, typer.Option(help="May be repeated. Default: train, dev, test.")
    ] = None,
    seed: opt.Seed = 0,
    force: Force = False,
) -> None:
    """Make groups of answers: one, several, none or all right, identical ones, short and long.

    Example: `telejudge data groups questions.jsonl --several 6 --out qa_groups.jsonl`
    """
    from telejudge_training.judge_data.qa_groups import Shares, write_answer_groups

    shares = Shares(
        one=one,
        several=several,
        none=none,
        all=everyone,
        identical=identical,
        lengths=lengths,
        smallest=smallest,
        largest=largest,
        per_question=per_question,
    )
    record = begin(out, seed=seed)
    with progress("questions") as update:
        card = write_answer_groups(
            questions,
            out,
            shares,
            distractors=distractors or (),
            splits=opt_splits(split),
            seed=seed,
            on_question=update,
            force=force,
        )
    record.found(rows=card.rows)
    show(card, out)


@long_command("data trajectories")
def trajectories(
    out: opt.Out,
    world: Annotated[
        list[str] | None, typer.Option(help="May be repeated. Default: both worlds.")
    ] = None,
    train: Annotated[int, typer.Option(min=0, help="Groups of training tasks, a world.")] = 1000,
    dev: Annotated[int, typer.Option(min=0, help="Groups of dev tasks.")] = 100,
    test: Annotated[int, typer.Option(min=0, help="Groups of unseen tasks.")] = 200,
    faults: Annotated[
        int, typer.Option(min=0, help="Groups of tasks with reserved faults or pairs of them.")
    ] = 100,
    sizes: Annotated[
        str, typer.Option(help="Candidates of a group, drawn from these.")
    ] = "2,3,4,5",
    per_task: Annotated[int, typer.Option(min=1, help="Groups of a task.")] = 3,
    natural: Annotated[
        float, typer.Option(min=0, max=1, help="Share of groups of the expert's rollouts alone.")
    ] = 0.3,
    kinds: Annotated[int, typer.Option(min=0, help="Kinds of corruption tried on a task.")] = 6,
    experts: Annotated[int, typer.Option(min=0, help="Rollouts of the expert on a task.")] = 6,
    level: Annotated[float, typer.Option(min=0, help="How careless the expert is.")] = 1.0,
    reserve: Annotated[
        list[str] | None,
        typer.Option(
            "--reserve-kind",
            help="A kind of corruption kept for tests; may be repeated. Default: alarm_cheat, "
            "hallucinated_id and over_impact on base stations, hallucinated_id and "
            "policy_violation in tau2-telecom.",
        ),
    ] = None,
    rollouts: Annotated[
        Path | None, typer.Option(help="Recorded rollouts to make groups of as well.")
    ] = None,
    rollouts_split: Annotated[
        SplitName, typer.Option(help="The split of the recorded rollouts.")
    ] = SplitName.test,
    seed: opt.Seed = 0,
    processes: Processes = None,
    force: Force = False,
) -> None:
    """Make groups of gold, correct alternatives, corruptions and an expert's own rollouts.

    Every candidate's outcome and defects are known, step by step. Groups are balanced by how many
    candidates are right and by kind; tasks, kinds and faults are held out for tests.

    Example: `telejudge data trajectories --world base-station --train 500 --out groups.jsonl`
    """
    from telejudge_training.judge_data.trajectories import Plan, numbers, write_groups

    plan = Plan(
        worlds=tuple(world or WORLDS),
        train=train,
        dev=dev,
        test=test,
        faults=faults,
        sizes=numbers(sizes),
        per_task=per_task,
        natural=natural,
        kinds=kinds,
        experts=experts,
        level=level,
        reserve=tuple(reserve or ()),
        seed=seed,
    )
    record = begin(out, seed=seed)
    with progress("tasks played") as update:
        card = write_groups(
            plan,
            out,
            recorded=rollouts,
            recorded_split=rollouts_split.value,
            processes=processes or os.cpu_count() or 1,
            on_pools=update,
            force=force,
        )
    record.found(rows=card.rows)
    show(card, out)
