"""The known right solution of a case, and how far a judge is to lean on it.

    references = {"task-1": "The licence had expired; a key of the pool was installed."}
    ListwiseJudge(…, references=by_task(references), reference_mode="if_unsure")

| mode | the judge |
|---|---|
| hidden | does not see it, even when the caller has one |
| if_unsure | sees it, may use it where the evidence leaves doubt; other right ways exist |
| forced | sees it and takes it for the truth: another end is a wrong one |

Each mode biases accuracy in its own way (a shown key makes judges reject other right solutions, a
hidden one makes them believe claims), so the mode is a part of every result.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Group
from telejudge_judges.opaque import digest

ReferenceMode = Literal["hidden", "if_unsure", "forced"]
MODES: tuple[ReferenceMode, ...] = ("hidden", "if_unsure", "forced")

References = Callable[[Group], str | None]
"""The reference of a group, or None when there is none. One with a `fingerprint` of its contents
makes them part of a judge's version."""


class Reference(NamedTuple):
    """A reference that is shown; `mode` is never `hidden` here."""

    text: str
    mode: str


@dataclass(frozen=True)
class TextsByTask:
    """References from texts by task id."""

    texts: Mapping[str, str]

    def __call__(self, group: Group) -> str | None:
        return self.texts.get(group.task.id)

    @property
    def fingerprint(self) -> str:
        return digest(json.dumps(dict(self.texts), sort_keys=True))


def by_task(texts: Mapping[str, str]) -> References:
    """References from texts by task id."""
    return TextsByTask(texts)


def shown_reference(
    references: References | None, mode: ReferenceMode, group: Group
) -> Reference | None:
    """What to show of the group's reference; None when it is hidden or there is none."""
    if references is None or mode == "hidden":
        return None
    text = references(group)
    return Reference(text, mode) if text and text.strip() else None


def check_mode(mode: str) -> None:
    """Raises UsageError naming the modes when it is none of them."""
    if mode not in MODES:
        raise UsageError(f"no reference mode '{mode}'; choose {', '.join(MODES)}")
