"""What the tests of the judges' kinds share: a client at a scripted server, and a checked run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.nouns.trajectory import Group
from telejudge_envs.nouns.verdict import Defect, GroupVerdict, Verdict
from telejudge_judges.fuse import fuse
from telejudge_judges.protocol import Judge
from telejudge_judges.sitting import Sitting
from telejudge_judges.testing import check_verdict, sample_group

Asks = Callable[[ChatClient], Judge]
"""Makes a judge at a client."""


def judged_at(script: fake.Script, make: Asks, what: Group | None = None) -> GroupVerdict:
    """A judge's verdict when the server answers by `script`, held to the contract of judges."""
    with fake.FakeEndpoint(script) as server:
        return run_at(server, make, what)


def run_at(server: fake.FakeEndpoint, make: Asks, what: Group | None = None) -> GroupVerdict:
    endpoint = Endpoint(
        base_url=server.base_url, model="m", timeout_s=10, deadline_s=20, max_retries=1
    )
    client = ChatClient(endpoint)

    async def once() -> GroupVerdict:
        try:
            return await make(client).judge(group)
        finally:
            await client.close()

    group = what or sample_group()
    verdict = asyncio.run(once())
    check_verdict(group, verdict)
    return verdict


def run(judge: Judge, what: Group | None = None) -> GroupVerdict:
    """A verdict without a server, held to the contract of judges."""
    group = what or sample_group()
    verdict = asyncio.run(judge.judge(group))
    check_verdict(group, verdict)
    return verdict


def answers(verdict: GroupVerdict) -> dict[str, Any]:
    """Answer, or the cause of its absence, by trajectory id."""
    return {
        v.trajectory_id: v.answer if v.abstained is None else v.abstained for v in verdict.verdicts
    }


class Fixed:
    """A judge that says what it was told to: (answer, tools, defects) or a cause, by id."""

    def __init__(
        self,
        said: Mapping[str, tuple[Literal[0, 1], float, Sequence[Defect]] | str],
        name: str = "fixed",
    ) -> None:
        self.said, self.name, self.version = said, name, "1"

    async def judge(self, group: Group) -> GroupVerdict:
        sitting = Sitting(self, group)
        return sitting.close({t.id: self._verdict(t.id) for t in sitting.judged})

    def _verdict(self, name: str) -> Verdict:
        said = self.said[name]
        if isinstance(said, str):
            return Verdict(trajectory_id=name, abstained=said)
        answer, tools, defects = said
        return Verdict(
            trajectory_id=name,
            answer=answer,
            tools=tools,
            defects=tuple(defects),
            reward=fuse(answer, tools, defects),
        )
