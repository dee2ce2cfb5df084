"""The rubric judge from settings, for the registry.

judge = open_judge("rubric", JudgeSettings(base_url=…, model=…, index=Path("rubrics.index")))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telejudge_judges.kinds import asking
from telejudge_judges.protocol import Judge
from telejudge_judges.registry import Tools, reads
from telejudge_judges.settings import ASKING, JudgeSettings

if TYPE_CHECKING:
    from telejudge_judges.rubric.draft import Drafter
    from telejudge_judges.rubric.embed import Embedder

OWN = (
    "index",
    "items",
    "drafts",
    "generator",
    "embedder",
    "hits",
    "hit_rates",
    "hit_seen",
    "record",
)


@reads(*OWN, "record", *ASKING)
def rubric(settings: JudgeSettings, tools: Tools) -> Judge:
    """Statements found for the ticket, answered one by one; see judge.py."""
    from telejudge_judges.rubric.hits import HitRule
    from telejudge_judges.rubric.judge import RubricJudge
    from telejudge_judges.rubric.library import Library

    least, most = settings.hit_rates
    library = Library(
        settings.index,
        embedder=_embedder(settings),
        items=settings.items,
        drafter=_drafter(settings, tools),
        hits=settings.hits,
        hit_rule=HitRule(least=least, most=most, seen=settings.hit_seen),
    )
    return RubricJudge(
        tools.client(), library=library, record=settings.record, **asking(settings, tools)
    )


def _embedder(settings: JudgeSettings) -> Embedder | None:
    """None: the packaged model."""
    if not settings.embedder:
        return None
    from telejudge_judges.rubric.embed import EndpointEmbedder

    where = settings.with_(settings.embedder).endpoint()
    return EndpointEmbedder(where, seed=settings.seed)


def _drafter(settings: JudgeSettings, tools: Tools) -> Drafter | None:
    """A generator at an endpoint of its own, else the judge's model."""
    if not settings.drafts:
        return None
    from telejudge_envs.client import ChatClient
    from telejudge_judges.rubric.draft import Drafter

    own = settings.with_(settings.generator).endpoint() if settings.generator else None
    return Drafter(
        tools.client() if own is None else ChatClient(own, seed=settings.seed),
        count=settings.drafts,
        language=settings.language,
        cache=settings.cache,
        structured="object" if settings.json_mode else settings.structured,
        seed=settings.seed,
    )
