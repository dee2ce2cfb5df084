"""One verdict for people: what was right, what was not, and why, step by step.

show_verdict(verdict, inspection, console)
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from telejudge_envs.inspection import Inspection
from telejudge_envs.nouns.verdict import Verdict


def show_verdict(verdict: Verdict, inspection: Inspection, console: Console) -> None:
    """Print checks, defects with their reasons, and the oracle's sentence for each call."""
    steps = Table("", "call", "what it was worth", title="step by step", show_lines=False)
    for seen in inspection.steps:
        label = "" if seen.label is None else seen.label.sentence
        steps.add_row(str(seen.step.index + 1), Text(_call(seen.step.call.name)), Text(label))
    console.print(steps)
    for check in inspection.outcome.checks:
        console.print(f"{'[green]yes' if check.passed else '[red]no '}[/] {check.name}")
    for defect in verdict.defects:
        where = "at the end" if defect.step is None else f"step {defect.step + 1}"
        console.print(
            f"[yellow]{defect.severity}[/] {defect.kind} ({where}): ", end="", highlight=False
        )
        console.print(defect.reason, markup=False, highlight=False)
    if verdict.abstained is not None:
        console.print(f"not judged: {verdict.abstained}", markup=False)
        return
    console.print(
        f"answer {verdict.answer}, tools {verdict.tools:.2f}, reward {verdict.reward:.2f}",
        highlight=False,
    )


def _call(name: str) -> str:
    return name or "(no tool)"
