"""`telejudge judge`: a rollout file in, one GroupVerdict a line out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command

if TYPE_CHECKING:
    from telejudge_envs.nouns.trajectory import Group
    from telejudge_envs.nouns.verdict import GroupVerdict
    from telejudge_judges.protocol import Judge


class Language(StrEnum):
    en = "en"
    zh = "zh"


@long_command("judge")
def judge(
    file: Annotated[Path, typer.Argument(help="A rollout file, plain or gzipped.")],
    out: opt.Out,
    judge: opt.Judge = None,
    config: opt.JudgeConfig = None,
    set_: opt.JudgeSet = None,
    seed: Annotated[
        int | None, typer.Option(help="Every random choice comes from it. Default: 0.")
    ] = None,
    orders: Annotated[
        int | None, typer.Option(min=1, help="listwise: orders in which a group is shown.")
    ] = None,
    language: Annotated[
        Language | None, typer.Option(help="Language of the prompt. Default: en.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder in which replies are kept.")] = None,
    prompt: Annotated[Path | None, typer.Option(help="A prompt template in place of ours.")] = None,
    budget: Annotated[
        int | None, typer.Option(min=1000, help="Tokens of evidence a call. Default: 24,000.")
    ] = None,
    json_mode: Annotated[
        bool, typer.Option("--json-mode", help="Ask the server for any JSON, not for a schema.")
    ] = False,
    retry_abstained: Annotated[
        bool, typer.Option("--retry-abstained", help="Judge groups with abstentions again.")
    ] = False,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="How many at once. Default: 8.")
    ] = None,
    base_url: opt.BaseUrl = None,
    model: opt.Model = None,
    api_key: opt.ApiKey = None,
    sampling: opt.Sampling = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Seconds for one request. Default: 120.", rich_help_panel="Model"
        ),
    ] = None,
    retries: Annotated[
        int | None,
        typer.Option(
            min=0, help="Requests made again at most. Default: 4.", rich_help_panel="Model"
        ),
    ] = None,
) -> None:
    """Judge the rollouts of a file, grouped by task and mode.

    Example: `telejudge judge rollouts.jsonl --judge verifier --out verdicts.jsonl`

    Every flag is a setting of the same name in a YAML file (--config); --set reaches those that
    have no flag. Groups that OUT already holds a verdict on by the same judge are not judged again.
    """
    from telejudge_envs import store
    from telejudge_envs.groups import groups_of, outcomes_of
    from telejudge_envs.nouns.trajectory import Rollout
    from telejudge_eval.tables import verdict_figures, verdict_table
    from telejudge_judges.registry import open_judge

    settings = opt.judge_settings(
        config,
        set_,
        {
            "judge": judge,
            "seed": seed,
            "orders": orders,
            "language": None if language is None else language.value,
            "cache": cache,
            "prompt": prompt,
            "budget": budget,
            "json_mode": True if json_mode else None,
            "concurrency": concurrency,
            "base_url": base_url,
            "model": model,
            "api_key": api_key,
            "sampling": None if sampling is None else opt.json_object(sampling),
            "timeout": timeout,
            "retries": retries,
        },
    )
    chosen = open_judge(None, settings)
    rollouts = list(store.read(file, Rollout))
    groups = groups_of(rollouts)
    record = begin(
        out, seed=settings.seed, config=settings.model_dump(mode="json", exclude_unset=True)
    )
    verdicts = asyncio.run(_judge_all(chosen, groups, out, settings.concurrency, retry_abstained))
    if retry_abstained:
        store.write(out, verdicts)  # one verdict a group: the new ones in place of the old
    verdict_table(verdicts, outcomes_of(rollouts))
    record.found(**verdict_figures(verdicts))
    typer.echo(f"{len(verdicts):,} group verdicts in {out}")


async def _judge_all(
    judge: Judge, groups: Sequence[Group], out: Path, concurrency: int, retry_abstained: bool
) -> list[GroupVerdict]:
    """Verdicts in the order of `groups`; each is in the file as soon as it is there."""
    from telejudge_envs.nouns.verdict import GroupVerdict
    from telejudge_envs.progress import progress
    from telejudge_envs.store import Store
    from telejudge_judges.asking import ask

    with Store(out, GroupVerdict) as store, progress(f"{judge.name} judges groups") as update:
        known = {
            v.group_id: v
            for v in store.read()
            if (v.judge, v.judge_version) == (judge.name, judge.version)
            and not (retry_abstained and any(one.abstained for one in v.verdicts))
        }
        wanted = {group.id for group in groups}
        update(len(wanted & known.keys()), len(wanted))
        free = asyncio.Semaphore(concurrency)

        async def one(group: Group) -> GroupVerdict:
            if group.id not in known:
                async with free:
                    known[group.id] = await ask(judge, group)
                store.append(known[group.id])
                update(len(wanted & known.keys()), len(wanted))
            return known[group.id]

        return await asyncio.gather(*(one(group) for group in groups))
