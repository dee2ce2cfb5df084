"""What it costs to judge a group of 8: pointwise, pairwise, listwise, and a prompt like RULER's.

    python benchmarks/judge_cost.py [--groups 5] [--size 8] [--tokenizer FOLDER]

Scripted agents play tasks of both worlds; each judge then judges the same groups at a server that
answers by the practice rule, and the tokens of what was sent and answered are counted. Nothing is
estimated from formulas but the tokens themselves: without --tokenizer (a folder with a transformers
tokenizer) three ASCII characters, or one other, count as a token. The practice server's replies are
short; models also write appraisals, so completions are a lower bound.

The RULER-style prompt is our own re-creation: a rubric, the common beginning once, each trajectory
whole as JSON messages, scores asked for in the order shown, one order. It shows neither tools nor a
ledger, and shortens nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table

from telejudge_agents.play import Planned, play
from telejudge_agents.scripted.registry import scripted
from telejudge_envs import fake_endpoint as fake
from telejudge_envs.chat_format import to_openai
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.groups import groups_of
from telejudge_envs.nouns.trajectory import Group, Rollout
from telejudge_envs.protocol import World
from telejudge_envs.registry import open_world
from telejudge_envs.steps import steps_of
from telejudge_judges import practice
from telejudge_judges.briefing import WorldBriefings
from telejudge_judges.listwise import ListwiseJudge
from telejudge_judges.pairwise import PairwiseJudge
from telejudge_judges.pointwise import PointwiseJudge
from telejudge_judges.protocol import Judge
from telejudge_judges.shorten import estimate_tokens

CAST = {
    "tau2-telecom": ("engineer", "gold", "survey_first", "honest_failure"),
    "base-station": ("engineer", "gold", "acknowledges_alarms", "clears_alarms"),
}
LEVELS = (1.0, 0.5, 2.0, 1.5)
BUDGET = 60_000
"""Nothing is shortened, so that all show the same."""

LIMIT = 0.5
"""Share of pointwise judging's tokens that one listwise order may cost; more is an error."""

RULER = """All of the trajectories below have been given the same goal. Your job is to consider \
each of them and give them a score between 0 and 1. Take into consideration your best judgement of \
the agent's goal.

Grading standards:
- A trajectory that achieves its goal should always get a significantly higher score than one that \
does not achieve its goal.
- A trajectory that achieves its goal more efficiently should get a higher score than one that \
achieves it less efficiently.
- If one trajectory is only slightly better than another, the difference in scores should be small.
- You may give some partial credit for a trajectory that makes progress towards its goal but does \
not complete it.

Reply with JSON: {"scores": [{"trajectory_id": ..., "explanation": ..., "score": ...}, ...]}"""

Count = Callable[[str], int]


@dataclass(frozen=True)
class Cost:
    """Of one group."""

    calls: int
    prompt: int
    completion: int

    @property
    def total(self) -> int:
        return self.prompt + self.completion


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--groups", type=int, default=5, help="of each world and mode")
    parser.add_argument("--size", type=int, default=8)
    parser.add_argument("--tokenizer", help="folder of a transformers tokenizer")
    chosen = parser.parse_args()
    count = _counter(chosen.tokenizer)
    console = Console(width=110)
    dear = False
    for name, mode in (
        ("tau2-telecom", "solo"),
        ("base-station", "solo"),
        ("base-station", "dual"),
    ):
        world = open_world(name)
        groups = [_group(world, mode, i, chosen.size) for i in range(chosen.groups)]
        calls = fmean(len(steps_of(t)) for g in groups for t in g.trajectories)
        title = f"{name}, {mode}: {len(groups)} groups of {chosen.size}, {calls:.1f} calls each"
        costs = {k: list(v) for k, v in _costs(groups, world, count)}
        console.print(_table(title, costs))
        dear |= _mean(costs["listwise, one order"]) > LIMIT * _mean(costs["pointwise"])
    if dear:
        sys.exit(f"listwise judging in one order costs more than {LIMIT:.0%} of pointwise")


def _costs(
    groups: Sequence[Group], world: World, count: Count
) -> Iterator[tuple[str, Iterator[Cost]]]:
    briefings = WorldBriefings(lambda _: world)
    common: dict[str, Any] = {
        "briefings": briefings,
        "budget_tokens": BUDGET,
        "merge_identical": False,
        "structured": "off",
    }
    judges: dict[str, Callable[[ChatClient], Judge]] = {
        "pointwise": lambda client: PointwiseJudge(client, **common),
        "pairwise, all pairs": lambda client: PairwiseJudge(client, **common),
        "pairwise, as many pairs as trajectories": lambda client: PairwiseJudge(
            client, pairs=len(groups[0].trajectories), **common
        ),
        "listwise, one order": lambda client: ListwiseJudge(client, orders=1, **common),
        "listwise, two balanced orders": lambda client: ListwiseJudge(client, orders=2, **common),
    }
    for name, make in judges.items():
        yield name, (_judge(make, group, count) for group in groups)
    yield "RULER-style, one order", (_ruler(group, count) for group in groups)


def _judge(make: Callable[[ChatClient], Judge], group: Group, count: Count) -> Cost:
    """What the judge sends for one group, and what it gets."""
    said: list[str] = []

    def script(request: dict[str, Any], n: int) -> fake.Reply:
        reply = practice.answer(request, n)
        said.append(json.loads(reply.body)["choices"][0]["message"]["content"])
        return reply

    async def judge(client: ChatClient) -> None:
        judged = await make(client).judge(group)
        wrong = [v.abstained for v in judged.verdicts if v.abstained not in (None, "undecided")]
        assert not wrong, f"the practice server was not understood: {wrong}"
        await client.close()

    with fake.FakeEndpoint(script) as server:
        asyncio.run(judge(ChatClient(Endpoint(base_url=server.base_url, model="practice"))))
    prompts = [m["content"] for request in server.requests for m in request["messages"]]
    return Cost(len(said), sum(map(count, prompts)), sum(map(count, said)))


def _ruler(group: Group, count: Count) -> Cost:
    """Common beginning once, the rest of each trajectory as JSON."""
    shown = [to_openai(t.messages) for t in group.trajectories]
    common = 0
    for row in zip(*shown, strict=False):
        if any(message != row[0] for message in row):
            break
        common += 1
    parts = [f"<context>\n{json.dumps(shown[0][:common])}\n</context>", "Trajectories:"]
    parts += [
        f'<trajectory id="{i}">\n{json.dumps(messages[common:])}\n</trajectory>'
        for i, messages in enumerate(shown, start=1)
    ]
    scores = [
        {"trajectory_id": str(i), "explanation": "", "score": 0.5} for i in range(1, len(shown) + 1)
    ]
    said = json.dumps({"scores": scores})
    return Cost(1, count(RULER) + count("\n\n".join(parts)), count(said))


def _group(world: World, mode: Any, number: int, size: int) -> Group:
    task = world.tasks("test", mode)[number * 7]
    names = [*CAST[world.name], *(f"expert:{level}" for level in LEVELS)]
    rollouts: list[Rollout] = []
    for i in range(size):
        user = world.scripted_user(task, i) if mode == "dual" else None  # type: ignore[attr-defined]
        planned = Planned(f"r{i}", task, i, 100 * number + i)
        agent = scripted(names[i % len(names)], world)
        rollouts.append(asyncio.run(play(world, planned, agent, user=user)))
    return groups_of(rollouts)[0]


def _counter(folder: str | None) -> Count:
    if folder is None:
        return estimate_tokens
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))


def _table(title: str, costs: dict[str, list[Cost]]) -> Table:
    table = Table(title=title)
    for column in ("judge", "calls", "prompt", "completion", "tokens a group", "of pointwise"):
        table.add_column(column, justify="left" if column == "judge" else "right")
    base = _mean(costs["pointwise"])
    for name, each in costs.items():
        total = _mean(each)
        table.add_row(
            name,
            f"{fmean(c.calls for c in each):.1f}",
            f"{fmean(c.prompt for c in each):,.0f}",
            f"{fmean(c.completion for c in each):,.0f}",
            f"{total:,.0f}",
            f"{total / base:.0%}",
        )
    return table


def _mean(costs: Sequence[Cost]) -> float:
    return fmean(cost.total for cost in costs)


if __name__ == "__main__":
    main()
