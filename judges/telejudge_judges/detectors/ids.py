"""Identifiers that the agent made up: neither the ticket nor any result had told them.

In: an Inspection. Out: one defect for each such value, at its first use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from telejudge_envs.inspection import Inspection
from telejudge_envs.nouns.verdict import Defect


def hallucinated_id(inspection: Inspection) -> Iterator[Defect]:
    """What the agent itself wrote is no source, nor is what a user has seen and not told."""
    texts = list(inspection.texts)
    heard: list[str] = []
    fresh: list[str] = []  # results of the same message: not read yet when its calls were written
    turn = -1
    accused: set[str] = set()
    for seen in inspection.steps:
        if seen.turn != turn:
            turn, heard, fresh = seen.turn, heard + fresh, []
        while texts and texts[0][0] <= seen.step.index:
            heard.append(texts.pop(0)[1])
        if seen.own:
            for name, value in seen.step.call.arguments.items():
                if name not in inspection.id_arguments or not isinstance(value, str):
                    continue
                if value not in accused and not _told(value, heard):
                    accused.add(value)
                    yield Defect(
                        step=seen.step.index,
                        kind="hallucinated_id",
                        severity="soft",
                        reason=f"Nothing the agent had read contains the {name} it used.",
                        evidence=f"{name}={value[:80]!r}",
                    )
            # an error repeats the arguments it complains of, so it tells nothing
            if seen.ok and (seen.own or inspection.task.mode == "solo"):
                fresh.append(seen.step.result.content)


def _told(value: str, heard: list[str]) -> bool:
    """Whether a text has the value as a whole word, in any case."""
    wanted = value.strip().lower()
    if not wanted:
        return False
    for text in heard:
        if wanted in text or wanted in text.lower():
            whole = rf"(?<![\w-]){re.escape(wanted)}(?![\w-])"
            if re.search(whole, text, re.IGNORECASE):
                return True
    return False
