"""The listwise generative judge: the whole group in one prompt, verdicts keyed by opaque ids.

    judge = ListwiseJudge(ChatClient(endpoint), briefings=WorldBriefings(open_world))
    verdict = await judge.judge(group)

Each group is judged in two balanced orders, one after the other; more are spent only while they
disagree. A reply with something wrong in it gets one repair turn that says what; who is still
missing is asked about alone. What is missing even then is abstained with its cause: a word of
`EndpointError.cause` or `codec.ProblemKind`, `orders_disagree`, `over_budget`, or whose fault the
episode was. No failure becomes a score.
"""

from __future__ import annotations

import json
from pathlib import Path

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_judges import anchors as anchoring
from telejudge_judges.aggregate import flip_rate, verdict
from telejudge_judges.anchors import Anchors
from telejudge_judges.briefing import Briefings
from telejudge_judges.cache import ReplyCache
from telejudge_judges.evidence import prepare
from telejudge_judges.hearing import Hearing
from telejudge_judges.opaque import digest
from telejudge_judges.prompting import Prompt
from telejudge_judges.questioner import Asks, Questioner, Structured
from telejudge_judges.reference import ReferenceMode, References, check_mode, shown_reference
from telejudge_judges.sitting import Sitting

FORMAT_VERSION = "2"
"""Raised when the evidence, the codec or the aggregation changes verdicts."""

MORE_ORDERS = 2


class ListwiseJudge:
    """Implements the Judge protocol over any OpenAI-compatible endpoint.

    | option | meaning |
    |---|---|
    | `orders` | balanced orders that every group is judged in |
    | `max_orders` | orders at most, while they disagree; None: `orders` and two more |
    | `tie_break` | False: no more than `orders`, whatever `max_orders` says |
    | `codec` | verdict format: json, boxed, tuple |
    | `structured` | hold the server to the format's JSON `schema`, to any JSON `object`, `off` |
    | `json_mode` | the same as `structured="object"` |
    | `language`, `prompt_path` | the shipped prompt of that language, or one's own |
    | `briefings` | supplies tool schemas |
    | `references`, `reference_mode` | the known solution of a group: see reference.py |
    | `anchors` | trajectories of known truth to be judged along: see anchors.py |
    | `budget_tokens` | evidence in one call; a longer group is split (windows.py) |
    | `include_reasoning` | show the agents' private thinking |
    | `merge_identical` | False: show equal trajectories apart |
    | `cache` | a folder for replies |
    """

    name = "listwise"

    def __init__(
        self,
        client: ChatClient,
        *,
        orders: int = 2,
        max_orders: int | None = None,
        tie_break: bool = True,
        seed: int = 0,
        language: str = "en",
        prompt_path: Path | None = None,
        briefings: Briefings | None = None,
        cache: Path | None = None,
        budget_tokens: int = 24_000,
        codec: str = "json",
        structured: Structured = "schema",
        json_mode: bool = False,
        references: References | None = None,
        reference_mode: ReferenceMode = "if_unsure",
        anchors: Anchors | None = None,
        include_reasoning: bool = False,
        merge_identical: bool = True,
    ) -> None:
        if orders < 1:
            raise UsageError(f"orders must be at least 1, got {orders}")
        check_mode(reference_mode)
        self.client, self.seed, self.orders = client, seed, orders
        most = orders + (MORE_ORDERS if orders > 1 else 0) if max_orders is None else max_orders
        self.max_orders = max(orders, most) if tie_break else orders
        self.budget_tokens = budget_tokens
        self.references = references
        self.reference_mode: ReferenceMode = reference_mode
        self.anchors = anchors
        self._briefings = briefings
        self._prepare = {
            "include_reasoning": include_reasoning,
            "merge_identical": merge_identical,
        }
        prompt = Prompt.load(language, prompt_path)
        limits = [orders, self.max_orders, seed, budget_tokens]
        told = reference_mode if references is not None else "hidden"
        asked = [codec, structured, json_mode, language, told, anchors is not None]
        settings = [limits, asked, self._prepare, client.endpoint.sampling]
        # Of this code, the prompt, the settings and the model.
        fingerprint = digest(prompt.source, json.dumps(settings, sort_keys=True, default=str))[:8]
        self.version = f"{FORMAT_VERSION}+{fingerprint} {client.endpoint.model}"
        self.questioner: Asks = Questioner(
            client,
            prompt,
            judge=f"{self.name} {FORMAT_VERSION}",
            cache=None if cache is None else ReplyCache(cache),
            json_mode=json_mode,
            seed=seed,
            codec=codec,
            language=language,
            structured=structured,
        )

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group. A failing endpoint makes abstentions, never an exception."""
        sitting = Sitting(self, group)
        if not sitting.judged:
            return sitting.close({})
        anchors = anchoring.placed(self.anchors(group) if self.anchors else (), group)
        hearing = self._hearing(sitting, anchors)
        await hearing.hear(self.orders, self.max_orders)
        votes = {member: v for members, v in hearing.votes.items() for member in members}
        misses = anchoring.missed(anchors, votes)
        sitting.account.note(*misses)
        verdicts = {t.id: verdict(t.id, votes[t.id]) for t in sitting.judged}
        if misses:
            verdicts = {name: anchoring.doubted(one) for name, one in verdicts.items()}
        return sitting.close(
            verdicts,
            ballots=[b for b in hearing.ballots() if b.trajectory_id not in anchors],
            order_flip_rate=flip_rate({name: votes[name] for name in verdicts}),
        )

    def _hearing(self, sitting: Sitting, anchors: dict[str, anchoring.Anchor]) -> Hearing:
        group, account = sitting.group, sitting.account
        brief = sitting.brief(self._briefings)
        shown = [*sitting.judged, *anchoring.trajectories(anchors)]
        case = prepare(group, shown, policy=brief.policy, **self._prepare)
        alike = len(shown) - len(case.candidates)
        if alike:
            account.note(f"{alike} of {len(shown)} trajectories equal another, judged with it")
        reference = shown_reference(self.references, self.reference_mode, group)
        if reference is None and self.references and self.reference_mode != "hidden":
            account.note("no reference is known for this group")
        return Hearing(
            case,
            self.questioner,
            account,
            seed=self.seed,
            tools=brief.tools,
            budget_tokens=self.budget_tokens,
            reference=reference,
            shared=frozenset(anchors),
        )
