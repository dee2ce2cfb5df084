"""The factories of our own judges: settings and tools in, a judge out (see registry.py).

Each imports its judge when it is called, so that a judge whose extra is not installed hinders no
other.
"""

from __future__ import annotations

from telejudge_judges.protocol import Judge
from telejudge_judges.registry import Tools, reads
from telejudge_judges.settings import JudgeSettings

EVIDENCE = ("budget", "include_reasoning", "merge_identical")
PROMPTED = ("language", "prompt", "cache", "json_mode")


@reads()
def verifier(settings: JudgeSettings, tools: Tools) -> Judge:
    """Ground truth; see verifier.py."""
    from telejudge_judges.verifier import Verifier

    return Verifier(tools.open_world)


@reads("orders", "tie_break", *EVIDENCE, *PROMPTED)
def listwise(settings: JudgeSettings, tools: Tools) -> Judge:
    """The whole group in one prompt; see listwise.py."""
    from telejudge_judges.listwise import ListwiseJudge

    return ListwiseJudge(
        tools.client(),
        orders=settings.orders,
        tie_break=settings.tie_break,
        seed=settings.seed,
        language=settings.language,
        prompt_path=settings.prompt,
        briefings=tools.briefings,
        cache=settings.cache,
        budget_tokens=settings.budget,
        json_mode=settings.json_mode,
        include_reasoning=settings.include_reasoning,
        merge_identical=settings.merge_identical,
    )
