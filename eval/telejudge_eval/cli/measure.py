"""`telejudge eval`: how good an agent is, by the verifier; how far a judge can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from telejudge_eval.cli import evaluate

eval_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@eval_app.callback()
def measure() -> None:
    """Measure agents and judges.

    Example: `telejudge eval agent rollouts.jsonl`
    """


@eval_app.command("agent")
def eval_agent(
    file: Annotated[Path, typer.Argument(help="A rollout file (`telejudge rollout` writes one).")],
    out: Annotated[
        Path | None, typer.Option(help="Also write the judged groups here, for a report.")
    ] = None,
    bootstrap: Annotated[int, typer.Option(min=100, help="Bootstrap samples.")] = 2000,
) -> None:
    """Success by the world's evaluator, answer, tool-call reasonableness, reward, calls, pass^k.

    Example: `telejudge eval agent rollouts.jsonl --out judged.jsonl`
    """
    from telejudge_envs import store
    from telejudge_envs.nouns.trajectory import Rollout
    from telejudge_eval.agent_measures import agent_table, judged_by_verifier

    by_agent = judged_by_verifier(list(store.read(file, Rollout)))
    agent_table(by_agent, bootstrap=bootstrap)
    if out is not None:
        groups = [group for judged in by_agent.values() for group in judged]
        store.write(out, groups)
        typer.echo(f"{len(groups):,} judged groups in {out}")


eval_app.command("judge")(evaluate.eval_judge)
eval_app.command("compare")(evaluate.eval_compare)
eval_app.command("table")(evaluate.eval_table)
eval_app.command("admission")(evaluate.eval_admission)
