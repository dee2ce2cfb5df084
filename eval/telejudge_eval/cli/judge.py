"""`telejudge judge`: a rollout file in, one GroupVerdict a line out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telejudge_eval.cli import options as opt

if TYPE_CHECKING:
    from telejudge_envs.nouns.trajectory import Group
    from telejudge_envs.nouns.verdict import GroupVerdict
    from telejudge_judges.protocol import Judge


class JudgeName(StrEnum):
    verifier = "verifier"
    listwise = "listwise"


class Language(StrEnum):
    en = "en"
    zh = "zh"


def judge(
    file: Annotated[Path, typer.Argument(help="A rollout file, plain or gzipped.")],
    out: opt.Out,
    judge: Annotated[
        JudgeName, typer.Option(help="verifier: ground truth, no model; listwise: a model.")
    ] = JudgeName.verifier,
    seed: opt.Seed = 0,
    orders: Annotated[
        int, typer.Option(min=1, help="listwise: orders in which a group is shown.")
    ] = 2,
    language: Annotated[
        Language, typer.Option(help="listwise: language of the prompt.")
    ] = Language.en,
    cache: Annotated[
        Path | None, typer.Option(help="listwise: folder in which replies are kept.")
    ] = None,
    prompt: Annotated[
        Path | None, typer.Option(help="listwise: a prompt template in place of ours.")
    ] = None,
    budget: Annotated[
        int, typer.Option(min=1000, help="listwise: tokens of evidence a call.")
    ] = 24_000,
    json_mode: Annotated[
        bool, typer.Option("--json-mode", help="listwise: ask the server for constrained JSON.")
    ] = False,
    retry_abstained: Annotated[
        bool, typer.Option("--retry-abstained", help="Judge groups with abstentions again.")
    ] = False,
    concurrency: opt.Concurrency = 8,
    base_url: opt.BaseUrl = None,
    model: opt.Model = None,
    api_key: opt.ApiKey = None,
    sampling: opt.Sampling = None,
    timeout: opt.Timeout = 120.0,
    retries: opt.Retries = 4,
) -> None:
    """Judge the rollouts of a file, grouped by task and mode.

    Example: `telejudge judge rollouts.jsonl --judge verifier --out verdicts.jsonl`

    Groups that OUT already holds a verdict on by the same judge are not judged again.
    """
    from telejudge_envs import store
    from telejudge_envs.groups import groups_of, outcomes_of
    from telejudge_envs.nouns.trajectory import Rollout
    from telejudge_envs.registry import open_world
    from telejudge_eval.tables import verdict_table

    if judge is JudgeName.verifier:
        from telejudge_judges.verifier import Verifier

        chosen: Judge = Verifier(open_world)
    else:
        from telejudge_envs.client import ChatClient
        from telejudge_judges.briefing import WorldBriefings
        from telejudge_judges.listwise import ListwiseJudge

        where = opt.endpoint(base_url, model, api_key, sampling, timeout, retries, concurrency)
        chosen = ListwiseJudge(
            ChatClient(where, seed=seed),
            orders=orders,
            seed=seed,
            language=language.value,
            prompt_path=prompt,
            briefings=WorldBriefings(open_world),
            cache=cache,
            budget_tokens=budget,
            json_mode=json_mode,
        )
    rollouts = list(store.read(file, Rollout))
    groups = groups_of(rollouts)
    verdicts = asyncio.run(_judge_all(chosen, groups, out, concurrency, retry_abstained))
    if retry_abstained:
        store.write(out, verdicts)  # one verdict a group: the new ones in place of the old
    verdict_table(verdicts, outcomes_of(rollouts))
    typer.echo(f"{len(verdicts):,} group verdicts in {out}")


async def _judge_all(
    judge: Judge, groups: Sequence[Group], out: Path, concurrency: int, retry_abstained: bool
) -> list[GroupVerdict]:
    """Verdicts in the order of `groups`; each is in the file as soon as it is there."""
    from rich.console import Console
    from rich.progress import Progress

    from telejudge_envs.nouns.verdict import GroupVerdict
    from telejudge_envs.store import Store

    with (
        Store(out, GroupVerdict) as store,
        Progress(console=Console(stderr=True), transient=True) as bar,
    ):
        known = {
            v.group_id: v
            for v in store.read()
            if (v.judge, v.judge_version) == (judge.name, judge.version)
            and not (retry_abstained and any(one.abstained for one in v.verdicts))
        }
        line = bar.add_task(f"{judge.name} judges", total=len(groups), completed=0)
        free = asyncio.Semaphore(concurrency)

        async def one(group: Group) -> GroupVerdict:
            if group.id not in known:
                async with free:
                    known[group.id] = await judge.judge(group)
                store.append(known[group.id])
            bar.advance(line)
            return known[group.id]

        return await asyncio.gather(*(one(group) for group in groups))
