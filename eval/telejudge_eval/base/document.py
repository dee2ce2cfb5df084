"""Base measurements as Markdown and as one HTML page, from stored results alone.

    Path("base.md").write_text(markdown(read_results([Path("docs/results/base/smollm.json")])))

Words about how it was made come from `introduction` (Markdown without numbers); every figure is
computed here.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from telejudge_envs.errors import DataError
from telejudge_eval.base.figures import Line, line_of
from telejudge_eval.base.records import BaseResult, Section

HEAD = ("model", "score", "95%", "scored of", "no answer found", "tokens", "seconds", "besides")
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; display: block;
        overflow-x: auto; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #8884; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
td:last-child, p { color: color-mix(in srgb, currentColor 75%, transparent); }
.bar { display: inline-block; height: .6rem; background: #4a90d9; border-radius: 2px; }
"""


def read_results(paths: Sequence[Path]) -> list[BaseResult]:
    """Raises DataError naming a file that is no result."""
    found = []
    for path in paths:
        try:
            found.append(BaseResult.model_validate_json(path.read_text(encoding="utf-8")))
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise DataError(f"{path} is no result of `telejudge eval base`: {error}") from error
    return found


def markdown(results: Sequence[BaseResult], title: str, introduction: str = "") -> str:
    """A table a section, a row a model."""
    lines = [f"# {title}", "", *([introduction.strip(), ""] if introduction.strip() else [])]
    for name, sections in _by_section(results):
        lines += [f"## {name}", "", _sampled([s for _, s in sections]), ""]
        lines += [_row(HEAD), _row(["---", *["---:"] * 6, "---"])]
        lines += [_row(_cells(model, line_of(section))) for model, section in sections]
        lines.append("")
    lines += ["## How each was run", ""]
    lines += [f"- {r.model}: {r.how}; judge of open answers: {_judge(r)}" for r in results]
    return "\n".join(lines) + "\n"


def page(results: Sequence[BaseResult], title: str) -> str:
    """One file that needs nothing else; the same figures."""
    parts = [f"<h1>{html.escape(title)}</h1>"]
    for name, sections in _by_section(results):
        parts.append(f"<h2>{html.escape(name)}</h2>")
        parts.append(f"<p>{html.escape(_sampled([s for _, s in sections]))}</p><table>")
        parts.append(_html_row("th", [html.escape(head) for head in HEAD]))
        for model, section in sections:
            line = line_of(section)
            cells = [html.escape(cell) for cell in _cells(model, line)]
            if line.value is not None:
                width = f"{100 * line.value:.0f}"
                cells[1] += f'<br><span class="bar" style="width:{width}px"></span>'
            parts.append(_html_row("td", cells))
        parts.append("</table>")
    parts.append("<h2>How each was run</h2>")
    parts += [
        f"<p>{html.escape(f'{r.model}: {r.how}; judge of open answers: {_judge(r)}')}</p>"
        for r in results
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def _by_section(
    results: Sequence[BaseResult],
) -> Iterator[tuple[str, list[tuple[str, Section]]]]:
    names = {section.name: section.title for r in results for section in r.sections}
    for name, title in names.items():
        yield title, [(r.model, s) for r in results for s in r.sections if s.name == name]


def _sampled(sections: Sequence[Section]) -> str:
    samples = list(dict.fromkeys(section.sample for section in sections))
    return "Items " + "; ".join(samples) + "."


def _cells(model: str, line: Line) -> list[str]:
    return [
        model,
        "–" if line.value is None else f"{line.value:.1%}",
        "–" if line.low is None or line.high is None else f"{line.low:.1%}–{line.high:.1%}",
        f"{line.scored} of {line.items}",
        str(line.unread) if line.items else "–",
        "–" if line.tokens is None else f"{line.tokens:.0f}",
        "–" if line.seconds is None else f"{line.seconds:.1f}",
        line.note or "–",
    ]


def _judge(result: BaseResult) -> str:
    judge = result.settings.get("judge")
    return f"{judge}, reference mode {result.settings['reference_mode']}" if judge else "none"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _html_row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"
