"""The label-free judge: rollouts of one task are scored by how far they agree. No model, no truth.

    judge = ConsistencyJudge()
    verdict = await judge.judge(group)

Each fact of an ending (see endings.py) is put to the vote: its value is settled when rollouts with
more than half of the weight have it. `answer` is 1 for a rollout that has every settled fact, and
what it has besides costs `tools`, which is the mean overlap of its writing calls with those of the
whole group. Nobody's ending is a majority when fewer than `threshold` of all facts are settled, or
when no rollout has all of them: then the group is abstained (`no_majority`), as is one in which
fewer than two rollouts can be scored (`nobody_to_agree_with`).

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
        settled = _settled(endings, weights, facts)
        agreed = len(settled) / len(facts)
        kept = [_kept(ending, settled) for ending in endings]
        sitting.account.note(f"{len(settled)} of {len(facts)} facts of the endings have a majority")
        if agreed < self.threshold or not any(share == 1.0 for share in kept):
            return sitting.close({t.id: abstain(t.id, "no_majority") for t in judged})
        overlaps = _overlaps([writes_of(t) for t in judged], weights)
        scored = zip(judged, kept, overlaps, strict=True)
        return sitting.close({t.id: _verdict(t.id, share, tools) for t, share, tools in scored})

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


def _settled(
    endings: Sequence[Mapping[str, str]], weights: Sequence[float], facts: Collection[str]
) -> dict[str, str | None]:
    """The value that most of the weight has, for each fact that has one; None: not the case."""
    settled: dict[str, str | None] = {}
    for path in sorted(facts):
        votes: defaultdict[str | None, list[float]] = defaultdict(list)
        for ending, weight in zip(endings, weights, strict=True):
            votes[ending.get(path)].append(weight)
        value, weight = max(
            ((value, math.fsum(given)) for value, given in votes.items()), key=lambda pair: pair[1]
        )
        if weight > 0.5 + 1e-9:
            settled[path] = value
    return settled


def _kept(ending: Mapping[str, str], settled: Mapping[str, str | None]) -> float:
    """Share of the facts that are the case for most which are the case here too."""
    wanted = {path: value for path, value in settled.items() if value is not None}
    held = sum(ending.get(path) == value for path, value in wanted.items())
    return held / len(wanted) if wanted else 0.0


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


def _verdict(trajectory_id: str, share: float, tools: float) -> Verdict:
    answer = 1 if share == 1.0 else 0
    return Verdict(
        trajectory_id=trajectory_id,
        answer=answer,
        tools=tools,
        reward=fuse(answer, tools),
        confidence=share if answer else 1.0 - share,
    )
