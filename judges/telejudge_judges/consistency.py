"""The label-free judge: rollouts of one task are scored by how far they agree. No model, no truth.

    judge = ConsistencyJudge()
    verdict = await judge.judge(group)

Each fact of an ending (see endings.py) is put to the vote: its value is settled when rollouts with
more than half of the weight have it. `answer` is 1 for a rollout that has every settled fact, and
what it has besides costs `tools`, which is the mean overlap of its writing calls with those of the
whole group. Nobody's ending is a majority when fewer than `threshold` of the facts in dispute (not
the same everywhere) are settled, or when no rollout has all settled ones: then the group is
abstained (`no_majority`), as is one in which fewer than two rollouts can be scored
(`nobody_to_agree_with`).

**A wrong majority fools it.** It measures agreement: a policy that makes the same mistake in most
rollouts is paid for the mistake, the one rollout that did better is punished, and training on it
alone makes a policy agree with itself. A recorded ledger is believed (the verifier replays it).

With `weigh_confidence` each rollout's weight is the geometric mean of the probabilities of the
tokens that its model generated, where all rollouts of the group have them recorded.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_judges.briefing import Briefings
from telejudge_judges.endings import ending_of, writes_of
from telejudge_judges.fuse import fuse
from telejudge_judges.sitting import Sitting, abstain

VERSION = "1"


class ConsistencyJudge:
    """Implements the Judge protocol. `briefings` tell which calls end or hand over a case."""

    name = "consistency"

    def __init__(
        self,
        *,
        threshold: float = 0.5,
        weigh_confidence: bool = False,
        briefings: Briefings | None = None,
    ) -> None:
        if not 0 < threshold <= 1:
            raise UsageError(f"threshold must be above 0 and at most 1, got {threshold}")
        self.threshold, self.weigh_confidence = threshold, weigh_confidence
        self._briefings = briefings
        weighing = " by confidence" if weigh_confidence else ""
        self.version = f"{VERSION} threshold {threshold:g}{weighing}"

    async def judge(self, group: Group) -> GroupVerdict:
        """Judge a group by its own agreement."""
        sitting = Sitting(self, group)
        judged = sitting.judged
        if len(judged) < 2:
            return sitting.close({t.id: abstain(t.id, "nobody_to_agree_with") for t in judged})
        control = {t.name for t in sitting.brief(self._briefings).tools if t.effect == "control"}
        weights = self._weights(judged, sitting)
        endings = [ending_of(t, control) for t in judged]
        facts = {path for ending in endings for path in ending}
        disputed = {path for path in facts if len({e.get(path) for e in endings}) > 1}
        settled = _settled(endings, weights, facts)
        agreed = sum(fact.path in disputed for fact in settled)
        wanted = [fact for fact in settled if fact.value is not None]
        lacking = [[f for f in wanted if ending.get(f.path) != f.value] for ending in endings]
        sitting.account.note(
            f"{len(disputed)} of {len(facts)} facts of the endings differ, "
            f"{agreed} of these have a majority"
        )
        if agreed < self.threshold * len(disputed) or all(lacking) or not wanted:
            return sitting.close({t.id: abstain(t.id, "no_majority") for t in judged})
        overlaps = _overlaps([writes_of(t) for t in judged], weights)
        return sitting.close(
            {
                t.id: _verdict(t.id, tools, missing, settled)
                for t, tools, missing in zip(judged, overlaps, lacking, strict=True)
            }
        )

    def _weights(self, judged: Sequence[Trajectory], sitting: Sitting) -> list[float]:
        """One weight a rollout, adding up to 1."""
        weights = [1.0 for _ in judged]
        if self.weigh_confidence:
            known = [confidence(t) for t in judged]
            sure = [c for c in known if c is not None]
            if len(sure) == len(judged):
                weights = sure
            else:
                lack = len(judged) - len(sure)
                sitting.account.note(f"{lack} rollouts lack log-probabilities; all weigh the same")
        total = math.fsum(weights)
        return [weight / total for weight in weights]


def confidence(trajectory: Trajectory) -> float | None:
    """Geometric mean of the generated tokens' probabilities; None when they were not recorded."""
    trace = trajectory.trace
    if trace is None:
        return None
    own = [logprob for logprob, mine in zip(trace.logprobs, trace.mask, strict=True) if mine]
    if not own or not all(map(math.isfinite, own)):
        return None
    return math.exp(max(-50.0, math.fsum(own) / len(own)))


class _Fact(NamedTuple):
    """A path whose value most of the weight agrees on; None: that it did not change."""

    path: str
    value: str | None
    weight: float


def _settled(
    endings: Sequence[Mapping[str, str]], weights: Sequence[float], facts: Collection[str]
) -> list[_Fact]:
    settled = []
    for path in sorted(facts):
        votes: defaultdict[str | None, list[float]] = defaultdict(list)
        for ending, weight in zip(endings, weights, strict=True):
            votes[ending.get(path)].append(weight)
        value, given = max(votes.items(), key=lambda vote: math.fsum(vote[1]))
        weight = min(1.0, math.fsum(given))
        if weight > 0.5 + 1e-9:
            settled.append(_Fact(path, value, weight))
    return settled


def _overlaps(bags: Sequence[Counter[str]], weights: Sequence[float]) -> list[float]:
    """Each bag's mean overlap (Jaccard's) with all bags, itself among them."""
    return [
        min(
            1.0, math.fsum(w * _jaccard(bag, other) for other, w in zip(bags, weights, strict=True))
        )
        for bag in bags
    ]


def _jaccard(one: Counter[str], other: Counter[str]) -> float:
    union = (one | other).total()
    return (one & other).total() / union if union else 1.0


def _verdict(
    trajectory_id: str, tools: float, missing: Sequence[_Fact], settled: Sequence[_Fact]
) -> Verdict:
    """Confidence is the mean weight of the majorities that it is with, or that it is against."""
    answer = 0 if missing else 1
    counted = missing or settled
    return Verdict(
        trajectory_id=trajectory_id,
        answer=answer,
        tools=tools,
        reward=fuse(answer, tools),
        confidence=math.fsum(fact.weight for fact in counted) / len(counted),
    )
