"""`telejudge eval agent`: how good agents are, by ground truth; two of them on the same tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_eval.cli import options as opt
from telejudge_eval.cli.long_command import begin, long_command

if TYPE_CHECKING:
    from telejudge_envs.nouns.judged import JudgedGroup
    from telejudge_eval.agent_eval.records import Episode

JudgedOfFile = dict[str, "list[JudgedGroup]"]


@long_command("eval agent", resumes=False)
def eval_agent(
    file: Annotated[Path, typer.Argument(help="A rollout file (`telejudge rollout` writes one).")],
    out: Annotated[
        Path | None, typer.Option(help="Also write the judged groups here, for a report.")
    ] = None,
    summary: Annotated[Path | None, typer.Option(help="Also write all figures, as JSON.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="Rollouts of another agent on the same tasks: compare.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option(help="Only this one, as in the tables: 'gpt-4.1, dual'.")
    ] = None,
    against_agent: Annotated[
        str | None, typer.Option(help="Whom to compare with, when its file holds several.")
    ] = None,
    faults_fail: Annotated[
        bool,
        typer.Option(
            "--faults-fail", help="Count what users or endpoints made fail as the agent's failure."
        ),
    ] = False,
    bootstrap: Annotated[int, typer.Option(min=100, help="Samples, also of the tests.")] = 2000,
    seed: opt.Seed = 0,
) -> None:
    """Success, reasonableness, effort, pass^k, pass@k; the world's reward beside ours.

    Example: `telejudge eval agent rollouts.jsonl --out judged.jsonl`
    """
    from rich.console import Console

    _need_numpy()
    from telejudge_envs import store
    from telejudge_eval.agent_eval.show import print_agents, print_versus
    from telejudge_eval.agent_eval.summary import as_json, summarise_agent
    from telejudge_eval.agent_eval.versus import versus

    record = begin(kept, seed=seed) if (kept := out or summary) else None
    judged = _judged(file)
    chosen = {agent: judged[_one(judged, agent, file, "--agent")]} if agent else judged
    episodes = _episodes(chosen, faults_fail)
    summaries = [
        summarise_agent(name, own, samples=bootstrap, seed=seed) for name, own in episodes.items()
    ]
    if record is not None and len(summaries) == 1:
        shown = {name: figure.value for name, figure in summaries[0].figures.items()}
        record.found(episodes=len(summaries[0].episodes), **shown)
    console = Console()
    print_agents(summaries, console)
    found = None
    if against is not None:
        others = _judged(against) if against != file else judged
        first = _one(chosen, agent, file, "--agent")
        second = _one(others, against_agent, against, "--against-agent")
        theirs = _episodes({second: others[second]}, faults_fail)[second]
        found = versus(episodes[first], theirs, samples=bootstrap, seed=seed)
        print_versus(found, first, second, console)
    if out is not None:
        groups = [group for own in chosen.values() for group in own]
        store.write(out, groups)
        typer.echo(f"{len(groups):,} judged groups in {out}")
    if summary is not None:
        text = json.dumps(as_json(summaries, found), indent=1, ensure_ascii=False)
        summary.write_text(text + "\n", encoding="utf-8")
        typer.echo(f"figures in {summary}")


def _judged(file: Path) -> JudgedOfFile:
    from telejudge_envs import store
    from telejudge_envs.nouns.trajectory import Rollout
    from telejudge_envs.progress import progress
    from telejudge_eval.agent_measures import judged_by_verifier

    with progress("rollouts verified") as update:
        return judged_by_verifier(list(store.read(file, Rollout)), on_rollout=update)


def _episodes(judged: JudgedOfFile, faults_fail: bool) -> dict[str, tuple[Episode, ...]]:
    from telejudge_envs.registry import open_world
    from telejudge_eval.agent_eval.measures import excused_fail
    from telejudge_eval.agent_eval.records import episodes_of

    found = {name: episodes_of(own, open_world) for name, own in judged.items()}
    return {n: excused_fail(own) for n, own in found.items()} if faults_fail else found


def _one(judged: JudgedOfFile, name: str | None, file: Path, option: str) -> str:
    """The agent that is meant. Raises UsageError naming those that there are."""
    if name in judged:
        return str(name)
    if name is None and len(judged) == 1:
        return next(iter(judged))
    known = "; ".join(f"'{one}'" for one in judged) or "nobody"
    raise UsageError(f"{file} holds {known}: say which with {option}")


def _need_numpy() -> None:
    try:
        import numpy  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("numpy", "measure") from error
