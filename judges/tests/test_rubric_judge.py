"""The rubric judge against a real HTTP server that answers well, badly, or not at all."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rubric_harness import Words, answer, answers, asked, sample_rubrics, truth_of

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_envs.errors import EndpointError, UsageError
from telejudge_envs.nouns.trajectory import Failure, Group
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_judges.registry import open_judge, unread
from telejudge_judges.rubric.draft import Drafter
from telejudge_judges.rubric.hits import read_hits
from telejudge_judges.rubric.index import RubricIndex
from telejudge_judges.rubric.items import RubricSet
from telejudge_judges.rubric.judge import RubricJudge
from telejudge_judges.rubric.library import Library
from telejudge_judges.rubric.reply import Answer
from telejudge_judges.rubric.score import verdict_of
from telejudge_judges.settings import make_settings
from telejudge_judges.testing import SAMPLES, check_verdict, sample_group, sample_trajectory


def client_at(server: fake.FakeEndpoint, **fields: Any) -> ChatClient:
    given: dict[str, Any] = {"timeout_s": 10, "deadline_s": 20, "max_retries": 1, **fields}
    return ChatClient(Endpoint(base_url=server.base_url, model="m", **given))


def library(rubrics: RubricSet | None = None, **options: Any) -> Library:
    index = asyncio.run(RubricIndex.build(rubrics or sample_rubrics(), Words()))
    return Library(index, **{"items": 1, **options})


def judged(
    script: fake.Script,
    what: Group | None = None,
    books: Library | None = None,
    endpoint: dict[str, Any] | None = None,
    **options: Any,
) -> GroupVerdict:
    with fake.FakeEndpoint(script) as server:
        judge = RubricJudge(
            client_at(server, **(endpoint or {})), library=books or library(), **options
        )
        return run(judge, what or sample_group())


def run(judge: RubricJudge, what: Group) -> GroupVerdict:
    async def once() -> GroupVerdict:
        try:
            verdict = await judge.judge(what)
            check_verdict(what, verdict)
            return verdict
        finally:
            await judge.client.close()

    return asyncio.run(once())


def spoilt(spoil: Callable[[dict[str, Any]], Any], *, repaired: bool) -> fake.Script:
    """First answers are spoilt; `repaired` tells whether the second are sound."""

    def script(request: dict[str, Any], _n: int) -> fake.Reply:
        said = answers(request)
        if repaired and len(request["messages"]) == 4:
            return fake.say(json.dumps({"items": said}))
        changed = spoil(said)
        return changed if isinstance(changed, fake.Reply) else fake.say(str(changed))

    return script


def assert_right(verdict: GroupVerdict, what: Group) -> None:
    chosen = [item for item in sample_rubrics().items if item.core or item.id == "looked"]
    for mine, one in zip(verdict.verdicts, what.trajectories, strict=True):
        truth = {name: Answer(*said, "so") for name, said in truth_of(one).items()}  # type: ignore[arg-type]
        assert mine == verdict_of(one.id, chosen, truth), one.id


# -- a server that answers well


def test_every_verdict_is_its_own_trajectorys() -> None:
    verdict = judged(answer)
    assert_right(verdict, sample_group())
    assert verdict.calls == len(SAMPLES)
    by_id = {v.trajectory_id: v for v in verdict.verdicts}
    assert (by_id["t-solved"].answer, by_id["t-solved"].tools) == (1, 1.0)
    assert by_id["t-stuck"].answer == 0, "closing the case is essential"
    assert by_id["t-transfer"].tools == 0.5
    assert [(d.step, d.kind, d.severity) for d in by_id["t-transfer"].defects] == [
        (2, "needless_transfer", "hard")
    ]
    assert verdict.ranking[0] == ("t-solved",)


def test_one_call_a_trajectory_asks_core_and_retrieved_items_once() -> None:
    with fake.FakeEndpoint(answer) as server:
        run(RubricJudge(client_at(server), library=library()), sample_group())
    for request in server.requests:
        statements = list(asked(request).values())
        assert "It looked at picture messages first." in statements, "the ticket is about MMS"
        assert "It waited for the weather." not in statements
        assert len(statements) == len(set(statements)) == 5
        wanted = request["response_format"]["json_schema"]["schema"]["properties"]["items"]
        assert wanted["required"] == list(asked(request))


def test_nothing_that_names_the_truth_is_shown() -> None:
    with fake.FakeEndpoint(answer) as server:
        run(RubricJudge(client_at(server), library=library()), sample_group())
    for request in server.requests:
        sent = json.dumps(request)
        for hidden in ("names_its_fault", "sample-agent", *(t.id for t in SAMPLES)):
            assert hidden not in sent


def test_equal_trajectories_are_judged_once_and_tie() -> None:
    twin = SAMPLES[0].model_copy(update={"id": "t-twin"})
    verdict = judged(answer, sample_group(*SAMPLES, twin))
    assert verdict.calls == len(SAMPLES)
    assert verdict.ranking[0] == ("t-solved", "t-twin")
    apart = judged(answer, sample_group(*SAMPLES, twin), merge_identical=False)
    assert apart.calls == len(SAMPLES) + 1


def test_a_trajectory_is_judged_alike_in_any_company() -> None:
    alone = judged(answer, sample_group(SAMPLES[2]))
    among = judged(answer)
    assert alone.verdicts[0] == among.verdicts[2]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_languages(language: str) -> None:
    assert_right(judged(answer, language=language), sample_group())


def test_a_reference_is_shown_as_far_as_wanted() -> None:
    for mode, shown in (("hidden", False), ("if_unsure", True), ("forced", True)):
        with fake.FakeEndpoint(answer) as server:
            judge = RubricJudge(
                client_at(server),
                library=library(),
                references=lambda _: "The bird did it.",
                reference_mode=mode,  # type: ignore[arg-type]
            )
            run(judge, sample_group())
        told = json.dumps(server.requests[0]["messages"])
        assert ("The bird did it." in told) == shown
        assert ("is the truth" in told) == (mode == "forced")


def test_a_second_pass_makes_no_call(tmp_path: Path) -> None:
    with fake.FakeEndpoint(answer) as server:
        first = run(
            RubricJudge(client_at(server), library=library(), cache=tmp_path), sample_group()
        )
        again = run(
            RubricJudge(client_at(server), library=library(), cache=tmp_path), sample_group()
        )
    assert (again.calls, again.cached_calls) == (0, len(SAMPLES))
    assert again.verdicts == first.verdicts


def test_the_version_follows_what_decides() -> None:
    with fake.FakeEndpoint(answer) as server:
        client = client_at(server)
        versions = [
            RubricJudge(client, library=library()).version,
            RubricJudge(client, library=library(items=2)).version,
            RubricJudge(client, library=library(), language="zh").version,
            RubricJudge(client, library=library(drafter=Drafter(client))).version,
        ]
        assert RubricJudge(client, library=library()).version == versions[0]
    assert len(set(versions)) == len(versions)


# -- failure never becomes a score

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


# -- drafts and hits

DRAFTS = [
    {"text": "A call failed.", "about": "tools", "polarity": "bad", "weight": 0.1},
    {"text": "It fixed the APN.", "about": "tools", "polarity": "good", "weight": 0.3},
    {"text": "It was polite.", "about": "tools", "polarity": "good", "weight": 0.3},
]


def generator(reply: str) -> fake.FakeEndpoint:
    return fake.FakeEndpoint(lambda _r, _n: fake.say(reply))


def scorer(request: dict[str, Any], _n: int) -> fake.Reply:
    """Knows the drafts too: one tells candidates apart, one is true of all."""
    said = answers(request)
    for name, statement in asked(request).items():
        if statement == "It fixed the APN.":
            fixed = "fix_apn" in fake.texts(request)[0]
            said[name] = {"verdict": "yes" if fixed else "no", "step": None}
        elif statement == "It was polite.":
            said[name] = {"verdict": "yes", "step": None}
    return fake.say(json.dumps({"items": said}))


def test_drafts_that_tell_candidates_apart_count_and_the_others_do_not(tmp_path: Path) -> None:
    seen = tmp_path / "seen.jsonl"
    with generator(json.dumps({"items": DRAFTS})) as drafting:
        books = library(drafter=Drafter(client_at(drafting), count=3))
        verdict = judged(scorer, books=books, record=seen)
        plain = judged(answer)
        assert len(drafting.requests) == 1
    prompt = json.dumps(drafting.requests[0]["messages"])
    assert "No MMS." in prompt
    assert "It closed the case." in prompt
    assert "fix_roaming" not in prompt, "the generator must not see candidates"
    assert "1 of 2 drafted items told candidates apart" in verdict.notes, "one repeats an item"
    fixed = {t.id for t in SAMPLES if any(c.path for c in t.changes) and "apn" in str(t.messages)}
    for mine, before in zip(verdict.verdicts, plain.verdicts, strict=True):
        assert mine.tools is not None
        factor = 1.0 if mine.trajectory_id in fixed else 0.7
        assert mine.tools == pytest.approx((before.tools or 0) * factor)
    hits = read_hits([seen])
    assert hits["closed"].rate == 0.8
    drafted = {one.text: one.rate for one in hits.values() if one.text}
    assert drafted == {"It fixed the APN.": 0.4, "It was polite.": 1.0}


@pytest.mark.parametrize(
    "reply", ["I cannot.", '{"items": [{"text": "", "about": "x"}]}', '{"items": 3}']
)
def test_a_generator_that_fails_costs_a_note_only(reply: str) -> None:
    with generator(reply) as drafting:
        books = library(drafter=Drafter(client_at(drafting)))
        verdict = judged(answer, books=books)
    assert_right(verdict, sample_group())
    assert any("drafting rubrics failed" in note for note in verdict.notes)


def test_a_single_trajectory_costs_no_draft() -> None:
    with generator("{}") as drafting:
        judged(answer, sample_group(SAMPLES[0]), library(drafter=Drafter(client_at(drafting))))
    assert not drafting.requests


def test_items_that_tell_nothing_are_dropped_by_what_was_seen_before(tmp_path: Path) -> None:
    seen = tmp_path / "seen.jsonl"
    rubrics = sample_rubrics()
    for group in range(5):  # all samples begin with a look: "looked" is always true
        what = sample_group().model_copy(update={"id": f"g{group}"})
        judged(answer, what, record=seen)
    assert read_hits([seen])["looked"].yes == 25
    with fake.FakeEndpoint(answer) as server:
        judge = RubricJudge(client_at(server), library=library(rubrics, hits=[seen]))
        run(judge, sample_group())
    statements = list(asked(server.requests[0]).values())
    assert "It looked at picture messages first." not in statements
    assert "It waited for the weather." in statements, "the next best takes its place"
    assert "It closed the case." in statements


def test_observations_of_two_writers_are_not_worth_a_verdict(tmp_path: Path) -> None:
    from telejudge_envs.store import Store
    from telejudge_judges.rubric.hits import Observation

    seen = tmp_path / "seen.jsonl"
    with Store(seen, Observation):
        verdict = judged(answer, record=seen)
    assert_right(verdict, sample_group())
    assert any("hits not recorded" in note for note in verdict.notes)


# -- many groups at once


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


def test_the_registry_opens_it_from_settings(tmp_path: Path) -> None:
    where = {"base_url": "http://127.0.0.1:1/v1", "model": "judge"}
    settings = make_settings(
        {
            **where,
            "items": 3,
            "drafts": 2,
            "generator": {"model": "big"},
            "embedder": {"model": "vectors"},
            "hit_rates": (0.1, 0.9),
            "record": tmp_path / "seen.jsonl",
        }
    )
    judge = open_judge("rubric", settings)
    assert isinstance(judge, RubricJudge)
    assert judge.library.drafter is not None
    assert judge.library.drafter.client.endpoint.model == "big"
    assert judge.library.embedder.name == "vectors at an endpoint"
    assert (judge.library.items, judge.library.hit_rule.most) == (3, 0.9)
    assert not unread(settings.with_({"judge": "rubric"}))
    with pytest.raises(UsageError, match="no rubric index in"):
        open_judge("rubric", settings.with_({"index": tmp_path / "none"}))
