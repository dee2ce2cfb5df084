"""A judge's reply and the truth in, its reward out. Pure; nothing here knows of models.

    verdict_reward(reply, row.codec, row.shown, settings)      # 1.0 when every verdict is right

| what | earns |
|---|---|
| a right verdict | 1/n, n candidates shown |
| a wrong or missing verdict | 0 |
| a named defect whose step and kind are true | +0.1, once each |
| a named defect that is not true, or named again | -0.1 |
| a reply with unknown, doubled or unreadable entries | 0 in all |
| a longer reply, a longer reason | nothing |

Defects together count between -1 and what is true. So naming every step costs more than it earns
as soon as false names outnumber true ones, and saying nothing is the fallback of who does not know.
A candidate whose defects nobody knows neither earns nor pays for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from telejudge_judges.codec import Entry, codec_named
from telejudge_training.judge_data.rows import ShownCandidate
from telejudge_training.judge_training.settings import GrpoSettings

BREACHES = frozenset({"unparseable", "extra", "duplicated"})
"""Problems for which the whole reply earns nothing: who guesses at the form could otherwise list
every candidate twice, once with each verdict."""

DEEPEST = -1.0
"""What defects cost at most, so that one endless reply does not outweigh the rest of its group."""


@dataclass(frozen=True)
class Scored:
    """A reply's reward and what it is made of. `answers` are the verdicts by the first
    trajectory id of a candidate; empty for a reply that breaks the form."""

    reward: float
    right: int
    shown: int
    verified: int
    """Named defects that are true."""
    false_alarms: int
    answers: Mapping[str, int]

    @property
    def readable(self) -> bool:
        return bool(self.answers)


def score_reply(
    reply: str, codec: str, shown: Sequence[ShownCandidate], settings: GrpoSettings
) -> Scored:
    """Score one reply. Raises nothing, whatever the reply is; UsageError for an unknown codec."""
    reading = codec_named(codec).read(reply, {c.name: c.calls for c in shown})
    if any(problem.kind in BREACHES for problem in reading.problems):
        return Scored(0.0, 0, len(shown), 0, 0, {})
    right = verified = false_alarms = 0
    answers: dict[str, int] = {}
    for candidate in shown:
        entry = reading.entries.get(candidate.name)
        if entry is None:
            continue
        right += entry.answer == candidate.answer
        answers[min(candidate.members)] = entry.answer
        found, invented = _defects(entry, candidate)
        verified, false_alarms = verified + found, false_alarms + invented
    reasons = max(DEEPEST, settings.defect * (verified - false_alarms))
    reward = settings.verdict * right / max(len(shown), 1) + reasons
    return Scored(reward, right, len(shown), verified, false_alarms, answers)


def verdict_reward(
    reply: str, codec: str, shown: Sequence[ShownCandidate], settings: GrpoSettings
) -> float:
    """The number alone."""
    return score_reply(reply, codec, shown, settings).reward


def _defects(entry: Entry, candidate: ShownCandidate) -> tuple[int, int]:
    """How many named defects are true and how many are not; a true one counts once."""
    if candidate.defects is None:
        return 0, 0
    named = Counter((d.step, d.kind) for d in entry.defects)
    true = Counter((d.step, d.kind) for d in candidate.defects)
    found = (named & true).total()
    return found, named.total() - found


def disagreement(scored: Sequence[Scored], orders: Sequence[int]) -> list[float]:
    """For each reply to one group of candidates: the share (0..1) of verdicts by readable replies
    to OTHER orders that it does not share, because it says otherwise or nothing.

    0 where no other order was answered readably. The share is of all that could be compared, so
    that one verdict moves it by at most 1/n.
    """
    shares: list[float] = []
    for one, order in zip(scored, orders, strict=True):
        others = [o for o, at in zip(scored, orders, strict=True) if at != order and o.readable]
        differing = sum(
            one.answers.get(name) != answer
            for other in others
            for name, answer in other.answers.items()
        )
        comparable = len(others) * one.shown
        shares.append(differing / comparable if comparable else 0.0)
    return shares


def consistent_rewards(
    scored: Sequence[Scored], orders: Sequence[int], settings: GrpoSettings
) -> list[float]:
    """Rewards of replies to several orders of ONE group, less the price of disagreement."""
    shares = disagreement(scored, orders)
    return [
        one.reward - settings.disagreement * share
        for one, share in zip(scored, shares, strict=True)
    ]
