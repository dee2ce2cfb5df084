"""`telejudge eval`: how good an agent is, by the verifier; how far a judge can be trusted."""

from __future__ import annotations

import typer

from telejudge_eval.cli import evaluate, evaluate_agent, evaluate_base

eval_app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@eval_app.callback()
def measure() -> None:
    """Measure agents and judges.

    Example: `telejudge eval agent rollouts.jsonl`
    """


eval_app.command("agent")(evaluate_agent.eval_agent)
eval_app.command("judge")(evaluate.eval_judge)
eval_app.command("compare")(evaluate.eval_compare)
eval_app.command("table")(evaluate.eval_table)
eval_app.command("admission")(evaluate.eval_admission)
eval_app.command("base")(evaluate_base.eval_base)
eval_app.command("base-table")(evaluate_base.eval_base_table)
eval_app.command("lm-eval-tasks")(evaluate_base.lm_eval_tasks)
