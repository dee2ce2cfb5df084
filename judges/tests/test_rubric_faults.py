"""The rubric judge against a server that answers badly or not at all: abstentions, no scores."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from rubric_harness import (
    Words,
    answer,
    answers,
    asked,
    assert_right,
    client_at,
    judged,
    library,
    sample_rubrics,
    spoilt,
)

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.errors import EndpointError
from telejudge_envs.nouns.trajectory import Failure, Group
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_judges.rubric.index import RubricIndex
from telejudge_judges.rubric.items import RubricSet
from telejudge_judges.rubric.judge import RubricJudge
from telejudge_judges.rubric.library import Library
from telejudge_judges.testing import SAMPLES, check_verdict, sample_group, sample_trajectory

FAULTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "429": (lambda _: fake.fail(429, retry_after="0.01"), "rate_limited"),
    "500": (lambda _: fake.fail(500, retry_after="0.01"), "server_error"),
    "dropped": (lambda _: fake.drop(), "connection"),
    "hang": (lambda _: fake.hang(), "timeout"),
    "cut json": (lambda s: json.dumps({"items": s})[:-9], "unparseable"),
    "prose": (lambda _: "All fine, yes to everything.", "unparseable"),
    "refusal": (lambda _: fake.choice({"role": "assistant", "refusal": "No."}), "refused"),
    "overflow": (lambda _: fake.fail(400, "maximum context length exceeded"), "context_overflow"),
    "missing": (lambda s: json.dumps({"items": dict(list(s.items())[1:])}), "missing"),
    "doubled": (
        lambda s: '{"items": {"q1": {"verdict": "no"}, ' + json.dumps(s)[1:] + "}",
        "duplicated",
    ),
    "wrong word": (
        lambda s: json.dumps({"items": {**s, "q1": {"verdict": "maybe"}}}),
        "wrong_type",
    ),
    "no such step": (
        lambda s: json.dumps({"items": {**s, "q1": {"verdict": "yes", "step": 99}}}),
        "out_of_range",
    ),
    "a number": (lambda s: json.dumps({"items": {**s, "q2": 1}}), "wrong_type"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lasting_fault_abstains_with_its_cause(fault: str) -> None:
    spoil, cause = FAULTS[fault]
    verdict = judged(spoilt(spoil, repaired=False), endpoint={"timeout_s": 0.3})
    assert {v.abstained for v in verdict.verdicts} == {cause}
    assert verdict.ranking == ()


READABLE = ("unparseable", "missing", "duplicated", "wrong_type", "out_of_range")


@pytest.mark.parametrize("fault", [name for name, (_, c) in FAULTS.items() if c in READABLE])
def test_a_repair_turn_mends_a_reply(fault: str) -> None:
    verdict = judged(spoilt(FAULTS[fault][0], repaired=True))
    assert_right(verdict, sample_group())
    assert verdict.calls == 2 * len(SAMPLES)
    assert "a reply was repaired" in verdict.notes


def test_a_repair_asks_only_for_what_is_open_and_keeps_the_rest() -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        said = answers(request)
        if len(request["messages"]) == 4:
            assert list(said) == ["q2"]
            return fake.say(json.dumps({"items": said}))
        return fake.say(json.dumps({"items": {**said, "q2": {"verdict": "dunno"}}}))

    assert_right(judged(script), sample_group())


def test_one_spoilt_trajectory_costs_the_others_nothing() -> None:
    def script(request: dict[str, Any], n: int) -> fake.Reply:
        if "bad_again" in fake.texts(request)[0]:
            return fake.fail(500, retry_after="0.01")
        return answer(request, n)

    verdict = judged(script)
    assert [v.abstained for v in verdict.verdicts] == [None, None, "server_error", None, None]


def test_a_case_over_budget_is_abstained_without_a_call() -> None:
    verdict = judged(answer, budget_tokens=20)
    assert {v.abstained for v in verdict.verdicts} == {"over_budget"}
    assert verdict.calls == 0


def test_others_failures_are_not_judged() -> None:
    dead = sample_trajectory(
        "t-dead", "look", stop="failed", failure=Failure(owner="endpoint", cause="timeout")
    )
    verdict = judged(answer, sample_group(SAMPLES[0], dead))
    assert [v.abstained for v in verdict.verdicts] == [None, "endpoint: timeout"]
    assert verdict.calls == 1


def test_a_world_without_rubrics_is_abstained() -> None:
    elsewhere = RubricSet(
        items=tuple(i.model_copy(update={"world": "moon"}) for i in sample_rubrics().items)
    )
    verdict = judged(answer, books=library(elsewhere))
    assert {v.abstained for v in verdict.verdicts} == {"no_rubric"}
    assert any("'sample'" in note for note in verdict.notes)


def test_when_nothing_says_how_it_ended_the_judge_abstains() -> None:
    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        said = {name: {"verdict": "na"} for name in asked(request)}
        return fake.say(json.dumps({"items": said}))

    assert {v.abstained for v in judged(script).verdicts} == {"no_answer_item"}


class _Dead(Words):
    async def embed(self, texts: Any) -> Any:
        raise EndpointError("the embeddings are down", cause="connection")


def test_a_dead_embedder_abstains() -> None:
    sound = asyncio.run(RubricIndex.build(sample_rubrics(), Words()))
    books = Library(dataclasses.replace(sound, embedder=_Dead()))
    verdict = judged(answer, books=books)
    assert {v.abstained for v in verdict.verdicts} == {"connection"}
    assert "the embeddings are down" in verdict.notes


def test_mixed_faults_in_many_groups_lose_and_invent_nothing() -> None:
    spoils = [None, *(spoil for name, (spoil, _) in FAULTS.items() if name != "hang")]
    lock, counter = threading.Lock(), iter(range(10**9))

    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        with lock:
            turn = next(counter)
        spoil = spoils[turn % len(spoils)]
        changed = answer(request) if spoil is None else spoil(answers(request))
        return changed if isinstance(changed, fake.Reply) else fake.say(str(changed))

    async def all_of_them(judge: RubricJudge, groups: list[Group]) -> list[GroupVerdict]:
        try:
            return list(await asyncio.gather(*(judge.judge(group) for group in groups)))
        finally:
            await judge.client.close()

    groups = [sample_group().model_copy(update={"id": f"g{n}"}) for n in range(40)]
    with fake.FakeEndpoint(script) as server:
        judge = RubricJudge(client_at(server, concurrency=16), library=library())
        verdicts = asyncio.run(all_of_them(judge, groups))
    sound = judged(answer).verdicts
    scored = 0
    for group, verdict in zip(groups, verdicts, strict=True):
        check_verdict(group, verdict)
        for mine, right in zip(verdict.verdicts, sound, strict=True):
            if mine.abstained is None:
                scored += 1
                assert mine == right
    assert 0 < scored < 200
