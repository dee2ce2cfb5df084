"""Rubric items, cases and hits as tables for the terminal.

Console().print(items_table(starter_sets().items))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from telejudge_judges.rubric.hits import HitRule, Hits
    from telejudge_judges.rubric.items import RubricCase, RubricItem, RubricSet


def items_table(items: Sequence[RubricItem]) -> Table:
    """One row an item."""
    table = Table(title="Rubric items (core: asked of every ticket)")
    for column in ("item", "about", "if true", "weight", "severity", "statement", "source"):
        table.add_column(column, overflow="fold")
    for item in items:
        flags = " core" if item.core else ""
        flags += ", essential" if item.essential else ""
        table.add_row(
            f"{item.id}{flags}",
            item.about,
            item.polarity,
            f"{item.weight:.2f}",
            item.severity,
            item.text,
            item.source,
        )
    return table


def cases_table(cases: Sequence[RubricCase]) -> Table:
    """One row a similar ticket, the most similar first."""
    table = Table(title="Similar tickets")
    for column in ("case", "ticket", "items"):
        table.add_column(column, overflow="fold")
    for case in cases:
        table.add_row(case.id, case.ticket, ", ".join(case.items))
    return table


def hits_table(hits: Mapping[str, Hits], rubrics: RubricSet, rule: HitRule) -> Table:
    """One row an item that was asked, the rarest hit first; drafted items show their text."""
    known = {item.id: item for item in rubrics.items}
    table = Table(title="How often each item was true")
    for column in ("item", "true", "false", "n/a", "rate", "verdict"):
        table.add_column(column, overflow="fold", justify="left" if column == "item" else "right")
    for name, one in sorted(hits.items(), key=lambda pair: (pair[1].rate or 0.0, pair[0])):
        rate = "" if one.rate is None else f"{one.rate:.0%}"
        shown = f"{name}: {one.text}" if one.text else name
        table.add_row(
            shown, str(one.yes), str(one.no), str(one.na), rate, _fate(known.get(name), one, rule)
        )
    return table


def _fate(item: RubricItem | None, hits: Hits, rule: HitRule) -> str:
    if item is None:
        return "not in the files"
    if item.core:
        return "core"
    if rule.drops(item, hits):
        return "dropped"
    return "kept" if hits.seen >= rule.seen else "kept, too few"
