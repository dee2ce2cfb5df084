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

from typing import Unpack

from telejudge_envs.client import ChatClient
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_judges import anchors as anchoring
from telejudge_judges.aggregate import flip_rate, verdict
from telejudge_judges.anchors import Anchors
from telejudge_judges.hearing import Hearing
from telejudge_judges.inquiry import Inquiry, InquiryOptions
from telejudge_judges.opaque import fingerprint_of
from telejudge_judges.questioner import Asks, Questioner
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
    | `anchors` | trajectories of known truth to be judged along: see anchors.py |

    The others are InquiryOptions; a group above `budget_tokens` is split (windows.py). Raises
    UsageError when `orders` is below 1.
    """

    name = "listwise"

    def __init__(
        self,
        client: ChatClient,
        *,
        orders: int = 2,
        max_orders: int | None = None,
        tie_break: bool = True,
        codec: str = "json",
        anchors: Anchors | None = None,
        **options: Unpack[InquiryOptions],
    ) -> None:
        if orders < 1:
            raise UsageError(f"orders must be at least 1, got {orders}")
        self.client, self.orders, self.anchors = client, orders, anchors
        most = orders + (MORE_ORDERS if orders > 1 else 0) if max_orders is None else max_orders
        self.max_orders = max(orders, most) if tie_break else orders
        self._inquiry = Inquiry(self.name, FORMAT_VERSION, client, **options)
        questioner = Questioner(self._inquiry.dialogue, codec, language=self._inquiry.language)
        self.questioner: Asks = questioner
        own = (orders, self.max_orders, None if anchors is None else fingerprint_of(anchors))
        self.version = self._inquiry.version(questioner.fingerprint, *own)

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group. A failing endpoint makes abstentions, never an exception."""
        sitting = Sitting(self, group)
        if not sitting.judged:
            return sitting.close({})
        anchors = anchoring.placed(self.anchors(group) if self.anchors else (), group)
        opened = self._inquiry.open(sitting, anchoring.trajectories(anchors))
        hearing = Hearing(self._inquiry, self.questioner, opened, frozenset(anchors))
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
