"""How the technician words what he did, what the tools said and what he left undone.

In: what he heard, and the messages since then. Out: paragraphs of his report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from telejudge_envs.base_station.technician_heard import Heard, Step, Unclear
from telejudge_envs.nouns.message import Message

IT_SAYS = "It says:\n"
FAILED = "but it failed. "
"""Parts of his reports, by which a scripted agent tells a tool's output from his own words."""

LOOKED = "look"
"""Ids of calls that he made unasked start with this."""

_GREETED = re.compile(
    r"^\W*(?:thanks?|thank you|ok(?:ay)?|hello|hi|good|great|fine|perfect)\b", re.I
)


def remarks(heard: Heard, unclear: Unclear | None, count: int) -> list[str]:
    """What he did not do, and why."""
    told: list[str] = []
    if heard.forbidden:
        told.append(f"I keep my hands off, as you said: {'; '.join(heard.forbidden)}.")
    if heard.conditional:
        told.append(
            f"You said 'if': I did not do this: {'; '.join(heard.conditional)}. "
            "I tell you what I see and you decide."
        )
    if unclear is not None:
        words = f' "{unclear.words}":' if unclear.words else ""
        told.append(f"Sorry, I did not understand{words} {unclear.why}")
        count += 1
    rest = [step.tool for step in heard.steps[count:] if isinstance(step, Step)]
    if rest:
        told.append(f"I stopped there and have not done: {', '.join(rest)}.")
    return told


def nothing_to_do(text: str) -> str:
    if _GREETED.match(text):
        return "All right. I wait for your next step."
    if text.rstrip().endswith("?"):
        return "I cannot tell: none of my tools shows that. Ask me to check or measure something."
    return (
        f'I find no step for me in "{text.strip()[:120]}". Tell me what to do, such as '
        "'go to site K042', 'check the breakers' or reset_breaker(feed=\"K042-FD2\")."
    )


def results_told(since: Sequence[Message]) -> tuple[list[str], list[str]]:
    """Reports of what he did unasked, and of what he was asked to do."""
    calls = {call.id: call for m in since for call in m.tool_calls}
    volunteered: list[str] = []
    asked: list[str] = []
    for result in since:
        call = calls.get(result.tool_call_id or "")
        if call is None:
            continue
        words = in_words(result.text)
        if call.id.startswith(LOOKED):
            volunteered.append(f"I had a look myself ({call.name}): {words}.")
        elif result.error:
            asked.append(f"I tried {call.name}, {FAILED}{IT_SAYS}{result.text}")
        else:
            asked.append(f"I ran {call.name}: {words}. {IT_SAYS}{result.text}")
    return volunteered, asked


def in_words(text: str) -> str:
    """A tool's result as somebody on the telephone would tell it."""
    try:
        result = json.loads(text)
    except ValueError:
        return text
    if not isinstance(result, dict):
        return text
    if "effect" in result:
        return str(result["effect"])
    said = _flat(result.get("data", result))
    reading = result.get("reading_id")
    return f"{said} (reading {reading})" if reading else said


def _flat(data: object) -> str:
    if isinstance(data, dict):
        return ", ".join(f"{key} {_flat(value)}" for key, value in data.items())
    if isinstance(data, list):
        return "; ".join(_flat(item) for item in data) or "nothing"
    return "none" if data is None else str(data)
