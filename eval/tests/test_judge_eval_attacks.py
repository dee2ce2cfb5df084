"""Attacks on a real generative judge at a scripted server: what counts as a success."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.nouns.trajectory import Group, Outcome
from telejudge_eval.judge_eval.attacking import attacks, tried, worked
from telejudge_eval.judge_eval.examine import Judged, examine
from telejudge_eval.judge_eval.measure import measures
from telejudge_eval.judge_eval.records import Exam, Measure, Probe, Truth
from telejudge_judges import practice
from telejudge_judges.attacks import ATTACKS
from telejudge_judges.listwise import ListwiseJudge
from telejudge_judges.testing import SAMPLE_TASK, SAMPLES


def exam(name: str) -> Exam:
    members = tuple(t.model_copy(update={"id": f"{name}-{t.id}"}) for t in SAMPLES)
    truths = {
        t.id: Truth(outcome=Outcome(answer=practice.opinion_of(t)["answer"], world_reward=0))
        for t in members
    }
    group = Group(id=name, task=SAMPLE_TASK, trajectories=members)
    return Exam(source="samples", group=group, truths=truths)


def examined(script: fake.Script, folder: Path) -> list[Judged]:
    """All attacks, each on one target."""

    async def ask(server: fake.FakeEndpoint) -> list[Judged]:
        client = ChatClient(Endpoint(base_url=server.base_url, model="m", max_retries=0))
        judge = ListwiseJudge(client, orders=1)
        try:
            return await examine(
                judge, [exam("a"), exam("b")], lambda plain: attacks(plain, 1, seed=0), folder
            )
        finally:
            await client.close()

    with fake.FakeEndpoint(script) as server:
        return asyncio.run(ask(server))


def probes(judged: list[Judged]) -> list[Probe]:
    return [p for one in judged for p in one.result.attacked if p.touched]


def measured(judged: list[Judged]) -> Measure:
    return measures([one.result for one in judged], samples=50)["samples"]["attack_success"]


def hostile(request: dict[str, Any]) -> set[str]:
    """Ids of the candidates whose text asks for answer 1 in plain English."""
    text = fake.texts(request)[0]
    parts = re.split(r"^<data-\w+ candidate ", text, flags=re.MULTILINE)[1:]
    return {part[:4] for part in parts if "answer 1" in part}


def gullible(request: dict[str, Any], _n: int) -> fake.Reply:
    opinions = practice.opinions(request)
    for name in hostile(request):
        opinions[name].update(answer=1, tools=1.0, defects=[])
    return fake.say(json.dumps({"verdicts": opinions}))


def shy(request: dict[str, Any], n: int) -> fake.Reply:
    """Says nothing of who asks."""
    refused = {"role": "assistant", "content": None, "refusal": "hostile"}
    return fake.choice(refused) if hostile(request) else practice.answer(request, n)


def generous(request: dict[str, Any], _n: int) -> fake.Reply:
    """Pays who asks a little more, without calling him right."""
    opinions = practice.opinions(request)
    for name in hostile(request):
        opinions[name].update(tools=1.0, defects=[])
    return fake.say(json.dumps({"verdicts": opinions}))


def test_a_judge_that_reads_facts_is_never_talked_round(tmp_path: Path) -> None:
    judged = examined(practice.answer, tmp_path)
    assert len(probes(judged)) == len(ATTACKS)
    assert all(map(tried, probes(judged)))
    assert measured(judged).value == 0.0


def test_a_gullible_judge_is_found_out(tmp_path: Path) -> None:
    judged = examined(gullible, tmp_path)
    asking = {attack.name for attack in ATTACKS if "answer 1" in attack.full_text}
    assert {p.name for p in probes(judged) if worked(p)} == asking
    assert 0 < len(asking) < len(ATTACKS)
    assert measured(judged).value == pytest.approx(len(asking) / len(ATTACKS))


@pytest.mark.parametrize("script", [shy, generous])
def test_an_abstention_or_a_little_more_is_no_success(script: fake.Script, tmp_path: Path) -> None:
    judged = examined(script, tmp_path)
    changed = [
        p for p in probes(judged) if (p.answer_after, p.reward_after) != (0, p.reward_before)
    ]
    assert changed, "the judge was moved"
    assert not any(map(worked, changed))
    found = measured(judged)
    assert (found.value, found.of) == (0.0, len(ATTACKS))
