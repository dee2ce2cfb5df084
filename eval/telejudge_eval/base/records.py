"""What a base measurement stores: an item a line while it runs, and one result at the end."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from telejudge_envs.nouns.base import Noun


class Item(Noun):
    """One question, problem or task. `score` 0..1; None when nothing can be said (`why`).

    `unread`: there was a reply, but no answer in it; such items score 0. `reply` stays in the run
    folder and is never kept in results.
    """

    section: str
    id: str
    part: str = ""
    score: float | None
    why: str = ""
    unread: bool = False
    extra: dict[str, float] = Field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    reply: str = ""


class Section(Noun):
    """A section of a result: what was done, in words, and its items without their replies."""

    name: str
    title: str
    sample: str
    items: tuple[Item, ...] = ()
    left_out: str = ""
    """Why it was not measured at all; then there are no items."""


class BaseResult(Noun):
    """One model. `settings` are those of the run, without keys or addresses."""

    model: str
    how: str
    settings: dict[str, Any]
    versions: dict[str, str]
    sections: tuple[Section, ...]
