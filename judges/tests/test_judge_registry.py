"""Judges by name: ours, those of other packages, and the settings that all of them share."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from kinds_harness import run

from telejudge_envs import fake_endpoint as fake
from telejudge_envs import store
from telejudge_envs.client import ChatClient
from telejudge_envs.errors import UsageError
from telejudge_envs.nouns.trajectory import Outcome, Rollout
from telejudge_envs.nouns.verdict import GroupVerdict
from telejudge_judges import practice
from telejudge_judges.registry import judge_names, open_judge, settings_of, unread
from telejudge_judges.settings import JudgeSettings, load_settings, make_settings, parse_assignments
from telejudge_judges.testing import (
    SAMPLE_TASK,
    SAMPLES,
    sample_group,
    sample_trajectory,
)

PROJECT = Path(__file__).parents[2] / "pyproject.toml"

OWN_JUDGE = '''
from telejudge_envs.nouns.verdict import Verdict
from telejudge_judges.sitting import Sitting

class Shortest:
    """Right are those with at most `calls` calls."""
    name, version = "shortest", "1"
    def __init__(self, calls):
        self.calls = calls
    async def judge(self, group):
        sitting = Sitting(self, group)
        short = {t.id: sum(len(m.tool_calls) for m in t.messages) <= self.calls
                 for t in sitting.judged}
        return sitting.close({i: Verdict(trajectory_id=i, answer=int(s), tools=1.0, reward=float(s))
                              for i, s in short.items()})

def make(settings, tools):
    return Shortest(settings.options.get("calls", 3))
'''


@pytest.fixture
def own_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package as pip would have installed it: a module, and metadata with an entry point."""
    (tmp_path / "shortest_judge.py").write_text(OWN_JUDGE)
    info = tmp_path / "shortest_judge-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shortest-judge\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[telejudge.judges]\nshortest = shortest_judge:make\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_every_kind_of_ours_is_installed_and_says_what_it_reads() -> None:
    ours = tomllib.loads(PROJECT.read_text())["project"]["entry-points"]["telejudge.judges"]
    kinds = {"verifier", "pointwise", "listwise", "pairwise", "scalar", "consistency", "ensemble"}
    assert kinds <= set(ours)
    assert set(ours) <= set(judge_names())
    for name in kinds:
        read = settings_of(name)
        assert read is not None
        assert read <= set(JudgeSettings.model_fields), name


def test_a_judge_of_ones_own_package_is_opened_by_name(own_package: Path) -> None:
    assert "shortest" in judge_names()
    verdict = run(open_judge("Shortest"))
    assert [v.answer for v in verdict.verdicts] == [0, 1, 0, 0, 0]
    longer = make_settings({"judge": "shortest", "options": {"calls": 4}})
    assert [v.answer for v in run(open_judge(settings=longer)).verdicts] == [1, 1, 0, 1, 1]
    among = make_settings(
        {
            "judge": "ensemble",
            "members": [{"judge": "shortest", "options": {"calls": 9}}, {"judge": "shortest"}],
            "rule": "unanimous",
        }
    )
    assert [v.answer for v in run(open_judge(settings=among)).verdicts] == [0, 1, 0, 0, 0]


def test_the_command_judges_with_a_judge_of_ones_own(own_package: Path) -> None:
    rollouts, verdicts = own_package / "rollouts.jsonl", own_package / "verdicts.jsonl"
    store.write(rollouts, [Rollout(task=SAMPLE_TASK, trajectory=one) for one in SAMPLES])
    config = own_package / "judge.yaml"
    config.write_text("judge: shortest\noptions:\n  calls: 3\n")
    command = ["judge", rollouts, "--config", config, "--out", verdicts, "--set", "options.calls=5"]
    done = subprocess.run(
        [sys.executable, "-m", "telejudge_eval.cli.app", *map(str, command)],
        env={"PYTHONPATH": str(own_package), "PATH": "", "HOME": str(own_package)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (said,) = store.read(verdicts, GroupVerdict)
    assert {v.answer for v in said.verdicts} == {1}, "the flag goes before the file"


def test_two_packages_with_one_name_are_refused(own_package: Path) -> None:
    info = own_package / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[telejudge.judges]\nshortest = other:make\n")
    with pytest.raises(UsageError, match="other:make, shortest_judge:make"):
        open_judge("shortest")


def test_unknown_names_are_told_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match=r"did you mean pairwise\?.*consistency, embedded, ensemble"
    ):
        open_judge("pairwize")
    with pytest.raises(UsageError, match="no setting ordrs; known settings: judge, seed"):
        make_settings({"ordrs": 3})
    with pytest.raises(UsageError, match="member 1: no setting pears"):
        make_settings({"members": [{"judge": "verifier"}, {"judge": "pairwise", "pears": 2}]})
    with pytest.raises(UsageError, match="setting orders: Input should be greater"):
        make_settings({"orders": 0})
    with pytest.raises(UsageError, match="--base-url and --model"):
        open_judge("pointwise")
    with pytest.raises(UsageError, match="folder of a reward head"):
        open_judge("scalar")
    with pytest.raises(UsageError, match="needs members"):
        open_judge("ensemble")


def test_flags_go_before_the_file_and_both_use_the_same_names(tmp_path: Path) -> None:
    file = tmp_path / "judge.yaml"
    file.write_text("judge: pairwise\npairs: 9\nlanguage: zh\nsampling: {top_p: 0.9, top_k: 5}\n")
    flags = parse_assignments(["pairs=4", "sampling.top_p=0.5", "prompt=own.jinja"])
    settings = load_settings(file, flags)
    assert (settings.judge, settings.pairs, settings.language) == ("pairwise", 4, "zh")
    assert settings.sampling == {"top_p": 0.5, "top_k": 5}
    assert settings.prompt == Path("own.jinja")
    assert unread(settings) == ()
    assert unread(settings.with_({"orders": 3})) == ("orders",)
    assert JudgeSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("orders: 3\nordres: 2\n", "judge.yaml: no setting ordres"),
        ("- orders\n", "must hold settings"),
        ("orders: [3\n", "is not YAML"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "judge.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=told):
        load_settings(file)
    with pytest.raises(UsageError, match="cannot be read"):
        load_settings(tmp_path / "none.yaml")


@pytest.mark.parametrize("wrong", ["orders", "=3", "options.=3"])
def test_a_broken_assignment_is_told_the_form(wrong: str) -> None:
    with pytest.raises(UsageError, match="name=value"):
        parse_assignments([wrong])


def test_a_key_is_never_stored() -> None:
    settings = make_settings({"api_key": "sesame", "base_url": "http://h/v1", "model": "m"})
    assert settings.endpoint().key() == "sesame"
    assert "sesame" not in settings.model_dump_json() + repr(settings)
    assert settings.with_({"orders": 3}).api_key == "sesame"
    assert settings.member({"judge": "pairwise"}).api_key == "sesame"


def test_members_share_the_ensembles_client_unless_they_name_another() -> None:
    with fake.FakeEndpoint(practice.answer) as server, fake.FakeEndpoint(practice.answer) as other:
        settings = make_settings(
            {
                "base_url": server.base_url,
                "model": "m",
                "members": [
                    {"judge": "pointwise"},
                    {"judge": "pointwise", "base_url": other.base_url},
                ],
                "quorum": 2,
            }
        )
        made = ChatClient(settings.with_({"judge": "ensemble"}).endpoint())
        judge = open_judge("ensemble", settings, client=lambda: made)
        verdict = run(judge, sample_group())
    assert (len(server.requests), len(other.requests), verdict.calls) == (5, 5, 10)


def test_references_reach_the_prompt_by_a_file(tmp_path: Path) -> None:
    known = tmp_path / "references.yaml"
    known.write_text(f"'{SAMPLE_TASK.id}': Roaming had been switched off.\n")
    with fake.FakeEndpoint(practice.answer) as server:
        given = {"base_url": server.base_url, "model": "m", "references": str(known)}
        for mode, shown in (("forced", True), ("hidden", False)):
            run(open_judge("pointwise", make_settings({**given, "reference_mode": mode})))
            sent = fake.texts(server.requests[-1])[0]
            assert ("Roaming had been switched off." in sent) is shown


def test_anchors_come_from_rollouts_of_known_outcome(tmp_path: Path) -> None:
    known = tmp_path / "known.jsonl"
    right, wrong = (
        sample_trajectory(name, "see", *calls, "done")
        for name, calls in (("a-right", ["fix_x"]), ("a-wrong", ["look"]))
    )
    outcomes = {"a-right": 1, "a-wrong": 0}
    store.write(
        known,
        [
            Rollout(
                task=SAMPLE_TASK,
                trajectory=one,
                outcome=Outcome(answer=1 if outcomes[one.id] else 0, world_reward=0),
            )
            for one in (right, wrong)
        ],
    )
    with fake.FakeEndpoint(practice.answer) as server:
        given = {"base_url": server.base_url, "model": "m", "anchors": known}
        verdict = run(open_judge("listwise", make_settings(given)))
        shown = practice.read_evidence(fake.texts(server.requests[0])[0])
        assert len(shown) == len(SAMPLES) + 2
        assert len(verdict.verdicts) == len(SAMPLES)
        assert {v.confidence for v in verdict.verdicts} == {1.0}
        version = open_judge("listwise", make_settings(given)).version
        assert open_judge("listwise", make_settings({**given, "anchors": None})).version != version
        rollouts = list(store.read(known, Rollout))
        for changed, same in ((rollouts[::-1], True), (rollouts[:1], False)):
            store.write(known, changed)
            assert (open_judge("listwise", make_settings(given)).version == version) is same
        empty = tmp_path / "empty.jsonl"
        store.write(empty, [Rollout(task=SAMPLE_TASK, trajectory=right)])
        with pytest.raises(UsageError, match="no rollout of known outcome"):
            open_judge("listwise", make_settings({**given, "anchors": empty}))


def test_a_members_key_is_never_stored() -> None:
    secret = {"judge": "pairwise", "api_key": "sesame", "base_url": "http://h/v1", "model": "m"}
    settings = make_settings({"members": [secret], "generator": {"api_key": "sesame"}})
    assert "sesame" not in settings.model_dump_json() + repr(settings)
    assert settings.members[0]["api_key"] == "sesame"
