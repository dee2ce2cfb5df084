"""Identifiers that the agent made up: neither the ticket nor any result had told them.

In: an Inspection. Out: one defect for each such value, at its first use.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from telejudge_envs.inspection import InspectedStep, Inspection
from telejudge_envs.nouns.verdict import Defect


def hallucinated_id(inspection: Inspection) -> Iterator[Defect]:
    """What the agent itself wrote is no source, nor is what a user has seen and not told."""
    texts = list(inspection.texts)
    heard: list[str] = []
    fresh: list[str] = []  # results of the same message: not read yet when its calls were written
    turn = -1
    settled: set[str] = set()
    for seen in inspection.steps:
        if seen.turn != turn:
            heard.extend(fresh)
            turn, fresh = seen.turn, []
        while texts and texts[0][0] <= seen.step.index:
            heard.append(_lower(texts.pop(0)[1]))
        if seen.own:
            for name, value in _ids(inspection, seen):
                if value not in settled and not _told(value.strip().lower(), heard):
                    yield _made_up(seen, name, value)
                settled.add(value)
        # an error repeats the arguments it complains of, so it tells nothing
        if seen.ok and (seen.own or inspection.task.mode == "solo"):
            fresh.append(seen.step.result.content.lower())


def _ids(inspection: Inspection, seen: InspectedStep) -> Iterator[tuple[str, str]]:
    for name, value in seen.step.call.arguments.items():
        if name in inspection.id_arguments and isinstance(value, str):
            yield name, value


@functools.lru_cache(maxsize=64)
def _lower(text: str) -> str:
    """The policy is the same long text in every episode."""
    return text.lower()


def _told(wanted: str, heard: list[str]) -> bool:
    """Whether a text has the value as a whole word."""
    if not wanted:
        return False
    whole = re.compile(rf"(?<![\w-]){re.escape(wanted)}(?![\w-])")
    return any(wanted in text and whole.search(text) for text in reversed(heard))


def _made_up(seen: InspectedStep, name: str, value: str) -> Defect:
    return Defect(
        step=seen.step.index,
        kind="hallucinated_id",
        severity="soft",
        reason=f"Nothing the agent had read contains the {name} it used.",
        evidence=f"{name}={value[:80]!r}",
    )
