"""The rubric judge against a real HTTP server that answers well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rubric_harness import (
    answer,
    asked,
    assert_right,
    client_at,
    judged,
    library,
    run,
)

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.errors import UsageError
from telejudge_judges.registry import open_judge, unread
from telejudge_judges.rubric.draft import Drafter
from telejudge_judges.rubric.judge import RubricJudge
from telejudge_judges.settings import make_settings
from telejudge_judges.testing import SAMPLES, sample_group


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
