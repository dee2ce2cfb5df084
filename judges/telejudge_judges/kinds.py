"""The factories of our own judges: settings and tools in, a judge out (see registry.py).

    judge = pairwise(JudgeSettings(base_url="http://127.0.0.1:8000/v1", model="m"), tools)

Each imports its judge when it is called, so that a judge whose extra is not installed hinders no
other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_judges.protocol import Judge
from telejudge_judges.registry import Tools, reads
from telejudge_judges.settings import ASKING, JudgeSettings

if TYPE_CHECKING:
    from telejudge_judges.inquiry import InquiryOptions
    from telejudge_judges.meta_judge import MetaJudge


@reads()
def verifier(settings: JudgeSettings, tools: Tools) -> Judge:
    """Ground truth; see verifier.py."""
    from telejudge_judges.verifier import Verifier

    return Verifier(tools.open_world)


@reads("orders", "max_orders", "tie_break", "anchors", "codec", *ASKING)
def listwise(settings: JudgeSettings, tools: Tools) -> Judge:
    """The whole group in one prompt; see listwise.py."""
    from telejudge_judges.anchor_files import recorded_anchors
    from telejudge_judges.listwise import ListwiseJudge

    return ListwiseJudge(
        tools.client(),
        orders=settings.orders,
        max_orders=settings.max_orders,
        tie_break=settings.tie_break,
        anchors=None if settings.anchors is None else recorded_anchors(settings.anchors),
        codec=settings.codec,
        **asking(settings, tools),
    )


@reads("codec", *ASKING)
def pointwise(settings: JudgeSettings, tools: Tools) -> Judge:
    """One trajectory a call; see pointwise.py."""
    from telejudge_judges.pointwise import PointwiseJudge

    return PointwiseJudge(tools.client(), codec=settings.codec, **asking(settings, tools))


@reads("pairs", "aggregate", "threshold", *ASKING)
def pairwise(settings: JudgeSettings, tools: Tools) -> Judge:
    """Two trajectories a call, in both orders; see pairwise.py."""
    from telejudge_judges.pairwise import PairwiseJudge

    return PairwiseJudge(
        tools.client(),
        pairs=settings.pairs,
        aggregate=settings.aggregate,
        threshold=settings.threshold,
        **asking(settings, tools),
    )


@reads("folder", "orders")
def embedded(settings: JudgeSettings, tools: Tools) -> Judge:
    """The small generative judge that ships with us, or the one in `folder`; see embedded/."""
    try:
        from telejudge_judges.embedded import SHIPPED
        from telejudge_judges.embedded.judge import EmbeddedJudge
    except ImportError as error:
        raise MissingExtraError(error.name or "torch", "train") from error
    # Its orders agree by construction; several are for measuring, and asked for.
    orders = settings.orders if "orders" in settings.model_fields_set else 1
    return EmbeddedJudge(settings.folder or SHIPPED, orders=orders)


@reads("threshold", "weigh_confidence")
def consistency(settings: JudgeSettings, tools: Tools) -> Judge:
    """Agreement between rollouts; see consistency.py."""
    from telejudge_judges.consistency import ConsistencyJudge

    return ConsistencyJudge(
        threshold=settings.threshold,
        weigh_confidence=settings.weigh_confidence,
        briefings=tools.briefings,
    )


@reads("folder", "device", "budget", "include_reasoning")
def scalar(settings: JudgeSettings, tools: Tools) -> Judge:
    """A reward head with a threshold; see scalar.py."""
    from telejudge_judges.scalar import ScalarJudge

    if settings.folder is None:
        raise UsageError(
            "judge 'scalar' needs the folder of a reward head: --set folder=runs/reward-head"
        )
    return ScalarJudge(
        settings.folder,
        device=settings.device,
        briefings=tools.briefings,
        budget_tokens=settings.budget,
        include_reasoning=settings.include_reasoning,
    )


@reads("members", "samples", "rule", "quorum", "anchor", "slack", "meta")
def ensemble(settings: JudgeSettings, tools: Tools) -> Judge:
    """Other judges together; see ensemble.py. Sample k of a member has its seed plus k."""
    from telejudge_judges.ensemble import EnsembleJudge

    members = [
        tools.open({**member, "seed": int(member.get("seed", settings.seed)) + k})
        for member in settings.members
        for k in range(settings.samples)
    ]
    return EnsembleJudge(
        members,
        rule=settings.rule,
        quorum=settings.quorum,
        anchor=None if settings.anchor is None else tools.open({"judge": settings.anchor}),
        slack=settings.slack,
        meta=None if settings.meta is None else _meta(settings.meta, settings, tools),
    )


def _meta(own: dict[str, Any], settings: JudgeSettings, tools: Tools) -> MetaJudge:
    """A prompt of the ensemble's is its members', not the meta-judge's."""
    from telejudge_judges.meta_judge import MetaJudge

    there = tools.of_member({"judge": settings.judge, "prompt": None, **own})
    return MetaJudge(there.client(), **asking(there.settings, there))


def asking(settings: JudgeSettings, tools: Tools) -> InquiryOptions:
    """The settings ASKING (and the seed) as every judge that asks a model takes them."""
    return {
        "seed": settings.seed,
        "language": settings.language,
        "prompt_path": settings.prompt,
        "briefings": tools.briefings,
        "references": tools.references,
        "reference_mode": settings.reference_mode,
        "cache": settings.cache,
        "budget_tokens": settings.budget,
        "structured": settings.structured,
        "json_mode": settings.json_mode,
        "include_reasoning": settings.include_reasoning,
        "merge_identical": settings.merge_identical,
    }
