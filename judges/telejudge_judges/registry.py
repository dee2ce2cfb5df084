"""Judges by name. Other packages add theirs by the entry point group `telejudge.judges`.

    judge = open_judge("listwise", JudgeSettings(base_url="http://127.0.0.1:8000/v1", model="m"))
    judge_names()          # ('consistency', 'ensemble', 'listwise', …)

An entry point names a factory: a callable that takes (JudgeSettings, Tools) and returns a Judge.

    [project.entry-points."telejudge.judges"]
    mine = "my_package.judge:make"

    def make(settings, tools):
        return MyJudge(tools.client(), beam=settings.options.get("beam", 1))

A factory may say in an attribute `reads` (see `reads`) which settings it looks at.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import Any

from telejudge_envs import registry as worlds
from telejudge_envs.client import ChatClient
from telejudge_envs.errors import UsageError
from telejudge_envs.protocol import World
from telejudge_judges.briefing import WorldBriefings
from telejudge_judges.protocol import Judge
from telejudge_judges.reference import References, by_task
from telejudge_judges.settings import COMMON, JudgeSettings
from telejudge_judges.yaml_files import read_texts

ENTRY_POINTS = "telejudge.judges"

Factory = Callable[[JudgeSettings, "Tools"], Judge]


@dataclass(frozen=True)
class Tools:
    """What a factory may use. One client an endpoint, however many judges ask there."""

    settings: JudgeSettings
    open_world: Callable[[str], World]
    briefings: WorldBriefings
    """What the worlds tell a judge: tool schemas and policy."""
    given: Callable[[], ChatClient] | None = None
    """A client to use in place of the settings' endpoint."""
    references: References | None = None
    """Known right solutions, for judges that are to see them."""
    clients: dict[str, ChatClient] = field(default_factory=dict)

    def client(self) -> ChatClient:
        """The client of the settings' endpoint; raises UsageError when they name none."""
        if self.given is not None:
            return self.given()
        endpoint = self.settings.endpoint()
        key = f"{endpoint.model_dump_json()}|{endpoint.api_key}"
        if key not in self.clients:
            self.clients[key] = ChatClient(endpoint, seed=self.settings.seed)
        return self.clients[key]

    def open(self, changes: Mapping[str, Any]) -> Judge:
        """Another judge, which an ensemble asks; `changes` name it and what it sets otherwise."""
        tools = self.of_member(changes)
        return _point(tools.settings.judge).load()(tools.settings, tools)

    def of_member(self, changes: Mapping[str, Any]) -> Tools:
        """These tools with a member's settings."""
        own_endpoint = not {"base_url", "model"}.isdisjoint(changes)
        given = None if own_endpoint else self.given
        return replace(self, settings=self.settings.member(changes), given=given)


def judge_names() -> tuple[str, ...]:
    """The names of all judges that are installed."""
    return tuple(sorted(point.name for point in metadata.entry_points(group=ENTRY_POINTS)))


def open_judge(
    name: str | None = None,
    settings: JudgeSettings | None = None,
    *,
    client: Callable[[], ChatClient] | None = None,
    open_world: Callable[[str], World] = worlds.open_world,
    references: References | None = None,
) -> Judge:
    """The judge called `name` (None: the one that the settings name), dashes and case aside.

    `client` makes the client of generative judges; without it the settings' endpoint is asked.
    `references` are the known right solutions; without them those of the settings' file.
    Raises UsageError naming the known judges, or the setting that is missing or wrong.
    """
    settings = settings or JudgeSettings()
    if name is not None:
        settings = settings.with_({"judge": name})
    if references is None and settings.references is not None:
        references = by_task(read_texts(settings.references))
    tools = Tools(settings, open_world, WorldBriefings(open_world), client, references)
    return _point(settings.judge).load()(settings, tools)


def settings_of(name: str) -> frozenset[str] | None:
    """The settings that the judge reads besides the common ones; None: it does not say."""
    return getattr(_point(name).load(), "reads", None)


def unread(settings: JudgeSettings) -> tuple[str, ...]:
    """Settings given on purpose that the judge they name never looks at."""
    read = settings_of(settings.judge)
    if read is None or "members" in read:  # what an ensemble leaves unread its members may read
        return ()
    return tuple(sorted(settings.model_fields_set - read - COMMON))


def reads(*names: str) -> Callable[[Factory], Factory]:
    """Mark a factory with the settings that it reads.

    @reads("orders", "language")
    def make(settings, tools): ...
    """

    def mark(factory: Factory) -> Factory:
        factory.reads = frozenset(names)  # pyright: ignore[reportFunctionMemberAccess]
        return factory

    return mark


def _point(name: str) -> metadata.EntryPoint:
    found = {
        point.value: point
        for point in metadata.entry_points(group=ENTRY_POINTS)
        if _plain(point.name) == _plain(name)
    }
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise UsageError(f"several packages offer a judge '{name}': {', '.join(sorted(found))}")
    known = judge_names()
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    listed = ", ".join(known) or "none (is telejudge installed?)"
    raise UsageError(f"no judge '{name}'{hint}; known judges: {listed}")


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()
