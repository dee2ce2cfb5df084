"""What the listwise judge's tests share: a judge at a scripted server, and what is right there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.nouns.trajectory import Group, Trajectory
from telejudge_envs.nouns.verdict import GroupVerdict, Verdict
from telejudge_judges import practice
from telejudge_judges.fuse import fuse
from telejudge_judges.listwise import ListwiseJudge
from telejudge_judges.testing import check_verdict, sample_group

Opinions = dict[str, dict[str, Any]]


def assert_right(verdict: Verdict, one: Trajectory) -> None:
    wanted = practice.opinion_of(one)
    assert verdict.abstained is None, f"{one.id} abstained: {verdict.abstained}"
    assert (verdict.trajectory_id, verdict.answer) == (one.id, wanted["answer"])
    assert verdict.tools == pytest.approx(wanted["tools"])
    assert {(d.step, d.kind) for d in verdict.defects} == {
        (d["step"], d["kind"]) for d in wanted["defects"]
    }
    assert verdict.reward == fuse(wanted["answer"], verdict.tools or 0, verdict.defects)


def judge_at(server: fake.FakeEndpoint, *, timeout_s: float = 10, **options: Any) -> ListwiseJudge:
    endpoint = Endpoint(
        base_url=server.base_url, model="m", timeout_s=timeout_s, deadline_s=20, max_retries=1
    )
    return ListwiseJudge(ChatClient(endpoint), **options)


def judged(script: fake.Script, what: Group | None = None, **options: Any) -> GroupVerdict:
    with fake.FakeEndpoint(script) as server:
        return run(judge_at(server, **options), what or sample_group())


def run(judge: ListwiseJudge, what: Group) -> GroupVerdict:
    async def once() -> GroupVerdict:
        try:
            verdict = await judge.judge(what)
            check_verdict(what, verdict)
            return verdict
        finally:
            await judge.client.close()

    return asyncio.run(once())


def is_repair(request: Mapping[str, Any]) -> bool:
    return len(request["messages"]) == 4


def broken(spoil: Callable[[Opinions], object], *, repaired: bool = True) -> fake.Script:
    """A server whose first answers are spoilt; `repaired` tells whether its second are sound."""

    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        opinions = practice.opinions(request)
        body: object = {"verdicts": opinions}
        if not (repaired and is_repair(request)):
            changed = spoil(opinions)
            body = body if changed is None else changed
        return fake.say(body if isinstance(body, str) else json.dumps(body))

    return script
