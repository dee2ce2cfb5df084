r"""Verdicts as numbers in boxes, in the order in which the candidates are shown.

    answers: \boxed{1,0,0,1}
    tools: \boxed{0.9,0.3,0.5,1}

The second box is left out when no candidate made a call (questions and answers): then `tools` is
1, there being no call to find fault with. Numbers have no ids, so a box with too many or too few of
them says nothing of anybody. Defects are not carried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from telejudge_judges.codec import Entry, Reading, Shown
from telejudge_judges.codecs.checks import check_answer, check_tools
from telejudge_judges.codecs.tolerant import without_thinking

_BOX = re.compile(r"\\+(?:boxed|fbox)\s*\{((?:[^{}]|\\?\{[^{}]*\})*)\}|〖([^〖〗]*)〗")
_BETWEEN = re.compile(r"[,\uff0c、;\uff1b\s]+")  # with their full-width forms
_TOOLS = re.compile(r"tools?|工具", re.IGNORECASE)
_ANSWERS = re.compile(r"answers?|结局|答案", re.IGNORECASE)
_LABEL = 24
"""Characters before a box in which its name is looked for."""


class Boxed:
    """Implements Codec."""

    name = "boxed"

    def read(self, text: str, shown: Shown) -> Reading:
        reading = Reading()
        boxes = _boxes(without_thinking(text))
        needs_tools = any(shown.values())
        answers, tools = _chosen(boxes, needs_tools)
        if answers is None:
            form = r"\boxed{…} with the answers"
            reading.spoil("unparseable", None, f"there is no {form} in the reply")
            return reading
        if needs_tools and tools is None:
            reading.spoil("missing", None, r'there is no second \boxed{…}, that of "tools"')
            return reading
        for what, values in (("answers", answers), ("tools", tools or answers)):
            if len(values) != len(shown):
                kind = "missing" if len(values) < len(shown) else "extra"
                detail = f"the box of the {what} holds {len(values)} values; the candidates are "
                reading.spoil(kind, None, f"{detail}{len(shown)}: {', '.join(shown)}")
        if reading.problems:
            return reading
        for i, name in enumerate(shown):
            answer = check_answer(reading, name, answers[i])
            share = check_tools(reading, name, tools[i]) if tools is not None else 1.0
            if answer is not None and share is not None:
                reading.entries[name] = Entry(answer, share)
        return reading

    def write(
        self,
        entries: Mapping[str, Entry],
        appraisals: Mapping[str, str],
        comparison: str,
        *,
        with_tools: bool = True,
    ) -> str:
        lines = [f"{name}: {appraisals[name]}" for name in entries if name in appraisals]
        lines += [comparison] if comparison else []
        lines.append(rf"answers: \boxed{{{','.join(str(e.answer) for e in entries.values())}}}")
        if with_tools:
            tools = ",".join(_number(entry.tools) for entry in entries.values())
            lines.append(rf"tools: \boxed{{{tools}}}")
        return "\n".join(lines)

    def schema(self, shown: Shown, kinds: tuple[str, ...]) -> dict[str, Any] | None:
        return None


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _boxes(text: str) -> list[tuple[str, list[str]]]:
    """(what stands before it, values) of each box."""
    found = []
    end = 0
    for box in _BOX.finditer(text):
        inside = next(group for group in box.groups() if group is not None)
        inside = re.sub(r"[\\{}\[\]()【】\uff08\uff09]|text", " ", inside)
        values = [value for value in _BETWEEN.split(inside) if value]
        found.append((text[max(end, box.start() - _LABEL) : box.start()], values))
        end = box.end()
    return found


def _chosen(
    boxes: Sequence[tuple[str, list[str]]], needs_tools: bool
) -> tuple[list[str] | None, list[str] | None]:
    """The boxes of answers and tools: the last of each name, else the last ones in this order."""
    if not boxes:
        return None, None
    named_tools = [values for label, values in boxes if _TOOLS.search(label)]
    named_answers = [values for label, values in boxes if _ANSWERS.search(label)]
    if not needs_tools:
        return (named_answers or [values for _, values in boxes])[-1], None
    if named_answers and named_tools:
        return named_answers[-1], named_tools[-1]
    if len(boxes) == 1:
        return boxes[0][1], None
    return boxes[-2][1], boxes[-1][1]
