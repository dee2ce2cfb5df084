"""Whether the agent had told somebody to make a call.

In: an Inspection and the index of a user's call. Out: yes or no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from telejudge_envs.inspection import Inspection


def instructed(inspection: Inspection, step: int) -> bool:
    """Whether the agent's last words before a user's call name the call's object, or where it has
    none, its tool."""
    wanted = inspection.steps[step]
    words = _last_words(inspection, wanted.turn)
    ids = [v for v in strings(wanted.step.call.arguments) if any(c.isdigit() for c in v)]
    named = ids or [wanted.step.call.name, wanted.step.call.name.replace("_", " ")]
    return any(_says(words, name) for name in named)


def _last_words(inspection: Inspection, turn: int) -> str:
    messages = inspection.trajectory.messages[:turn]
    said = (m.text for m in reversed(messages) if m.role == "assistant" and m.text.strip())
    return next(said, "")


def _says(words: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", words, re.I) is not None


def strings(value: Any) -> Iterator[str]:
    """All texts in a call's arguments, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from strings(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            yield from strings(member)
