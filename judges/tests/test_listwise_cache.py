"""The cache of the listwise judge: content-keyed, shared, and not trusted."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from listwise_harness import assert_right, broken, judge_at, judged, run

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.endpoint import Endpoint
from telejudge_judges import practice
from telejudge_judges.listwise import ListwiseJudge
from telejudge_judges.testing import (
    SAMPLES,
    sample_group,
    sample_trajectory,
)

# -- the cache


def test_a_second_pass_costs_no_call(tmp_path: Path) -> None:
    first = judged(broken(lambda o: o.pop(min(o)) and None), cache=tmp_path)
    with fake.FakeEndpoint(fake.in_turn(fake.fail(500))) as server:
        second = run(judge_at(server, cache=tmp_path), sample_group())
    assert not server.requests
    assert (second.calls, second.cached_calls, second.prompt_tokens) == (0, 4, 0)
    assert second.verdicts == first.verdicts


def test_another_prompt_seed_or_group_is_another_entry(tmp_path: Path) -> None:
    judged(practice.answer, cache=tmp_path)
    changes: tuple[dict[str, Any], ...] = ({"language": "zh"}, {"seed": 1})
    for options in changes:
        assert judged(practice.answer, cache=tmp_path, **options).calls == 2
    other = sample_group(*SAMPLES[:-1], sample_trajectory("t-other", "look", "other"))
    assert judged(practice.answer, other, cache=tmp_path).calls == 2
    assert judged(practice.answer, cache=tmp_path).calls == 0


def test_useless_replies_are_not_kept(tmp_path: Path) -> None:
    judged(fake.in_turn(fake.say("nonsense")), cache=tmp_path)
    verdict = judged(practice.answer, cache=tmp_path)
    assert [v.abstained for v in verdict.verdicts] == [None] * 5
    assert verdict.cached_calls == 0


def test_a_corrupt_entry_is_ignored_with_a_warning(tmp_path: Path) -> None:
    judged(practice.answer, cache=tmp_path)
    with sqlite3.connect(tmp_path / "cache.db") as database:
        database.execute("UPDATE Cache SET value = 'not json', mode = 1, filename = NULL")
    database.close()
    with pytest.warns(RuntimeWarning, match="broken entry"):
        verdict = judged(practice.answer, cache=tmp_path)
    assert verdict.calls == 2
    assert_right(verdict.verdicts[0], SAMPLES[0])


def test_a_corrupt_cache_folder_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_bytes(b"this is no database" * 100)
    with pytest.warns(RuntimeWarning, match="goes on without it"):
        verdict = judged(practice.answer, cache=tmp_path)
    assert_right(verdict.verdicts[0], SAMPLES[0])


def _judge_into(folder: Path, url: str, rounds: int) -> None:
    endpoint = Endpoint(base_url=url, model="m", timeout_s=20, deadline_s=60)
    judge = ListwiseJudge(ChatClient(endpoint), cache=folder)
    for i in range(rounds):
        extra = sample_trajectory("t-extra", *["look"] * (i + 1))
        verdict = run(judge, sample_group(*SAMPLES, extra))
        for mine, one in zip(verdict.verdicts, (*SAMPLES, extra), strict=True):
            assert_right(mine, one)


def test_two_processes_share_one_cache(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    with fake.FakeEndpoint(practice.answer) as server:
        workers = [
            spawn.Process(target=_judge_into, args=(tmp_path, server.base_url, 8)) for _ in range(2)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert [worker.exitcode for worker in workers] == [0, 0]
        asked = len(server.requests)
        _judge_into(tmp_path, server.base_url, 8)
        assert len(server.requests) == asked
