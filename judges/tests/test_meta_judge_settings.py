"""The meta-judge by settings: samples of a real judge, models, prompts, keys, anchors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kinds_harness import Fixed, answers, judged_at, run, run_at
from meta_harness import BAD, GOOD, NAME, ONE

from telejudge_envs import fake_endpoint as fake
from telejudge_envs.client import ChatClient
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Group
from telejudge_judges import practice
from telejudge_judges.ensemble import EnsembleJudge
from telejudge_judges.meta_judge import MetaJudge
from telejudge_judges.pointwise import PointwiseJudge
from telejudge_judges.registry import open_judge, unread
from telejudge_judges.settings import load_settings, make_settings
from telejudge_judges.testing import SAMPLE_TASK, SAMPLES, sample_trajectory

RIGHT = {t.id: practice.opinion_of(t)["answer"] for t in SAMPLES}


def moody(request: dict[str, Any], _n: int) -> fake.Reply:
    """Two of three samples praise everybody; the meta-judge goes by the rule."""
    system = fake.texts(request, "system")[0]
    if '"supported"' in system or request["seed"] == 0:
        return practice.answer(request)
    praise = {name: {"answer": 1, "tools": 1.0} for name in practice.opinions(request)}
    return fake.say(json.dumps({"verdicts": praise}))


def test_samples_of_a_judge_are_sifted_by_settings(tmp_path: Path) -> None:
    config = tmp_path / "judge.yaml"
    config.write_text(
        "judge: ensemble\nsamples: 3\nmembers: [{judge: pointwise}]\nmeta: {model: wise}\n"
    )
    with fake.FakeEndpoint(moody) as server:
        given = {"base_url": server.base_url, "model": "m", "cache": tmp_path / "kept"}
        settings = load_settings(config, given)
        assert unread(settings) == ()
        talked = run(open_judge(None, settings.with_({"meta": None})))
        sound = run(open_judge(None, settings))
        models = [request["model"] for request in server.requests]
        again = run(open_judge(None, settings))
    assert answers(talked) == dict.fromkeys(RIGHT, 1)
    assert answers(sound) == RIGHT
    assert (models.count("m"), models.count("wise")) == (15, 5)
    assert (sound.calls, sound.cached_calls) == (5, 15)
    assert (again.calls, again.cached_calls, again.verdicts) == (0, 20, sound.verdicts)
    assert sound.judge_version != talked.judge_version


def test_the_ensembles_own_model_rules_when_nothing_else_is_said() -> None:
    with fake.FakeEndpoint(moody) as server:
        given = {"base_url": server.base_url, "model": "m", "judge": "ensemble", "samples": 3}
        members = [{"judge": "pointwise"}]
        judge = open_judge(None, make_settings({**given, "members": members, "meta": {}}))
        found = run(judge)
    assert answers(found) == RIGHT
    assert {request["model"] for request in server.requests} == {"m"}


def test_the_prompt_of_the_ensemble_is_its_members_own(tmp_path: Path) -> None:
    prompt = tmp_path / "own.jinja"
    blocks = {
        "system": "{{ instruction }}",
        "user": "Mine. {{ evidence }}",
        "repair": "{{ again }}",
    }
    prompt.write_text("".join(f"{{% block {n} %}}{t}{{% endblock %}}" for n, t in blocks.items()))
    with fake.FakeEndpoint(practice.answer) as server:
        given = {"base_url": server.base_url, "model": "m", "prompt": prompt, "meta": {}}
        members = [{"judge": "pointwise"}]
        run(open_judge("ensemble", make_settings({**given, "members": members})), ONE)
    asked, looked = (fake.texts(request)[0] for request in server.requests)
    assert asked.startswith("Mine.")
    assert not looked.startswith("Mine.")


@pytest.mark.parametrize(
    ("meta", "told"),
    [({"judge": "listwise"}, "no setting judge"), ({"orders": 2}, "no setting orders")],
)
def test_wrong_settings_are_refused(meta: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        make_settings({"judge": "ensemble", "members": [{"judge": "consistency"}], "meta": meta})


def test_a_meta_judge_needs_a_model_and_its_key_is_never_stored() -> None:
    members = [{"judge": "consistency"}]
    given = {"judge": "ensemble", "members": members, "meta": {"api_key": "sesame"}}
    settings = make_settings(given)
    assert "sesame" not in settings.model_dump_json() + repr(settings)
    with pytest.raises(UsageError, match="'ensemble' needs a model"):
        open_judge(None, settings)


def test_an_anchor_bounds_what_the_meta_judge_leaves() -> None:
    members = [Fixed({NAME: one}) for one in (GOOD, BAD)]
    truth = Fixed({NAME: (0, 0.5, ())})
    found = judged_at(
        practice.answer,
        lambda c: EnsembleJudge(members, meta=MetaJudge(c), anchor=truth, slack=0.1),
        ONE,
    )
    assert (found.verdicts[0].answer, found.verdicts[0].tools) == (0, pytest.approx(0.6))


def test_whom_others_kept_from_working_is_not_looked_at() -> None:
    broken = sample_trajectory("t-broken", "look", stop="user_error")
    group = Group(id="g", task=SAMPLE_TASK, trajectories=(SAMPLES[0], broken))
    with fake.FakeEndpoint(practice.answer) as server:

        def make(client: ChatClient) -> EnsembleJudge:
            return EnsembleJudge([PointwiseJudge(client)], meta=MetaJudge(client))

        found = run_at(server, make, group)
    assert len(server.requests) == 2
    assert found.verdicts[1].abstained
