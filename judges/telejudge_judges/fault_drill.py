"""A fault drill: a server that misbehaves on purpose, groups of known truth, and a count of harm.

    tally = await drill(("429", "missing_id"), groups=100)
    (tally.lost, tally.misaligned, tally.invented)      # must be (0, 0, 0)

The server is a real one that answers by the practice rule, which knows every candidate's true
score, and spoils its answers by the seed: some once, some for a case for ever. So every score that
comes out can be checked: it is the candidate's own, or there is none.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_judges import practice
from telejudge_judges.listwise import ListwiseJudge
from telejudge_judges.opaque import digest
from telejudge_judges.protocol import Judge
from telejudge_judges.testing import SAMPLE_TASK, sample_trajectory

TIMEOUT_S = 2.0
DOOMED = 10
"""One case in so many is spoilt for ever."""

Opinions = dict[str, dict[str, Any]]


def _say(opinions: Any) -> fake.Reply:
    return fake.say(json.dumps({"verdicts": opinions}))


def _broken(opinions: Opinions, victim: str) -> fake.Reply:
    text = json.dumps({"verdicts": opinions})
    return fake.say(text[: len(text) * 2 // 3])


def _missing(opinions: Opinions, victim: str) -> fake.Reply:
    return _say({i: o for i, o in opinions.items() if i != victim})


def _extra(opinions: Opinions, victim: str) -> fake.Reply:
    """An invented id in place of a true one, and another besides."""
    made = {(f"{i}x" if i == victim else i): o for i, o in opinions.items()}
    return _say({**made, "zzzz": {"answer": 1, "tools": 1.0}})


def _duplicate(opinions: Opinions, victim: str) -> fake.Reply:
    other = {**opinions[victim], "answer": 1 - opinions[victim]["answer"]}
    entries = [{"id": i, **o} for i, o in opinions.items()]
    return _say([*entries, {"id": victim, **other}])


def _out_of_range(opinions: Opinions, victim: str) -> fake.Reply:
    return _say({**opinions, victim: {**opinions[victim], "tools": 8.5}})


def _refusal(opinions: Opinions, victim: str) -> fake.Reply:
    return fake.choice({"role": "assistant", "content": None, "refusal": "I cannot judge this."})


Spoil = Callable[[Opinions, str], fake.Reply]

FAULTS: dict[str, Spoil] = {
    "429": lambda o, v: fake.fail(429, retry_after="0.05"),
    "500": lambda o, v: fake.fail(500),
    "hang": lambda o, v: fake.hang(TIMEOUT_S * 1.5),
    "dropped": lambda o, v: fake.drop(),
    "broken_json": _broken,
    "missing_id": _missing,
    "extra_id": _extra,
    "duplicate_id": _duplicate,
    "out_of_range": _out_of_range,
    "refusal": _refusal,
    "context_overflow": lambda o, v: fake.fail(400, "maximum context length exceeded"),
}
"""What goes wrong, from the true opinions and the id of the victim."""


class Misbehaving:
    """A script for `FakeEndpoint`: spoils a `share` of the answers, the same for the same seed."""

    def __init__(self, faults: Sequence[str], share: float, seed: int) -> None:
        self.faults, self.share, self.seed = tuple(faults), share, seed
        self.spoilt: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()

    def __call__(self, request: dict[str, Any], _n: int) -> fake.Reply:
        asked = json.dumps(request["messages"])
        self._seen[asked] += 1
        opinions = practice.opinions(request)
        case = re.search(r"Case (\d+)", asked)
        number = int(case.group(1)) if case else 0
        doomed = number % DOOMED == 0
        key = str(number) if doomed else f"{digest(asked)}|{self._seen[asked]}"
        dice = random.Random(f"{self.seed}|{key}")
        if not doomed and dice.random() >= self.share:
            return _say(opinions)
        fault = dice.choice(self.faults)
        self.spoilt[fault] += 1
        # A doomed case loses the same candidate every time, whatever its id.
        victim = min(opinions, key=lambda i: json.dumps(opinions[i]))
        return FAULTS[fault](opinions, victim if doomed else dice.choice(sorted(opinions)))


@dataclass
class Tally:
    """What became of the candidates. `lost`: no verdict at all; `misaligned`: another's score;
    `invented`: nobody's score."""

    faults: str
    groups: int = 0
    candidates: int = 0
    right: int = 0
    lost: int = 0
    misaligned: int = 0
    invented: int = 0
    abstained: Counter[str] = field(default_factory=Counter)
    spoilt: int = 0
    requests: int = 0
    seconds: float = 0.0

    @property
    def harm(self) -> int:
        return self.lost + self.misaligned + self.invented

    def count(self, group: Group, judged: GroupVerdict | None) -> None:
        """Compare a group's verdict with the truth; None: the judge raised."""
        self.groups += 1
        self.candidates += len(group.trajectories)
        truths = {t.id: _truth(t) for t in group.trajectories}
        verdicts = {v.trajectory_id: v for v in judged.verdicts} if judged else {}
        for name, truth in truths.items():
            verdict = verdicts.get(name)
            if verdict is None:
                self.lost += 1
            elif verdict.abstained is not None:
                self.abstained[verdict.abstained] += 1
            elif (said := _said(verdict)) == truth:
                self.right += 1
            elif said in truths.values():
                self.misaligned += 1
            else:
                self.invented += 1


async def drill(
    faults: Sequence[str], groups: int, *, share: float = 0.3, seed: int = 0, at_once: int = 32
) -> Tally:
    """Judge so many groups at a server with these faults."""
    script = Misbehaving(faults, share, seed)
    tally = Tally(", ".join(faults) if len(faults) < len(FAULTS) else "all mixed")
    began = time.monotonic()
    with fake.FakeEndpoint(script) as server:
        endpoint = Endpoint(
            base_url=server.base_url,
            model="misbehaving",
            timeout_s=TIMEOUT_S,
            deadline_s=20,
            max_retries=2,
            concurrency=at_once,
            breaker_cooldown_s=0.5,
        )
        client = ChatClient(endpoint, seed=seed)
        judge = ListwiseJudge(client, seed=seed)
        free = asyncio.Semaphore(2 * at_once)
        made = [drill_group(number, seed) for number in range(groups)]
        for group, judged in zip(
            made, await asyncio.gather(*(_judged(judge, g, free) for g in made)), strict=True
        ):
            tally.count(group, judged)
        await client.close()
        tally.requests = len(server.requests)
    tally.spoilt = script.spoilt.total()
    tally.seconds = time.monotonic() - began
    return tally


def drill_group(number: int, seed: int = 0) -> Group:
    """2 to 6 candidates whose true scores all differ."""
    dice = random.Random(f"{seed}|{number}")
    size = dice.randint(2, 6)
    made: dict[str, Trajectory] = {}
    while len(made) < size:
        calls = dice.choices(("look", "fix_apn", "bad_call", "read"), k=dice.randint(1, 6))
        calls += ["transfer_to_human_agents"] * (dice.random() < 0.2)
        stop = "agent_stop" if dice.random() < 0.8 else "max_steps"
        one = sample_trajectory(f"g{number}-t{len(made)}", *calls, stop=stop)
        made.setdefault(repr(_truth(one)), one)
    task = SAMPLE_TASK.model_copy(update={"id": f"case-{number}", "ticket": f"Case {number}."})
    return Group(id=f"g{number}", task=task, trajectories=tuple(made.values()))


async def _judged(judge: Judge, group: Group, free: asyncio.Semaphore) -> GroupVerdict | None:
    async with free:
        try:
            return await judge.judge(group)
        except Exception:  # whatever it is, it lost a group: that is what is counted
            return None


def _truth(trajectory: Trajectory) -> tuple[Any, ...]:
    known = practice.opinion_of(trajectory)
    defects = frozenset((d["step"], d["kind"]) for d in known["defects"])
    return known["answer"], round(known["tools"], 9), defects


def _said(verdict: Verdict) -> tuple[Any, ...]:
    defects = frozenset((d.step, d.kind) for d in verdict.defects)
    return verdict.answer, round(verdict.tools or 0.0, 9), defects
