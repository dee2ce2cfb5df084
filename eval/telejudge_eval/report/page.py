"""One HTML file that shows a run: figures, curves, defects, and every group step by step.

In: a run directory (finished or not) or files of judged groups, rollouts and verdicts. Out: one
self-contained file that needs no network, and works without scripts too (they add sorting,
filtering, values under the pointer and long texts in place).

    write_report(Path("runs/first"), Path("runs/first/report.html"))

Everything that a model or a tool wrote is escaped, and the page's own content security policy
lets no script run but the one whose hash it carries, and nothing be fetched.

The file is kept below about `DETAIL_BUDGET` bytes: a text that occurs many times is stored once,
and of groups beyond the budget only the line in the table is written, which says so.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from telejudge_envs.errors import MissingExtraError
from telejudge_envs.nouns.judged import JudgedGroup
from telejudge_eval.report.data import RunData, read_source
from telejudge_eval.report.facts import curves, facts, flat, greedy_table
from telejudge_eval.report.group import group_view, shown
from telejudge_eval.report.stats import GroupLine, defect_rows, figures, group_line
from telejudge_eval.report.text import TEXT_LIMIT, Texts, digest, number

if TYPE_CHECKING:
    from jinja2 import Environment

DETAIL_BUDGET = 13_000_000
"""Bytes of group sections and texts; the rest of a report is small beside them."""

TEMPLATES = Path(__file__).parent / "templates"

TICKET_SHOWN = 600

PHASE_ORDER = ("before", "train", "after")
DETAIL_ORDER = ("after", "before", "train")
"""Which groups get their section first when not all fit."""


def write_report(source: Path | Sequence[Path], out: Path) -> Path:
    """Read `source`, write the report to `out` and return `out`.

    Raises `DataError` for missing or broken files.
    """
    page = render(read_source(source))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    return out


@dataclass(frozen=True)
class Listed:
    """A group in the table; `section` is its HTML, empty when left out for size."""

    anchor: str
    judged: JudgedGroup
    line: GroupLine
    section: str

    @property
    def agents(self) -> str:
        """The agents of the group, for the text filter."""
        return digest(" ".join({t.agent: "" for t in self.judged.group.trajectories}), 200)


def render(data: RunData) -> str:
    """The whole page as text."""
    environment = _environment()
    texts = Texts()
    groups = sorted(data.groups, key=lambda g: _place(g.phase, PHASE_ORDER))
    listed = _sections(environment, groups, texts)
    present = {group.phase for group in groups}
    compared = [phase for phase in ("before", "after") if phase in present]
    phases = compared or list(dict.fromkeys(group.phase for group in groups))
    tables = figures(groups, phases) if groups else []
    greedy = greedy_table(data.summary, phases)
    if greedy is not None:
        tables.insert(1, greedy)
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    return environment.get_template("report.html.jinja").render(
        data=data,
        facts=facts(data),
        config=flat(data.config),
        results=flat(data.summary),
        phases=phases,
        figures=tables,
        unfinished="after.jsonl" in data.missing or "summary.json" in data.missing,
        defects=defect_rows(groups, phases),
        curves=curves(data.metrics),
        listed=listed,
        left_out=sum(not group.section for group in listed),
        judges=sorted({group.verdict.judge for group in groups}),
        texts=texts.shown,
        text_limit=TEXT_LIMIT,
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=_hash(script),
        made_by=_version(),
    )


def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtraError("jinja2", "report") from error
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["digest"] = digest
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(name: str) -> str:
    """Let the long ids of tasks break after their separators."""
    from markupsafe import Markup, escape

    safe = str(escape(digest(name, 300)))
    for separator in ("|", "]", "_"):
        safe = safe.replace(separator, f"{separator}<wbr>")
    return Markup(safe)


def _sections(
    environment: Environment, groups: Sequence[JudgedGroup], texts: Texts
) -> list[Listed]:
    """Render each group's section, the most telling phases first, until the budget is spent."""
    template = environment.get_template("group.html.jinja")
    order = sorted(range(len(groups)), key=lambda i: _place(groups[i].phase, DETAIL_ORDER))
    sections: dict[int, str] = {}
    spent, full = 0, False
    for i in order:
        if full:
            break
        held = len(texts.shown)
        section = template.render(
            anchor=f"g{i + 1}",
            alone=len(groups) == 1,
            judged=groups[i],
            line=group_line(groups[i]),
            ticket=shown(groups[i].group.task.ticket, TICKET_SHOWN, texts),
            view=group_view(groups[i], texts),
        )
        size = len(section.encode())
        if spent + size + texts.size > DETAIL_BUDGET:
            texts.forget_after(held)
            full = True
        else:
            sections[i] = section
            spent += size
    return [
        Listed(f"g{i + 1}", judged, group_line(judged), sections.get(i, ""))
        for i, judged in enumerate(groups)
    ]


def _place(phase: str, order: tuple[str, ...]) -> int:
    return order.index(phase) if phase in order else len(order)


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _version() -> str:
    try:
        return version("telejudge")
    except PackageNotFoundError:
        return "unknown"
